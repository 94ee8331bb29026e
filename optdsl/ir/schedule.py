"""Schedules in the IR: a block of numbers of the step, and one of them as the result.

The expressions and statements are those of `nodes.py`. `t`, role "step", is the number of steps
done here. A list is a value of the role "const" that only `piecewise` refers to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from typing import TypeAlias

from optdsl.diagnostics import Span
from optdsl.ir.build import is_static, op, substitute
from optdsl.ir.nodes import (
    Block,
    Branch,
    Const,
    Define,
    Expr,
    Flag,
    Literal_,
    Merge,
    Op,
    Ref,
    Role,
    Value,
)
from optdsl.ir.passes.fold import fold_expr
from optdsl.semantics import schedule as model
from optdsl.semantics.level import Level
from optdsl.semantics.model import Const as ConstDeclaration
from optdsl.semantics.model import Flag as FlagDeclaration
from optdsl.semantics.model import Interval, Settings
from optdsl.semantics.operators import SYMBOLS
from optdsl.syntax import tree
from optdsl.syntax.formatter import format_statement

_CONSTANTS = {"pi": 3.141592653589793, "inf": float("inf")}

#: The number of steps done.
STEP = Value("t", 0, Level.STEP, "step")


@dataclass(frozen=True)
class Numbers:
    """A list of numbers, each in the domain."""

    name: str
    public: str
    default: tuple[float, ...]
    domain: Interval
    doc: str


Argument: TypeAlias = Const | Flag | Numbers


@dataclass(frozen=True)
class Schedule:
    """One schedule. `result` is what it gives, after `body`.

    `pieces` are the pairs (boundaries, values) of lists that `piecewise` uses. `equations` are the
    lines of the body as written.
    """

    name: str
    doc: str
    arguments: tuple[Argument, ...]
    settings: tuple[tuple[str, Settings], ...]
    body: Block
    result: Expr
    pieces: tuple[tuple[str, str], ...]
    equations: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    span: Span


def lower_schedule(schedule: model.Schedule) -> Schedule:
    """The IR of one resolved schedule, arithmetic of literals done."""
    lowering = _Lowering(schedule)
    body = lowering.block(schedule.body)
    result = lowering.current[model.VALUE]
    if body and isinstance(last := body[-1], Define) and result == Ref(last.value):
        body, result = body[:-1], last.expr
    return Schedule(
        name=schedule.name,
        doc=schedule.doc,
        arguments=tuple(map(lowering.argument, schedule.arguments)),
        settings=tuple(sorted(schedule.settings.items())),
        body=body,
        result=result,
        pieces=schedule.pieces,
        equations=tuple(li for s in schedule.body for li in format_statement(s).split("\n")),
        sources=tuple((s.name, sha256(s.text.encode()).hexdigest()) for s in schedule.sources),
        span=schedule.span,
    )


class _Lowering:
    """One schedule on its way into the IR: `current` is the newest value of every name.

    `value` is 0 until it is assigned; nothing reads it before that.
    """

    def __init__(self, schedule: model.Schedule) -> None:
        self._versions: Counter[str] = Counter()
        self._fixed: dict[Value, Expr] = {}  # locals of the level fixed, for conditions
        self.current: dict[str, Expr] = {"t": Ref(STEP), model.VALUE: Literal_(0)}
        for a in schedule.arguments:
            is_flag = isinstance(a, FlagDeclaration)
            role: Role = "flag" if is_flag else "const"
            self.current[a.name] = Ref(Value(a.name, 0, Level.FIXED, role, is_bool=is_flag))

    def argument(self, a: model.Argument) -> Argument:
        """The argument with its default in terms of other arguments."""
        if isinstance(a, FlagDeclaration):
            return Flag(a.name, a.public, a.default, a.doc)
        if isinstance(a, ConstDeclaration):
            default = self._expr(a.default)
            return Const(a.name, a.public, a.is_int, default, a.default_value, a.domain, a.doc)
        return Numbers(a.name, a.public, a.default, a.domain, a.doc)

    # --------------------------------------------------------- expressions

    def _expr(self, expr: tree.Expr) -> Expr:
        return fold_expr(self._written(expr))

    def _written(self, expr: tree.Expr) -> Expr:
        match expr:
            case tree.Number(value=value) | tree.Boolean(value=value):
                return Literal_(value)
            case tree.Name(text=name):
                return Literal_(_CONSTANTS[name]) if name in _CONSTANTS else self.current[name]
            case tree.Unary(op=sign, operand=operand):
                return op("neg" if sign == "-" else "not", self._written(operand))
            case tree.Binary(op=symbol, left=left, right=right):
                return op(SYMBOLS[symbol].name, self._written(left), self._written(right))
            case tree.Call(function=function, args=args):
                return _call(function.text, [self._written(a) for a in args])
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")

    def _condition(self, expr: tree.Expr) -> Expr:
        """A condition; where it is known at construction, in terms of arguments alone."""
        lowered = self._expr(expr)
        return substitute(lowered, self._fixed) if is_static(lowered) else lowered

    # ---------------------------------------------------------- statements

    def block(self, body: Sequence[tree.Statement]) -> Block:
        """The statements of a block; the `let`s in it are forgotten at its end."""
        visible = set(self.current)
        result = tuple(self._statement(s) for s in body)
        self.current = {n: e for n, e in self.current.items() if n in visible}
        return result

    def _statement(self, statement: tree.Statement) -> Define | Branch:
        match statement:
            case tree.Let(name=name, value=value):
                return self._define(name.text, self._expr(value), statement)
            case tree.Assign(target=target, op=sign, value=value):
                new = self._expr(value)
                if sign != "=":
                    new = fold_expr(op(SYMBOLS[sign[0]].name, self.current[target.text], new))
                return self._define(target.text, new, statement)
            case tree.If():
                return self._branch(statement)
            case _:
                raise AssertionError(f"semantics let {statement!r} through")

    def _define(self, name: str, expr: Expr, statement: tree.Statement) -> Define:
        value = self._new(name, expr.level, expr.is_bool)
        if value.level == Level.FIXED:
            self._fixed[value] = substitute(expr, self._fixed)
        return Define(value, expr, format_statement(statement))

    def _new(self, name: str, level: Level, is_bool: bool) -> Value:
        self._versions[name] += 1
        value = Value(name, self._versions[name], level, "local", is_bool)
        self.current[name] = Ref(value)
        return value

    def _branch(self, statement: tree.If) -> Branch:
        condition = self._condition(statement.condition)
        before = dict(self.current)
        then = self.block(statement.then)
        after_then, self.current = self.current, dict(before)
        orelse = self.block(statement.orelse)
        after_else, self.current = self.current, dict(before)
        merges = []
        for name in before:
            if after_then[name] != after_else[name]:
                sides = after_then[name], after_else[name]
                choice = op("where", condition, *sides)
                value = self._new(name, choice.level, sides[0].is_bool)
                merges.append(Merge(value, *sides))
                if value.level == Level.FIXED:
                    self._fixed[value] = substitute(choice, self._fixed)
        return Branch(condition, then, orelse, tuple(merges))


def _call(name: str, args: list[Expr]) -> Expr:
    match name, args:
        case "clip", [x, low, high]:
            return op("min", op("max", x, low), high)
        case "piecewise", _:  # never of the level fixed: no condition picks from a list
            return Op(name, tuple(args), Level.STEP, is_bool=False)
        case (("min" | "max"), [first, *others]):
            result = first
            for other in others:
                result = op(name, result, other)
            return result
        case _:
            return op(name, *args)


def without_branches(schedule: Schedule) -> Schedule:
    """For graph code: what depends on the step is a choice between both sides, no branch."""
    return replace(schedule, body=_chosen(schedule.body, count(_FAR)))


#: Conditions that get a name are numbered from here on, away from what the spec calls so.
_FAR = 1000


def _chosen(block: Block, numbers: Iterator[int]) -> Block:
    return tuple(new for statement in block for new in _choices(statement, numbers))


def _choices(statement: Define | Branch, numbers: Iterator[int]) -> Block:
    if isinstance(statement, Define):
        return (statement,)
    then, orelse = _chosen(statement.then, numbers), _chosen(statement.orelse, numbers)
    condition, merges = statement.condition, statement.merges
    if is_static(condition):
        return (replace(statement, then=then, orelse=orelse),)
    named: Block = ()
    if len(merges) > 1:
        value = Value("condition", next(numbers), condition.level, "local", is_bool=True)
        named, condition = (Define(value, condition),), Ref(value)
    choices = (Define(m.value, op("where", condition, m.then, m.orelse)) for m in merges)
    return (*named, *then, *orelse, *choices)
