"""What the names of a step stand for, as expressions over the numbers that are given.

A `Value` is made once for each expression, so equal ones are one object: `v`, after `let d = v`,
is also `d`. The values of a step make an acyclic graph; what an `if` leaves behind is a `where`.
"""

from __future__ import annotations

from dataclasses import dataclass

from optdsl.semantics.intervals import Range
from optdsl.semantics.level import Level
from optdsl.semantics.operators import OPERATORS

#: So many factors of a product are told apart.
MAX_FACTORS = 8


@dataclass(frozen=True, eq=False)
class Value:
    """An operator and its operands. A symbol, `op` "symbol", has a name and no operands.

    `range` is where it lies whatever else holds; that of a truth value says nothing.
    """

    op: str
    args: tuple[Value, ...]
    level: Level
    range: Range
    name: str = ""


def level_of(op: str, args: tuple[Value, ...]) -> Level:
    """The level of an operator's result."""
    if op in OPERATORS and OPERATORS[op].reduction:
        return Level.VARIABLE
    return max((a.level for a in args), default=Level.FIXED)


def factors(value: Value) -> list[Value]:
    """What a product is made of, up to MAX_FACTORS; any other value is its only factor."""
    found = [value]
    i = 0
    while i < len(found):
        if found[i].op == "mul" and len(found) < MAX_FACTORS:
            found[i : i + 1] = found[i].args
        else:
            i += 1
    return found


def symbols(value: Value, limit: int) -> list[Value]:
    """The symbols that a value is made of, as far as `limit` parts of it show them."""
    found = [value]
    seen = {value}
    for part in found:
        new = [a for a in part.args if a not in seen]
        seen.update(new)
        found.extend(new)
        if len(found) > limit:
            break
    return [v for v in found if v.op == "symbol"]
