"""A schedule as it is written, evaluated. It shares nothing with the generator.

Numbers are what an `Arithmetic` makes of them: float64, or sets in which those of a target lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np

from optdsl.oracle.arithmetic import FLOAT64, Arithmetic
from optdsl.semantics.model import Const, Flag
from optdsl.semantics.operators import SYMBOLS
from optdsl.semantics.schedule import VALUE, Numbers, Schedule
from optdsl.syntax import tree

N = TypeVar("N")

#: Arguments by the spec's names.
Given: TypeAlias = Mapping[str, float | bool | Sequence[float]]


def evaluate(schedule: Schedule, t: float, given: Given | None = None) -> float:
    """The value after `t` steps in float64, with arguments `given`, else its defaults.

    What leaves the reals is nan or infinite, without a warning.
    """
    return float(evaluate_in(FLOAT64, schedule, t, given or {}))


def evaluate_in(numbers: Arithmetic[N], schedule: Schedule, t: float, given: Given) -> N:
    """The same in any arithmetic."""
    return _Evaluation(numbers, schedule, t, given).value()


class _Evaluation(Generic[N]):
    """`_names` are what the names stand for now, lists apart."""

    def __init__(self, numbers: Arithmetic[N], schedule: Schedule, t: float, given: Given) -> None:
        self._numbers = numbers
        self._body = schedule.body
        self._lists: dict[str, Sequence[float]] = {}
        constants = {"t": t, "pi": np.pi, "inf": np.inf}
        self._names = {name: numbers.constant(x) for name, x in constants.items()}
        for item in schedule.arguments:
            value: Any = given.get(item.name)
            if isinstance(item, Numbers):
                self._lists[item.name] = item.default if value is None else value
            elif value is not None:
                self._names[item.name] = numbers.constant(value)
            elif isinstance(item, Flag):
                self._names[item.name] = numbers.constant(item.default)
            elif isinstance(item, Const):
                self._names[item.name] = self._expr(item.default)

    def value(self) -> N:
        """What the schedule gives."""
        self._run(self._body)
        return self._names[VALUE]

    def _run(self, body: Sequence[tree.Statement]) -> None:
        for statement in body:
            match statement:
                case tree.Let(name=name, value=value):
                    self._names[name.text] = self._expr(value)
                case tree.Assign(target=target, op=op, value=value):
                    new = self._expr(value)
                    if op != "=":
                        old = self._names[target.text]
                        new = self._numbers.apply(SYMBOLS[op[0]].name, old, new)
                    self._names[target.text] = new
                case tree.If():
                    self._if(statement)

    def _if(self, statement: tree.If) -> None:
        """The side that counts, or both where the arithmetic cannot tell."""
        condition = self._expr(statement.condition)
        truth = self._numbers.truth(condition)
        before = dict(self._names)
        ends = []
        for side, body in ((True, statement.then), (False, statement.orelse)):
            if truth in (side, None):
                self._names = dict(before)
                self._run(body)
                ends.append(self._names)
        kept = {*before, VALUE} & ends[0].keys() & ends[-1].keys()  # a local ends with its block
        self._names = {n: ends[0][n] for n in kept}
        if len(ends) == 2:
            for n in kept:
                self._names[n] = self._numbers.either(condition, ends[0][n], ends[1][n])

    def _expr(self, expr: tree.Expr) -> N:
        match expr:
            case tree.Number(value=value) | tree.Boolean(value=value):
                return self._numbers.constant(value)
            case tree.Name(text=name):
                return self._names[name]
            case tree.Unary(op=op, operand=operand):
                return self._numbers.apply("neg" if op == "-" else "not", self._expr(operand))
            case tree.Binary(op=symbol, left=left, right=right):
                args = self._expr(left), self._expr(right)
                return self._numbers.apply(SYMBOLS[symbol].name, *args)
            case tree.Call(function=function) if function.text == "piecewise":
                return self._piecewise(expr.args)
            case tree.Call(function=function, args=args):
                return self._numbers.apply(function.text, *map(self._expr, args))
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")

    def _piecewise(self, args: tuple[tree.Expr, ...]) -> N:
        """The first value up to and with the first boundary, the last beyond all of them."""
        x = self._expr(args[0])
        boundaries, values = (self._lists[a.text] for a in args[1:] if isinstance(a, tree.Name))
        found = self._numbers.constant(values[-1])
        for boundary, value in reversed(list(zip(boundaries, values, strict=False))):
            within = self._numbers.apply("le", x, self._numbers.constant(boundary))
            found = self._numbers.apply("where", within, self._numbers.constant(value), found)
        return found
