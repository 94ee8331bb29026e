"""The operators and functions of the language, in one table.

`kind` says what goes in and comes out: numbers to a number ("real"), numbers to a truth value
("test"), truth values to a truth value ("logic"). A reduction brings the level element down to
the level variable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Operator:
    """`name` is how the IR calls it. `most` None: any number of arguments."""

    name: str
    least: int
    most: int | None
    kind: Literal["real", "test", "logic", "choice"] = "real"
    reduction: bool = False
    doc: str = ""


def _table(*operators: Operator) -> dict[str, Operator]:
    return {o.name: o for o in operators}


#: Written as symbols; the key is the symbol.
SYMBOLS: dict[str, Operator] = {
    "+": Operator("add", 2, 2),
    "-": Operator("sub", 2, 2),
    "*": Operator("mul", 2, 2),
    "/": Operator("div", 2, 2),
    "%": Operator("mod", 2, 2, doc="the remainder with the sign of the divisor, as in Python"),
    "^": Operator("pow", 2, 2),
    "<": Operator("lt", 2, 2, "test"),
    "<=": Operator("le", 2, 2, "test"),
    ">": Operator("gt", 2, 2, "test"),
    ">=": Operator("ge", 2, 2, "test"),
    "==": Operator("eq", 2, 2, "test"),
    "!=": Operator("ne", 2, 2, "test"),
    "and": Operator("and", 2, 2, "logic"),
    "or": Operator("or", 2, 2, "logic"),
}
NEGATE = Operator("neg", 1, 1)
NOT = Operator("not", 1, 1, "logic")

#: Written as calls; the key is the name.
FUNCTIONS: dict[str, Operator] = _table(
    Operator("sqrt", 1, 1),
    Operator("abs", 1, 1),
    Operator("sign", 1, 1, doc="-1, 0 or 1"),
    Operator("exp", 1, 1),
    Operator("log", 1, 1, doc="the natural logarithm"),
    Operator("log1p", 1, 1),
    Operator("expm1", 1, 1),
    Operator("tanh", 1, 1),
    Operator("sigmoid", 1, 1),
    Operator("floor", 1, 1),
    Operator("ceil", 1, 1),
    Operator("round", 1, 1, doc="halves to the even neighbour"),
    Operator("min", 2, None),
    Operator("max", 2, None),
    Operator("clip", 3, 3, doc="clip(x, low, high) = min(max(x, low), high)"),
    Operator("where", 3, 3, "choice", doc="where(condition, a, b)"),
    Operator("atan2", 2, 2),
    Operator("cbrt", 1, 1),
    Operator("isfinite", 1, 1, "test"),
    Operator("sum", 1, 1, reduction=True),
    Operator("mean", 1, 1, reduction=True),
    Operator("norm", 1, 1, reduction=True, doc="sqrt(sum(x^2))"),
    Operator("rms", 1, 1, reduction=True, doc="sqrt(mean(x^2))"),
    Operator("amax", 1, 1, reduction=True),
    Operator("amin", 1, 1, reduction=True),
    Operator("dot", 2, 2, reduction=True, doc="sum(x*y)"),
    Operator("size", 1, 1, reduction=True, doc="the number of elements"),
    Operator("rank", 1, 1, reduction=True, doc="the number of dimensions"),
    Operator("total", 1, 1, doc="the sum over all the variables of a number per variable"),
)

#: Functions that may have `axis=`; they then keep the dimensions and stay at the level element.
WITH_AXIS = frozenset({"sum", "mean", "norm", "rms", "amax", "amin", "dot"})

#: What the IR makes of them, by the name of the reduction; the further arguments are the axes.
ALONG: dict[str, Operator] = {
    name: Operator(f"{name}_along", 2, None) for name in ("sum", "mean", "amax", "amin")
}

#: What schedules have beside them.
OF_SCHEDULES: dict[str, Operator] = _table(
    Operator("cos", 1, 1),
    Operator("piecewise", 3, 3, doc="piecewise(x, boundaries, values)"),
)

#: The functions that can stand in a schedule, which has no elements.
SCHEDULE_FUNCTIONS: dict[str, Operator] = {
    **{name: o for name, o in FUNCTIONS.items() if not o.reduction and name != "total"},
    **OF_SCHEDULES,
}

#: Every operator by its name in the IR.
OPERATORS: dict[str, Operator] = {
    **{o.name: o for o in SYMBOLS.values()},
    **FUNCTIONS,
    **{o.name: o for o in ALONG.values()},
    NEGATE.name: NEGATE,
    NOT.name: NOT,
}
