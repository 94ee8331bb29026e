"""Arithmetic for the oracle that says where the numbers of a target must lie.

A number is a pair of ends. Each operation takes the worst of the ends of its operands and widens
the result by its own rounding, in the precision in which a target computes it: float64 for what
is known once per step, else the computation dtype of the variable. So the width of a result is a
running error analysis of the rule, and at a jump (`sign`, a comparison, an `if`) it spans both
sides as soon as rounding could lead to either.

The ends are float64, and their own rounding is part of the widening.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from optdsl.oracle.arithmetic import Array, computation_dtype, lines
from optdsl.verify.sets import EXACT, IMAGES, LOGIC, TESTS, Enclosed, Set, Truth, point

#: Unit roundoff of float64, in which the ends are computed.
OWN = 2.0**-53
STEP = np.dtype(np.float64)
#: Operators that make integers of integers.
WHOLE = frozenset({"add", "sub", "mul", "mod"})
#: Powers up to this may be computed by repeated multiplication.
LONGEST_CHAIN = 64


@dataclass(frozen=True)
class Accuracy:
    """How exactly a framework computes.

    `units` are the largest errors of functions in unit roundoffs (half an ulp), by name and the
    dtype's size in bytes; everything else is rounded correctly, 1 unit. `absolute` are errors
    that do not shrink with the result, in unit roundoffs of 1. `undefined`: functions that may
    be NaN where their argument is infinite, and half as large again where it is within a factor
    of 4 of the ends of the range of float32. `flush`: results below the smallest normal number may
    come out as 0. `reorders`: sums of elements may be added up in another order than the rule's.
    """

    flush: bool = False
    reorders: bool = False
    units: Mapping[tuple[str, int], float] = field(default_factory=dict)
    absolute: Mapping[tuple[str, int], float] = field(default_factory=dict)
    undefined: frozenset[tuple[str, int]] = frozenset()


class Enclosure:
    """An `oracle.Arithmetic` on sets of numbers."""

    def __init__(self, accuracy: Accuracy) -> None:
        self._accuracy = accuracy

    def constant(self, x: bool | float | Array) -> Set:
        array = np.asarray(x)
        return Truth(array, ~array) if array.dtype == bool else point(array, None)

    def state(self, x: Array) -> Set:
        return self._flushed(point(x, x.dtype))

    def near(self, x: Array, units: float) -> Set:
        """A state that is so many unit roundoffs from x at the most."""
        with np.errstate(all="ignore"):
            return self._rounded(point(x, x.dtype), units)

    def apply(self, op: str, *args: Any) -> Set:
        if op in LOGIC:
            return LOGIC[op](*args)
        with np.errstate(all="ignore"):
            operands, dtype = self._met(args)
            if op in TESTS:
                return replace(TESTS[op](*operands), dtype=dtype)
            if op in REDUCTIONS:
                return REDUCTIONS[op](self, *operands).held(dtype)
            found = IMAGES[op](*operands).held(dtype)
            if op in EXACT or (op in WHOLE and _counts([found, *operands])):
                return found
            if op in ("add", "sub") and dtype is not None and self._accuracy.reorders:
                return self._in_any_order(op, found, *operands)
            return self._evaluated(op, found, operands)

    def along(self, op: str, axes: tuple[int, ...], *args: Set) -> Set:
        met, dtype = self._met(args)
        operands: list[Enclosed] = met
        found = operands[0].each(np.copy)
        with np.errstate(all="ignore"):
            for index in lines(operands[0].low.shape, axes):
                part = REDUCTIONS[op](self, *[_at(x, index) for x in operands])
                found.low[index], found.high[index] = part.low, part.high
                found.nan[index] = part.nan
        return replace(found, dtype=dtype)

    def total(self, parts: Sequence[Set]) -> Set:
        held = [x for x in parts if isinstance(x, Enclosed)]
        low, high, nan = (np.array([getattr(x, e) for x in held]) for e in ("low", "high", "nan"))
        with np.errstate(all="ignore"):
            return self._sum(Enclosed(low, high, nan))

    def whole(self, x: Set) -> int:
        assert isinstance(x, Enclosed) and np.all(x.low == x.high)
        return int(x.low)

    def truth(self, condition: Set) -> bool | None:
        assert isinstance(condition, Truth)
        return condition.settled

    def either(self, condition: Set, then: Set, orelse: Set) -> Set:
        if then is orelse or isinstance(then, Enclosed):
            return then if then is orelse else self.apply("where", condition, then, orelse)
        first = LOGIC["and"](condition, then)
        return LOGIC["or"](first, LOGIC["and"](LOGIC["not"](condition), orelse))

    def assigned(self, x: Set, old: Set) -> Set:
        assert isinstance(x, Enclosed) and isinstance(old, Enclosed)
        wide = x
        if x.low.shape != old.low.shape:
            wide = x.each(lambda end: np.broadcast_to(end, old.low.shape))
        return wide if old.dtype is None else self._cast(wide, computation_dtype(old.dtype))

    def stored(self, x: Set, old: Set) -> Set:
        assert isinstance(x, Enclosed) and isinstance(old, Enclosed)
        return x if old.dtype is None else self._cast(x, old.dtype)

    def shape(self, x: Set) -> tuple[int, ...]:
        return x.low.shape if isinstance(x, Enclosed) else x.true.shape

    def sum_rows(self, x: Set, row: Array, rows: int) -> Set:
        assert isinstance(x, Enclosed) and x.dtype is not None
        x = self._cast(x, computation_dtype(x.dtype))

        def total(values: Array) -> Array:
            into = np.zeros((rows, *values.shape[1:]))
            np.add.at(into, row, values)
            return into

        found = Enclosed(total(x.low), total(x.high), total(x.nan) > 0, x.dtype)
        additions = int(max(np.bincount(row), default=0)) - 1
        return self._summed(found, total(x.size), additions) if additions > 0 else found

    def subtract_rows(self, x: Set, parts: Set, row: Array) -> Set:
        """Rows of a state from which parts are subtracted, each rounded, in any order."""
        assert isinstance(x, Enclosed) and isinstance(parts, Enclosed) and x.dtype is not None
        low, high, size = x.low.copy(), x.high.copy(), x.size.copy()
        nan, count = x.nan.astype(int), np.zeros(x.low.shape)
        for into, values in ((low, -parts.high), (high, -parts.low), (size, parts.size)):
            np.add.at(into, row, values)
        np.add.at(nan, row, parts.nan)
        np.add.at(count, row, 1.0)
        return self._summed(Enclosed(low, high, nan > 0, x.dtype), size, count)

    def take(self, x: Set, rows: Array) -> Set:
        assert isinstance(x, Enclosed)
        return x.each(lambda end: end[rows])

    def put(self, x: Set, rows: Array, values: Set) -> Set:
        assert isinstance(x, Enclosed) and isinstance(values, Enclosed)
        new = x.each(np.copy)
        new.low[rows], new.high[rows], new.nan[rows] = values.low, values.high, values.nan
        return new

    # ------------------------------------------------------------------------------- rounding

    def _met(self, args: tuple[Any, ...]) -> tuple[list[Any], np.dtype[Any] | None]:
        """The operands in the dtype in which they are computed with each other."""
        held = [a.dtype for a in args if a.dtype is not None]
        dtype = computation_dtype(held[0]) if held else None
        if dtype is None:
            return list(args), None
        return [self._cast(a, dtype) if isinstance(a, Enclosed) else a for a in args], dtype

    def _cast(self, x: Enclosed, dtype: np.dtype[Any]) -> Enclosed:
        """Rounding keeps the order, so the ends of what is rounded are the rounded ends."""
        if x.dtype is not None and x.dtype == dtype:  # NumPy takes None for float64
            return x
        with np.errstate(all="ignore"):
            low = high = x.low.astype(dtype).astype(np.float64)
            if x.high is not x.low:
                high = x.high.astype(dtype).astype(np.float64)
        return self._flushed(Enclosed(low, high, x.nan, dtype))

    def _evaluated(self, op: str, x: Enclosed, operands: list[Enclosed]) -> Enclosed:
        """The image of an operator with the error of the framework's own."""
        key = op, (x.dtype or STEP).itemsize
        units: Any = self._accuracy.units.get(key, 1.0)
        if op == "pow" and np.all(operands[1].size == 0.5):
            key = "sqrt", key[1]  # it may be the function of the root, or of its reciprocal
        if op == "pow":  # it may be a chain of products, too
            units = np.fmax(units, np.fmin(operands[1].size, LONGEST_CHAIN))
        if key in self._accuracy.undefined:
            end = (operands[0].high > 2.0**125) | (operands[0].low < 2.0**-124)
            x = replace(x, nan=x.nan | operands[0].infinite, high=np.where(end, 1.6, 1) * x.high)
        fixed = self._accuracy.absolute.get(key, 0.0)
        return self._widened(x, units * np.abs(x.low) + fixed, units * np.abs(x.high) + fixed, 1)

    def _in_any_order(self, op: str, x: Enclosed, left: Enclosed, right: Enclosed) -> Enclosed:
        """A sum or difference, which a framework may make one with those that it is made of."""
        second = right.terms or (right,)
        if op == "sub":
            second = tuple(IMAGES["neg"](term).held(x.dtype) for term in second)
        terms = (left.terms or (left,)) + second
        if len(terms) == 2:
            return replace(self._evaluated(op, x, [left, right]), terms=terms)
        exact = terms[0]
        for term in terms[1:]:
            exact = IMAGES["add"](exact, term).held(x.dtype)
        size = np.sum(np.broadcast_arrays(*(term.size for term in terms)), axis=0)
        return replace(self._summed(exact, size, len(terms) - 1), terms=terms)

    def _rounded(self, x: Enclosed, units: Any) -> Enclosed:
        """Widened by so many unit roundoffs."""
        return self._widened(x, units * np.abs(x.low), units * np.abs(x.high), 1)

    def _summed(self, x: Enclosed, size: Array, additions: Any) -> Enclosed:
        """A sum, in any order, of numbers whose absolute values add up to `size`."""
        error = additions * size
        wide = self._widened(x, error, error, additions)
        overflows = (size > np.finfo(x.dtype or STEP).max) & (x.low < 0) & (x.high > 0)
        low, high = np.where(overflows, -np.inf, wide.low), np.where(overflows, np.inf, wide.high)
        return Enclosed(low, high, wide.nan | overflows, x.dtype)

    def _widened(self, x: Enclosed, by_low: Array, by_high: Array, operations: Any) -> Enclosed:
        """`by` in unit roundoffs, absolute; every operation may underflow, too."""
        range_ = _range(x.dtype or STEP)
        least = operations * (range_.tiny if self._accuracy.flush else range_.subnormal)
        u = range_.unit + OWN
        low = np.where(np.isfinite(x.low), x.low - (u * by_low + least), x.low)
        high = np.where(np.isfinite(x.high), x.high + (u * by_high + least), x.high)
        low = np.where((x.low >= 0) & (low < 0), 0.0, low)  # rounding does not change the sign
        high = np.where((x.high <= 0) & (high > 0), 0.0, high)
        if x.dtype is not None and x.dtype != STEP:  # the ends overflow with what they enclose
            most = range_.max
            low = np.where(np.abs(low) > most, np.copysign(np.inf, low), low)
            high = np.where(np.abs(high) > most, np.copysign(np.inf, high), high)
        return self._flushed(Enclosed(low, high, x.nan, x.dtype))

    def _flushed(self, x: Enclosed) -> Enclosed:
        """Below the smallest normal number it may be 0."""
        if not self._accuracy.flush:
            return x
        tiny = _range(x.dtype or STEP).tiny
        low = np.where((x.low > 0) & (x.low < tiny), 0.0, x.low)
        high = np.where((x.high < 0) & (x.high > -tiny), 0.0, x.high)
        return Enclosed(low, high, x.nan, x.dtype)

    # ----------------------------------------------------------------------------- reductions

    def _image(self, op: str, *xs: Enclosed, units: float = 1.0) -> Enclosed:
        return self._rounded(IMAGES[op](*xs).held(xs[0].dtype), units)

    def _sum(self, x: Enclosed) -> Enclosed:
        low, high, opposite = np.sum(x.low), np.sum(x.high), np.any(np.isneginf(x.low))
        nan = np.any(x.nan) | (opposite & np.any(np.isposinf(x.high)))
        if np.isnan(low) != np.isnan(high):  # one of infinities that may cancel
            low, high = np.asarray(-np.inf), np.asarray(np.inf)
        found = Enclosed(low, high, np.asarray(nan), x.dtype)
        return self._summed(found, np.sum(x.size), max(np.size(x.low) - 1, 1))

    def _squares(self, x: Enclosed) -> Enclosed:
        return self._image("pow", x, _number(2))

    def _root(self, x: Enclosed) -> Enclosed:
        return self._evaluated("sqrt", IMAGES["sqrt"](x).held(x.dtype), [x])

    def _mean(self, x: Enclosed) -> Enclosed:
        return self._image("div", self._sum(x), _number(max(np.size(x.low), 1)), units=2)

    def _dot(self, x: Enclosed, y: Enclosed) -> Enclosed:
        return self._sum(self._image("mul", x, y))

    def _over(self, function: Callable[[Array], Any], x: Enclosed) -> Enclosed:
        if not np.size(x.low):
            return _number(0)
        nan = np.asarray(np.any(x.nan))  # next to NaN frameworks differ
        low = np.min(x.low) if nan else function(x.low)
        return Enclosed(low, np.max(x.high) if nan else function(x.high), nan)


