"""Ranges of real numbers with open and closed ends, and what the operators make of them.

These are real numbers: nothing overflows, and a product of two positive numbers is positive. An
infinite end is closed only where `inf` itself was written. `verify/sets.py` is another thing: sets
of floating-point numbers with closed ends and NaN, for arrays.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import TypeAlias

from optdsl.semantics import model

#: An end of a range: a number, and whether it belongs to the range.
End: TypeAlias = tuple[float, bool]

INF = math.inf
LARGEST = sys.float_info.max


@dataclass(frozen=True)
class Range:
    """The numbers between two ends; `nonzero`: all but 0, `whole`: only the integers."""

    low: End = (-INF, False)
    high: End = (INF, False)
    nonzero: bool = False
    whole: bool = False

    def __contains__(self, x: float) -> bool:
        if (x == 0 and self.nonzero) or (self.whole and not float(x).is_integer()):
            return False
        return starts(self.low, (x, True)) and ends_after(self.high, (x, True))

    def __str__(self) -> str:
        ends = model.Interval(self.low[0], self.high[0], self.low[1], self.high[1])
        return f"{ends} without 0" if self.nonzero else str(ends)

    @property
    def ends(self) -> tuple[End, End]:
        return self.low, self.high

    @property
    def point(self) -> float | None:
        """The only number of the range, if there is only one."""
        return self.low[0] if self.low[0] == self.high[0] else None


def starts(low: End, end: End) -> bool:
    """Whether a range from `low` on reaches down to `end`."""
    return low[0] < end[0] or (low[0] == end[0] and (low[1] or not end[1]))


def ends_after(high: End, end: End) -> bool:
    """Whether a range up to `high` reaches up to `end`."""
    return high[0] > end[0] or (high[0] == end[0] and (high[1] or not end[1]))


def between(low: End, high: End, nonzero: bool = False, whole: bool = False) -> Range | None:
    """The range, in its one normal form; None where it is empty."""
    if math.isnan(low[0]) or math.isnan(high[0]):
        return EVERYTHING
    if low == (INF, False):  # beyond the largest float, but finite
        low = (LARGEST, False)
    if high == (-INF, False):
        high = (-LARGEST, False)
    if whole:
        low, high = _whole_low(low), _whole_high(high)
    low, high = (low[0] + 0.0, low[1]), (high[0] + 0.0, high[1])  # no -0.0
    if nonzero and low[0] == 0:
        low = (1.0, True) if whole else (0.0, False)
    if nonzero and high[0] == 0:
        high = (-1.0, True) if whole else (0.0, False)
    if low[0] > high[0] or (low[0] == high[0] and not (low[1] and high[1])):
        return None
    whole = whole or (low[0] == high[0] and low[0].is_integer())
    return Range(low, high, nonzero and low[0] < 0 < high[0], whole)


def _whole_low(end: End) -> End:
    if math.isinf(end[0]):
        return end
    up = math.ceil(end[0])
    return (float(up if up > end[0] or end[1] else up + 1), True)


def _whole_high(end: End) -> End:
    low = _whole_low((-end[0], end[1]))
    return (-low[0], low[1])


def _range(low: End, high: End, nonzero: bool = False, whole: bool = False) -> Range:
    """A range known not to be empty."""
    return between(low, high, nonzero, whole) or EVERYTHING


def _spanned(corners: list[End], nonzero: bool = False, whole: bool = False) -> Range:
    """From the least of these ends to the greatest."""
    if any(math.isnan(value) for value, _ in corners):
        return EVERYTHING
    low = min(corners, key=lambda end: (end[0], not end[1]))
    return _range(low, max(corners), nonzero, whole)


def only(x: float) -> Range:
    """Just this number."""
    return Range((x, True), (x, True), whole=x.is_integer())


#: Every finite number; every number and the infinities; and parts of them.
REALS = Range()
EVERYTHING = Range((-INF, True), (INF, True))
POSITIVE = Range((0.0, False), (INF, True))
NEGATIVE = Range((-INF, True), (0.0, False))
NONNEGATIVE = Range((0.0, True), (INF, True))
NONZERO = Range((-INF, True), (INF, True), nonzero=True)
ZERO = only(0.0)
ONE = only(1.0)
UNIT = Range((0.0, True), (1.0, True))


def of_domain(domain: model.Interval, whole: bool = False) -> Range:
    """The finite numbers of a domain."""
    low = (domain.low, domain.low_closed and math.isfinite(domain.low))
    high = (domain.high, domain.high_closed and math.isfinite(domain.high))
    return _range(low, high, whole=whole)


# ------------------------------------------------------------------------------ sets of numbers


def hull(x: Range, y: Range) -> Range:
    """The least range that holds both."""
    nonzero = 0 not in x and 0 not in y
    return _spanned([*x.ends, *y.ends], nonzero, x.whole and y.whole)


def intersection(x: Range, y: Range) -> Range | None:
    """What is in both; None where that is nothing."""
    low = y.low if starts(x.low, y.low) else x.low
    high = y.high if ends_after(x.high, y.high) else x.high
    return between(low, high, 0 not in x or 0 not in y, x.whole or y.whole)


def both(x: Range, y: Range) -> Range:
    """What is in both, of two ranges that hold the same numbers."""
    return intersection(x, y) or x


def within(x: Range, y: Range) -> bool:
    """Whether all of x is in y."""
    return intersection(x, y) == x


def unlike(x: Range, y: Range) -> Range | None:
    """What of x can differ from a number of y, as far as a range can say it."""
    if y.point is None:
        return x
    low = (x.low[0], x.low[1] and x.low[0] != y.point)
    high = (x.high[0], x.high[1] and x.high[0] != y.point)
    return between(low, high, x.nonzero or y.point == 0, x.whole)


def up_to(x: Range, strict: bool) -> Range:
    """What can be below (or at, if not `strict`) a number of the range."""
    return Range((-INF, True), (x.high[0], x.high[1] and not strict))


def from_on(x: Range, strict: bool) -> Range:
    """What can be above (or at, if not `strict`) a number of the range."""
    return Range((x.low[0], x.low[1] and not strict), (INF, True))


# ----------------------------------------------------------------------------------- arithmetic


def _sum(x: End, y: End) -> End:
    total = x[0] + y[0]
    if abs(total) < 1e-15 * abs(x[0]):  # 0.4 - (1 - 0.6): the ends were written as decimals
        total = 0.0
    return total, x[1] and y[1]


def add(x: Range, y: Range) -> Range:
    """The sums."""
    return _range(_sum(x.low, y.low), _sum(x.high, y.high), whole=x.whole and y.whole)


def neg(x: Range) -> Range:
    """The numbers with the other sign."""
    return _range((-x.high[0], x.high[1]), (-x.low[0], x.low[1]), x.nonzero, x.whole)


def sub(x: Range, y: Range) -> Range:
    """The differences."""
    return add(x, neg(y))


def _made(value: float, x: End, y: End) -> End:
    """An end made of two that are not 0; where finite ones overflow it is not reached."""
    if math.isinf(value):
        return value, (x[1] and math.isinf(x[0])) or (y[1] and math.isinf(y[0]))
    return value, x[1] and y[1]


def _product(x: End, y: End) -> End:
    if x[0] == 0 or y[0] == 0:  # 0 times whatever the other is
        return 0.0, (x[0] == 0 and x[1]) or (y[0] == 0 and y[1])
    return _made(x[0] * y[0], x, y)


def mul(x: Range, y: Range) -> Range:
    """The products."""
    corners = [_product(a, b) for a, b in product(x.ends, y.ends)]
    return _spanned(corners, 0 not in x and 0 not in y, x.whole and y.whole)


def _quotient(x: End, y: End, sign: float) -> End:
    """`sign` is that of the whole divisor; it says from which side an end 0 is approached."""
    if x[0] == 0:
        return x
    if y[0] == 0:
        return math.copysign(INF, x[0]) * sign, False
    if math.isinf(x[0]) and math.isinf(y[0]):
        return 0.0, False
    return _made(x[0] / y[0], x, y)


def div(x: Range, y: Range) -> Range:
    """The quotients; any finite number where the divisor may be 0."""
    if 0 in y:
        return REALS
    if y.low[0] < 0 < y.high[0]:
        return _range(REALS.low, REALS.high, 0 not in x)
    sign = 1.0 if y.high[0] > 0 else -1.0
    return _spanned([_quotient(a, b, sign) for a, b in product(x.ends, y.ends)], 0 not in x)


def mod(x: Range, y: Range) -> Range:
    """The remainders, which have the sign of the divisor."""
    if 0 in y:
        return REALS
    low = (0.0, True) if y.low[0] >= 0 else (y.low[0], False)
    high = (0.0, True) if y.high[0] <= 0 else (y.high[0], False)
    return _range(low, high, whole=x.whole and y.whole)


# --------------------------------------------------------------------------------------- powers


def _exponential(x: float, y: float) -> float:
    try:
        return float(x**y)
    except OverflowError:
        return INF


def _power(x: End, y: End) -> End:
    """An end of x^y for x >= 0."""
    if y[0] == 0:
        return 1.0, y[1]
    if x[0] == 0:
        return (0.0, x[1]) if y[0] > 0 else (INF, False)
    if x[0] == 1:
        return x
    return _made(_exponential(x[0], y[0]), x, y)


def _real_power(x: Range, y: Range) -> Range:
    """x^y for x >= 0; the logarithm of it is bilinear, so its ends are at corners."""
    return _spanned([_power(a, b) for a, b in product(x.ends, y.ends)], 0 not in x)


def _integer_power(x: Range, n: int) -> Range:
    if n < 0:
        return div(ONE, _integer_power(x, -n))
    if n == 0:
        return ONE
    if n % 2 == 0:
        found = _real_power(absolute(x), only(float(n)))
    else:
        ends = [(math.copysign(_exponential(abs(v), n), v), closed) for v, closed in x.ends]
        found = _spanned(ends, 0 not in x)
    return _range(found.low, found.high, found.nonzero, x.whole)


def power(x: Range, y: Range) -> Range:
    """The powers; of negative numbers only those to a power that is an integer for sure."""
    if y.point is not None and y.whole and math.isfinite(y.point):
        return _integer_power(x, int(y.point))
    if x.low[0] >= 0:
        return _real_power(x, y)
    if y.whole:
        size = _real_power(absolute(x), y)
        return hull(size, neg(size))
    base = intersection(x, NONNEGATIVE)
    return _real_power(base, y) if base else REALS


# ------------------------------------------------------------------------------------ functions


def absolute(x: Range) -> Range:
    """The absolute values."""
    if x.low[0] >= 0:
        return x
    if x.high[0] <= 0:
        return neg(x)
    corners = [x.high, (-x.low[0], x.low[1]), (0.0, 0 in x)]
    return _spanned(corners, x.nonzero, x.whole)


def sign(x: Range) -> Range:
    """Some of -1, 0 and 1."""
    low = -1.0 if x.low[0] < 0 else (0.0 if 0 in x else 1.0)
    high = 1.0 if x.high[0] > 0 else (0.0 if 0 in x else -1.0)
    return _range((low, True), (high, True), 0 not in x, True)


def _growing(
    function: Callable[[float], float], image: Range = EVERYTHING, argument: Range = EVERYTHING
) -> Callable[[Range], Range]:
    """What a growing function makes of the part of a range where it is defined."""

    def value(end: End) -> End:
        try:
            found = function(end[0])
        except OverflowError:
            found = INF
        except ValueError:  # at a pole
            found = -INF
        return found, end[1] and (math.isfinite(found) or math.isinf(end[0]))

    def of(x: Range) -> Range:
        defined = intersection(x, argument)
        if defined is None:
            return image
        found = _range(value(defined.low), value(defined.high))
        return intersection(found, image) or image

    return of


def _rounding(function: Callable[[float], float]) -> Callable[[Range], Range]:
    def value(end: End) -> End:
        return (end[0], end[1]) if math.isinf(end[0]) else (float(function(end[0])), True)

    return lambda x: _range(value(x.low), value(x.high), whole=True)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def least(x: Range, y: Range) -> Range:
    """The smaller ones of two."""
    low = min(x.low, y.low, key=lambda end: (end[0], not end[1]))
    high = min(x.high, y.high)
    return _range(low, high, 0 not in x and 0 not in y, x.whole and y.whole)


def greatest(x: Range, y: Range) -> Range:
    """The larger ones of two."""
    return neg(least(neg(x), neg(y)))


def clip(x: Range, low: Range, high: Range) -> Range:
    """The smaller ones of `high` and the larger ones of `x` and `low`."""
    return least(greatest(x, low), high)


# ----------------------------------------------------------------- reductions, of some elements


def total(x: Range) -> Range:
    """The sum of one element or more."""
    low = x.low if x.low[0] >= 0 else (-INF, False)
    high = x.high if x.high[0] <= 0 else (INF, False)
    return _range(low, high, whole=x.whole)


def norm(x: Range) -> Range:
    """The norms of one element or more."""
    return total(absolute(x))


def _mean(x: Range) -> Range:
    return _range(x.low, x.high)


def _any_number(*_: Range) -> Range:
    return REALS


_GROWING: dict[str, Callable[[Range], Range]] = {
    "sqrt": _growing(math.sqrt, argument=NONNEGATIVE),
    "cbrt": _growing(math.cbrt),
    "exp": _growing(math.exp, Range((0.0, False), (INF, True))),
    "expm1": _growing(math.expm1, Range((-1.0, False), (INF, True))),
    "log": _growing(math.log, argument=POSITIVE),
    "log1p": _growing(math.log1p, argument=Range((-1.0, False), (INF, True))),
    "tanh": _growing(math.tanh, Range((-1.0, False), (1.0, False))),
    "sigmoid": _growing(_sigmoid, Range((0.0, False), (1.0, False))),
}

#: What each operator from numbers to a number makes of ranges, by its name in the IR.
IMAGES: dict[str, Callable[..., Range]] = {
    "add": add,
    "sub": sub,
    "mul": mul,
    "div": div,
    "mod": mod,
    "pow": power,
    "neg": neg,
    "abs": absolute,
    "sign": sign,
    "floor": _rounding(math.floor),
    "ceil": _rounding(math.ceil),
    "round": _rounding(round),
    **_GROWING,
    "min": lambda *xs: reduce(least, xs),
    "max": lambda *xs: reduce(greatest, xs),
    "clip": clip,
    "where": lambda _, x, y: hull(x, y),
    "atan2": lambda y, x: Range((-math.pi, True), (math.pi, True)),
    "sum": total,
    "mean": _mean,
    "norm": norm,
    "rms": lambda x: _mean(absolute(x)),
    "amax": lambda x: x,
    "amin": lambda x: x,
    "dot": lambda x, y: total(mul(x, y)),
    "size": lambda _: Range((1.0, True), (INF, False), whole=True),
    "rank": lambda _: Range((0.0, True), (INF, False), whole=True),
}
