"""Every number of the level step that the bodies use becomes a coefficient, computed once.

`(1-b1)*g` becomes `one_minus_b1 * g`: the difference is taken in float64 and rounded once, where
it meets the elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from optdsl.ir.build import is_static, op
from optdsl.ir.nodes import (
    Block,
    Branch,
    Define,
    Expr,
    Literal_,
    Op,
    Program,
    Ref,
    Result,
    Rule,
    Statement,
    Value,
)  # fmt: skip
from optdsl.semantics.level import Level


def hoist(program: Program) -> Program:
    """Replace step-level parts of the bodies by coefficients that the block `step` defines."""
    hoister = _Hoister(program)
    rules = [hoister.rule(p.rule) for p in program.phases]
    rule = hoister.rule(program.rule)
    untouched = tuple(
        replace(u, rule=hoister.rule(u.rule), decays=hoister.rule(u.decays))
        for u in program.untouched
    )
    step = (*program.step, *hoister.added)
    phases = tuple(
        replace(p, step=step, rule=rule) for p, rule in zip(program.phases, rules, strict=True)
    )
    return replace(program, step=step, rule=rule, untouched=untouched, phases=phases)


@dataclass
class _Hoister:
    program: Program
    added: list[Define] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known: dict[Expr, Value] = {
            s.expr: s.value for s in self.program.step if isinstance(s, Define)
        }
        self._names = set(_names(self.program))

    def rule(self, rule: Rule) -> Rule:
        """The rule over coefficients; the coefficients stand in the order of their first use."""
        self._used: dict[Value, None] = {}
        body = tuple(self._statement(s) for s in rule.body)
        results = tuple(Result(r.state, self._expr(r.value)) for r in rule.results)
        return Rule(body, results, tuple(self._used))

    def _statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Define):
            return replace(statement, expr=self._expr(statement.expr))
        condition = statement.condition
        if not is_static(condition):
            condition = self._expr(condition)
        merges = tuple(
            replace(m, then=self._expr(m.then), orelse=self._expr(m.orelse))
            for m in statement.merges
        )
        then = tuple(self._statement(s) for s in statement.then)
        orelse = tuple(self._statement(s) for s in statement.orelse)
        return Branch(condition, then, orelse, merges, statement.text)

    def _expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Literal_):
            return expr
        if expr.level <= Level.STEP:
            coefficient = self._coefficient(expr)
            self._used[coefficient] = None
            return Ref(coefficient)
        if isinstance(expr, Op):
            return op(expr.op, *(self._expr(a) for a in expr.args))
        return expr

    def _coefficient(self, expr: Expr) -> Value:
        if isinstance(expr, Ref):
            return expr.value
        if expr not in self._known:
            value = Value(self._name(expr), 1, Level.STEP, "local", expr.is_bool)
            self._known[expr] = value
            self.added.append(Define(value, expr))
        return self._known[expr]

    def _name(self, expr: Expr) -> str:
        """A name that says what it is, or a numbered one where that would be long."""
        name = re.sub(r"^(?=\d)", "n", describe(expr))
        if len(name) > 24 or name in self._names:
            stem = "coefficient" if len(name) > 24 else name
            name = next(n for i in range(1, 10**6) if (n := f"{stem}_{i}") not in self._names)
        self._names.add(name)
        return name


def _names(program: Program) -> Iterable[str]:
    yield from ("w", "g", "t", "self", "slots", "coefficients")
    for group in (program.hypers, program.consts, program.flags, program.slots, program.shareds):
        for item in group:
            yield item.name
            yield item.public
    for value in (*program.gradients, *program.totals):
        yield value.name
    for block in (program.step, *(rule.body for rule in program.rules)):
        yield from _defined(block)


def _defined(block: Block) -> Iterable[str]:
    for statement in block:
        if isinstance(statement, Define):
            yield statement.value.name
        else:
            yield from _defined(statement.then)
            yield from _defined(statement.orelse)


_NUMBERS = {0: "zero", 1: "one", 2: "two", 3: "three", 4: "four", 0.5: "half"}
_WORDS = {
    "add": "plus", "sub": "minus", "mul": "times", "div": "over", "pow": "to", "lt": "below",
    "le": "at_most", "gt": "above", "ge": "at_least", "eq": "is", "ne": "is_not",
}  # fmt: skip


def describe(expr: Expr) -> str:
    """An identifier that spells out an expression: `1 - b1` is `one_minus_b1`."""
    match expr:
        case Ref(value=value):
            return value.name
        case Literal_(value=value):
            return _NUMBERS.get(value) or re.sub(r"\W", "_", repr(value))
        case Op(op="eq", args=(Op(op="mod", args=(_, count)), Literal_(value=0))):
            return f"every_{describe(count)}"
        case Op(op="neg", args=(arg,)):
            return f"minus_{describe(arg)}"
        case Op(op="mul", args=(left, right)):
            return f"{describe(left)}_{describe(right)}"
        case Op(op=name, args=args) if len(args) == 2 and name in _WORDS:
            return f"{describe(args[0])}_{_WORDS[name]}_{describe(args[1])}"
        case Op(op=name, args=args):
            return "_".join([name, *map(describe, args)])
