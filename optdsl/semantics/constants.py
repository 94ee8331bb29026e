"""The value of an expression that is known before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from optdsl.diagnostics import Diagnostics
from optdsl.semantics.operators import SYMBOLS
from optdsl.syntax import tree

Constant: TypeAlias = float | bool


class NotConstant(Exception):
    """The expression has a name in it whose value is not known."""


def _power(x: float, y: float) -> float:
    result = x**y
    if isinstance(result, complex):
        raise ValueError
    return float(result)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _integral(f: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: float(f(x)) if math.isfinite(x) else x


#: What each operator does with Python floats; OverflowError and the like are the caller's.
EVALUATE: dict[str, Callable[..., Constant]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "mod": lambda x, y: x % y,
    "pow": _power,
    "neg": lambda x: -x,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "and": lambda x, y: x and y,
    "or": lambda x, y: x or y,
    "not": lambda x: not x,
    "sqrt": math.sqrt,
    "abs": abs,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "tanh": math.tanh,
    "cos": math.cos,
    "sigmoid": _sigmoid,
    "floor": _integral(math.floor),
    "ceil": _integral(math.ceil),
    "round": _integral(round),
    "min": min,
    "max": max,
    "clip": lambda x, low, high: min(max(x, low), high),
    "where": lambda c, x, y: x if c else y,
    "atan2": math.atan2,
    "cbrt": math.cbrt,
    "isfinite": math.isfinite,
}


def apply(op: str, *args: Constant) -> Constant:
    """The value of an operator; not finite where Python would raise or leave the reals."""
    try:
        return EVALUATE[op](*args)
    except (OverflowError, ValueError, ZeroDivisionError):
        return math.nan


class Folder:
    """Evaluates constants and reports those that are no finite number, once each."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics

    def value(self, expr: tree.Expr, known: Mapping[str, Constant] | None = None) -> Constant:
        """The value of an expression over literals, `pi`, `inf` and the `known` names.

        Raises NotConstant where another name, `uses` or a reduction stands in it, or where a part
        of it is no finite number; that is reported (O401).
        """
        known = known or {}
        match expr:
            case tree.Number(value=number):
                return float(number)
            case tree.Boolean(value=truth):
                return truth
            case tree.Name(text="pi"):
                return math.pi
            case tree.Name(text="inf"):
                return math.inf
            case tree.Name(text=name) if name in known:
                return known[name]
            case tree.Unary(op=op, operand=operand):
                return self._apply("neg" if op == "-" else "not", (operand,), expr, known)
            case tree.Binary(op=symbol, left=left, right=right):
                return self._apply(SYMBOLS[symbol].name, (left, right), expr, known)
            case tree.Call(function=f) if f.text in EVALUATE:
                return self._apply(f.text, expr.args, expr, known)
            case _:
                raise NotConstant

    def _apply(
        self, op: str, args: tuple[tree.Expr, ...], expr: tree.Expr, known: Mapping[str, Constant]
    ) -> Constant:
        values = [self.value(a, known) for a in args]
        result = apply(op, *values)
        infinite = math.isinf(result) and math.inf in map(abs, values)
        if not math.isfinite(result) and not infinite:
            self._diagnostics.add(
                "O401", f"'{expr.span.text}' is no finite number", expr.span,
                "a constant has to be a finite real number",
            )  # fmt: skip
            raise NotConstant
        return result

    def check(self, expr: tree.Expr) -> None:
        """Report every part of an expression that is a constant but no finite number."""
        try:
            self.value(expr)
        except NotConstant:
            for part in children(expr):
                self.check(part)


def children(expr: tree.Expr) -> tuple[tree.Expr, ...]:
    """The direct parts of an expression."""
    match expr:
        case tree.Unary(operand=operand):
            return (operand,)
        case tree.Binary(left=left, right=right):
            return (left, right)
        case tree.Call(args=args):
            return args
        case _:
            return ()