@dataclass(frozen=True)
class _Range:
    """The unit roundoff of a dtype, its least numbers and its greatest."""

    unit: float
    tiny: float
    subnormal: float
    max: float


@cache
def _range(dtype: np.dtype[Any]) -> _Range:
    info = np.finfo(dtype)
    return _Range(
        float(info.eps) / 2, float(info.tiny), float(info.smallest_subnormal), float(info.max)
    )


def _at(x: Enclosed, index: tuple[Any, ...]) -> Enclosed:
    return x.each(lambda end: end[index])


def _counts(numbers: Sequence[Enclosed]) -> bool:
    """Whether these are integers of the level step that float64 holds: no rounding occurs."""
    return all(
        x.dtype is None and np.all((x.low == x.high) & (x.low % 1 == 0) & (x.size < 2**53))
        for x in numbers
    )


def _number(x: float) -> Enclosed:
    return point(np.asarray(x), None)


REDUCTIONS: dict[str, Callable[..., Enclosed]] = {
    "sum": Enclosure._sum,
    "mean": Enclosure._mean,
    "norm": lambda a, x: a._root(a._sum(a._squares(x))),
    "rms": lambda a, x: a._root(a._mean(a._squares(x))),
    "amax": lambda a, x: a._over(np.max, x),
    "amin": lambda a, x: a._over(np.min, x),
    "dot": Enclosure._dot,
    "size": lambda a, x: _number(np.size(x.low)),
    "rank": lambda a, x: _number(np.ndim(x.low)),
}
