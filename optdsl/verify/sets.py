"""Sets of numbers and of truth values, and what the operators make of them, exactly.

Nothing here rounds; `enclosure.py` adds the rounding of a target to these images.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from optdsl.oracle.arithmetic import FUNCTIONS, Array


@dataclass(frozen=True)
class Enclosed:
    """Numbers between `low` and `high`, both included; where `nan`, or not a number.

    Where both ends are NaN the number is NaN for sure. `dtype` is what the number is held in,
    None for one of the level step: it is held in float64 and cast where it meets another dtype.
    `terms`: what it is the sum of, if that may be added up in another order.
    """

    low: Array
    high: Array
    nan: Array
    dtype: np.dtype[Any] | None = None
    terms: tuple[Enclosed, ...] = ()

    def each(self, function: Callable[[Array], Array]) -> Enclosed:
        """The set with its arrays rearranged."""
        return Enclosed(function(self.low), function(self.high), function(self.nan), self.dtype)

    def held(self, dtype: np.dtype[Any] | None) -> Enclosed:
        """The set, held in this dtype."""
        return Enclosed(self.low, self.high, self.nan, dtype)

    def spans(self, x: float) -> Array:
        """Where the number may be x."""
        return np.asarray((self.low <= x) & (x <= self.high))

    @property
    def infinite(self) -> Array:
        """Where the number may be infinite."""
        return np.asarray(np.isinf(self.low) | np.isinf(self.high))

    @property
    def size(self) -> Array:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


@dataclass(frozen=True)
class Truth:
    """Truth values: where a condition may hold, and where it may fail. `dtype` as of a number."""

    true: Array
    false: Array
    dtype: np.dtype[Any] | None = None

    @property
    def settled(self) -> bool | None:
        """Of a single one, True or False where it is certain."""
        known = np.ndim(self.true) == 0 and np.all(self.true != self.false)
        return bool(self.true) if known else None


Set: TypeAlias = Enclosed | Truth


def point(x: Array, dtype: np.dtype[Any] | None) -> Enclosed:
    """Just the number x: its ends are one array."""
    value = np.asarray(x, np.float64)
    return Enclosed(value, value, np.isnan(value), dtype)


def hull(x: Enclosed, y: Enclosed) -> Enclosed:
    """A number that is one of these two."""
    low, high = np.fmin(x.low, y.low), np.fmax(x.high, y.high)
    return Enclosed(low, high, x.nan | y.nan, x.dtype)


def where(condition: Truth, x: Enclosed, y: Enclosed) -> Enclosed:
    """The image of `where(condition, x, y)`."""

    def pick(known: Array, other: Array, both: Array) -> Array:
        return np.where(condition.true, np.where(condition.false, both, known), other)

    each = hull(x, y)
    return Enclosed(
        pick(x.low, y.low, each.low), pick(x.high, y.high, each.high), pick(x.nan, y.nan, each.nan)
    )


# -------------------------------------------------------------------- numbers to truth values


def _less(x: Enclosed, y: Enclosed) -> Truth:
    return Truth(x.low < y.high, (x.high >= y.low) | x.nan | y.nan)


def _at_most(x: Enclosed, y: Enclosed) -> Truth:
    return Truth(x.low <= y.high, (x.high > y.low) | x.nan | y.nan)


def _equal(x: Enclosed, y: Enclosed) -> Truth:
    known = (x.low == x.high) & (y.low == y.high) & (x.low == y.low)
    return Truth((x.low <= y.high) & (y.low <= x.high), ~known | x.nan | y.nan)


def _not(x: Truth) -> Truth:
    return Truth(x.false, x.true, x.dtype)


def _finite(x: Enclosed) -> Truth:
    return Truth(np.isfinite(x.low) | np.isfinite(x.high) | (x.low < x.high), x.nan | x.infinite)


def _and(x: Truth, y: Truth) -> Truth:
    """The image of `x and y`; what is known to fail makes it so before the other is looked at."""
    for side in (x, y):
        if side.settled is False:
            return side
    return Truth(x.true & y.true, x.false | y.false, x.dtype or y.dtype)


def _or(x: Truth, y: Truth) -> Truth:
    return _not(_and(_not(x), _not(y)))


TESTS: dict[str, Callable[..., Truth]] = {
    "lt": _less,
    "gt": lambda x, y: _less(y, x),
    "le": _at_most,
    "ge": lambda x, y: _at_most(y, x),
    "eq": _equal,
    "ne": lambda x, y: _not(_equal(x, y)),
    "isfinite": _finite,
}

# -------------------------------------------------------------------------- numbers to numbers


def corners(function: Callable[..., Array], *xs: Enclosed) -> Enclosed:
    """The image of a function that is monotone in each argument: its ends are at corners."""
    ends = ((x.low,) if x.low is x.high else (x.low, x.high) for x in xs)
    values = [function(*corner) for corner in product(*ends)]
    low, high = values[0], values[0]
    nan = np.isnan(values[0])
    for value in values[1:]:
        low, high, nan = np.fmin(low, value), np.fmax(high, value), nan | np.isnan(value)
    for x in xs:
        nan = nan | x.nan
    return Enclosed(low, high, nan)


def _anything(x: Enclosed, at: Array) -> Enclosed:
    """`x`, and any number at all in these places."""
    return Enclosed(np.where(at, -np.inf, x.low), np.where(at, np.inf, x.high), x.nan | at)


def _on(function: Callable[..., Array], least: float) -> Callable[[Enclosed], Enclosed]:
    """A growing function that is not defined below `least`."""

    def image(x: Enclosed) -> Enclosed:
        low = np.where(x.high >= least, np.fmax(x.low, least), x.low)
        return corners(function, replace(x, low=low, nan=x.nan | (x.low < least)))

    return image


def _abs(x: Enclosed) -> Enclosed:
    found = corners(np.abs, x)
    return replace(found, low=np.where(x.spans(0), 0.0, found.low))


def _sign(x: Enclosed) -> Enclosed:
    found = corners(np.sign, x)  # of NaN it is 0 in some frameworks
    return replace(found, low=np.where(x.nan, -1, found.low), high=np.where(x.nan, 1, found.high))


def _around_0(found: Enclosed, *xs: Enclosed) -> Enclosed:
    """Where all the corners are NaN, but not all that lies between them: that is 0."""
    undefined = np.isnan(found.low)
    if not undefined.any():
        return found
    between = undefined & ~np.logical_and(*(x.low == x.high for x in xs))
    between &= ~np.logical_or(*(np.isnan(x.low) for x in xs))
    return replace(
        found, low=np.where(between, 0.0, found.low), high=np.where(between, 0.0, found.high)
    )


def _mul(x: Enclosed, y: Enclosed) -> Enclosed:
    found = corners(np.multiply, x, y)
    undefined = (x.spans(0) & y.infinite) | (y.spans(0) & x.infinite)
    return _around_0(replace(found, nan=found.nan | undefined), x, y)


def _div(x: Enclosed, y: Enclosed) -> Enclosed:
    """A divisor that may be 0 gives anything, 0/0 not a number."""
    found = corners(np.divide, x, y)
    found = _around_0(found, x, y)
    by_zero = y.spans(0) & ~((y.size == 0) & (x.size == 0))
    nan = found.nan | (y.spans(0) & x.spans(0))
    return replace(_anything(found, by_zero), nan=nan)


def _mod(x: Enclosed, y: Enclosed) -> Enclosed:
    """A line, x - y*floor(x/y), where the quotient is known, else any remainder."""
    quotient = corners(np.floor_divide, x, y)
    found = corners(np.mod, x, y)
    jump = (quotient.low != quotient.high) | quotient.nan
    low = np.where(jump, np.fmin(y.low, 0.0), found.low)
    high = np.where(jump, np.fmax(y.high, 0.0), found.high)
    return _anything(Enclosed(low, high, found.nan), y.spans(0) | x.infinite | y.infinite)


def _pow(x: Enclosed, y: Enclosed) -> Enclosed:
    whole = (y.low == y.high) & (y.low == np.floor(y.low))
    negative = x.low < 0
    base = replace(x, low=np.where(whole | (x.high < 0), x.low, np.fmax(x.low, 0.0)))
    found = corners(np.power, base, y)
    even = whole & (np.mod(y.low, 2) == 0)
    low = np.where(even & x.spans(0) & (y.low > 0), 0.0, found.low)
    found = Enclosed(low, found.high, found.nan | (negative & ~whole))
    pole = x.spans(0) & (y.low < 0) & (negative | ~even)  # the sign of a zero is not known
    unknown = negative & ~whole & ((y.low != y.high) | np.isneginf(x.low))
    return _anything(found, pole | unknown | y.infinite)


def _atan2(y: Enclosed, x: Enclosed) -> Enclosed:
    found = corners(np.arctan2, y, x)
    cut = y.spans(0) & (x.low <= 0)
    return replace(
        found, low=np.where(cut, -np.pi, found.low), high=np.where(cut, np.pi, found.high)
    )


def _extreme(function: Callable[..., Array]) -> Callable[..., Enclosed]:
    """A minimum or maximum; next to NaN frameworks give either operand, or NaN."""

    def image(*xs: Enclosed) -> Enclosed:
        found = xs[0]
        for x in xs[1:]:
            known, either = corners(function, found, x), hull(found, x)
            low = np.where(known.nan, either.low, known.low)
            found = Enclosed(low, np.where(known.nan, either.high, known.high), known.nan)
        return found

    return image


_min, _max = _extreme(np.minimum), _extreme(np.maximum)


def _image(function: Callable[..., Array]) -> Callable[..., Enclosed]:
    return lambda *xs: corners(function, *xs)


def _cos(x: Enclosed) -> Enclosed:
    """The ends of the set, or the crests and troughs between them, at multiples of pi."""
    first, last = np.ceil(x.low / np.pi), np.floor(x.high / np.pi)
    ends = np.cos(x.low), np.cos(x.high)
    several, odd = last > first, np.mod(first, 2) == 1
    high = np.where(several | ((last == first) & ~odd), 1.0, np.fmax(*ends))
    low = np.where(several | ((last == first) & odd), -1.0, np.fmin(*ends))
    return Enclosed(low, high, x.nan | x.infinite)


LOGIC: dict[str, Callable[..., Truth]] = {"and": _and, "or": _or, "not": _not}

#: The image of every operator from numbers to a number that is no reduction.
IMAGES: dict[str, Callable[..., Enclosed]] = {
    **{
        op: _image(FUNCTIONS[op])
        for op in ("add", "sub", "neg", "exp", "expm1", "tanh", "sigmoid", "cbrt")
    },
    **{op: _image(FUNCTIONS[op]) for op in ("floor", "ceil", "round")},
    "sqrt": _on(np.sqrt, 0.0),
    "log": _on(np.log, 0.0),
    "log1p": _on(np.log1p, -1.0),
    "abs": _abs,
    "sign": _sign,
    "mul": _mul,
    "div": _div,
    "mod": _mod,
    "pow": _pow,
    "atan2": _atan2,
    "cos": _cos,
    "min": _min,
    "max": _max,
    "clip": lambda x, low, high: _min(_max(x, low), high),
    "where": where,
}

#: The operators that give one of their operands, or a small integer: nothing is rounded.
EXACT = frozenset(["neg", "abs", "sign", "floor", "ceil", "round", "min", "max", "clip", "where"])
