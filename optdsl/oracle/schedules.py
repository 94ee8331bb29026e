"""A schedule as it is written, evaluated in float64. It shares nothing with the generator."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from optdsl.oracle.arithmetic import FUNCTIONS
from optdsl.semantics.model import Const
from optdsl.semantics.operators import SYMBOLS
from optdsl.semantics.schedule import VALUE, Argument, Numbers, Schedule
from optdsl.syntax import tree

#: What a name stands for; a list is a tuple.
Number: TypeAlias = np.float64 | bool | tuple[float, ...]

_OWN: dict[str, Callable[..., Any]] = {
    "cos": np.cos,
    "piecewise": lambda x, boundaries, values: values[bisect.bisect_left(boundaries, x)],
}


def evaluate(
    schedule: Schedule, t: float, given: Mapping[str, float | bool | Sequence[float]] | None = None
) -> float:
    """The value after `t` steps, with arguments `given` by the spec's names, else its defaults.

    What leaves the reals is nan or infinite, without a warning.
    """
    with np.errstate(all="ignore"):
        names: dict[str, Number] = {"t": np.float64(t), "pi": np.float64(np.pi)}
        names["inf"] = np.float64(np.inf)
        for item in schedule.arguments:
            value = (given or {}).get(item.name)
            names[item.name] = _default(item, names) if value is None else _number(value)
        _run(schedule.body, names)
        return float(names[VALUE])  # type: ignore[arg-type]


def _number(value: float | bool | Sequence[float]) -> Number:
    if isinstance(value, bool):
        return value
    return np.float64(value) if isinstance(value, (int, float)) else tuple(map(float, value))


def _default(item: Argument, names: Mapping[str, Number]) -> Number:
    if isinstance(item, Const):
        return np.float64(_value(item.default, names))
    return tuple(item.default) if isinstance(item, Numbers) else item.default


def _run(body: Sequence[tree.Statement], names: dict[str, Number]) -> None:
    """Run the statements, changing `names`; a local that is made inside of a block ends with it."""
    for statement in body:
        match statement:
            case tree.Let(name=name, value=value):
                names[name.text] = _value(value, names)
            case tree.Assign(target=target, op=op, value=value):
                new = _value(value, names)
                if op != "=":
                    new = FUNCTIONS[SYMBOLS[op[0]].name](names[target.text], new)
                names[target.text] = new
            case tree.If(condition=condition, then=then, orelse=orelse):
                inside = dict(names)
                _run(then if _value(condition, names) else orelse, inside)
                names.update({n: x for n, x in inside.items() if n in names or n == VALUE})


def _value(expr: tree.Expr, names: Mapping[str, Number]) -> Any:
    match expr:
        case tree.Number(value=number):
            return np.float64(number)
        case tree.Boolean(value=truth):
            return truth
        case tree.Name(text=name):
            return names[name]
        case tree.Unary(op=op, operand=operand):
            return FUNCTIONS["neg" if op == "-" else "not"](_value(operand, names))
        case tree.Binary(op=symbol, left=left, right=right):
            return FUNCTIONS[SYMBOLS[symbol].name](_value(left, names), _value(right, names))
        case tree.Call(function=function, args=args):
            name = function.text
            return (_OWN.get(name) or FUNCTIONS[name])(*(_value(a, names) for a in args))
