"""Ranges of numbers: where the ends lie, and which of them belong to it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optdsl.semantics import intervals as iv
from optdsl.semantics import model
from optdsl.semantics.constants import EVALUATE
from optdsl.semantics.intervals import Range
from optdsl.semantics.operators import ALONG, OPERATORS


def r(text: str) -> Range:
    """A range as it is written: `[0, inf)`, `z[1, inf)` of integers."""
    low, high = text.lstrip("z")[1:-1].split(",")
    low_closed, high_closed = "[" in text, "]" in text
    found = iv.between(
        (float(low), low_closed), (float(high), high_closed), whole=text.startswith("z")
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("op", "args", "result"),
    [
        ("add", ["[0, inf)", "(0, 1]"], "(0, inf)"),
        ("add", ["(-inf, inf)", "[1, 1]"], "(-inf, inf)"),
        ("sub", ["[1, 1]", "[0, 1)"], "(0, 1]"),
        ("sub", ["z[1, 1]", "z[1, inf)"], "(-inf, 0]"),
        ("mul", ["[0, 1)", "[0, inf)"], "[0, inf)"),
        ("mul", ["(0, 1)", "(0, inf)"], "(0, inf)"),
        ("mul", ["[-2, 3)", "(1, 4]"], "[-8, 12)"),
        ("mul", ["[0, 0]", "(-inf, inf)"], "[0, 0]"),
        ("mul", ["(0, 1e-200]", "[1e-200, 1]"], "(0, 1e-200]"),
        ("mul", ["[1e-200, 1]", "[1e-200, 1]"], "(0, 1]"),
        ("div", ["[2, 2]", "(0, 0.4)"], "(5, inf)"),
        ("div", ["[1, 2]", "(-4, 0)"], "(-inf, -0.25)"),
        ("div", ["[0, 1)", "(0, inf)"], "[0, inf)"),
        ("div", ["(1, inf)", "(1, inf)"], "(0, inf)"),
        ("div", ["[1, 1]", "[0, inf)"], "(-inf, inf)"),
        ("mod", ["z[1, inf)", "z[2, 5]"], "[0, 4]"),
        ("mod", ["(-inf, inf)", "(-3, -1]"], "(-3, 0]"),
        ("pow", ["(-inf, inf)", "z[2, 2]"], "[0, inf)"),
        ("pow", ["(-2, 3]", "z[3, 3]"], "(-8, 27]"),
        ("pow", ["[-2, 1)", "z[2, 2]"], "[0, 4]"),
        ("pow", ["(0, 2]", "z[-2, -2]"], "[0.25, inf)"),
        ("pow", ["[0, 1)", "z[1, inf)"], "[0, 1)"),
        ("pow", ["(0, 1)", "z[1, inf)"], "(0, 1)"),
        ("pow", ["[0, 1]", "z[1, inf)"], "[0, 1]"),
        ("pow", ["(-1, 0]", "z[1, inf)"], "(-1, 1)"),
        ("pow", ["[0.96, 0.96]", "[0, inf)"], "(0, 1]"),
        ("pow", ["[0, inf)", "[0, inf)"], "[0, inf)"),
        ("pow", ["[0, 4]", "[0.5, 0.5]"], "[0, 2]"),
        ("pow", ["[1, 1]", "(0, 1)"], "[1, 1]"),
        ("pow", ["(1, 2]", "(-inf, 0)"], "(0, 1)"),
        ("abs", ["[-3, 2)"], "[0, 3]"),
        ("abs", ["(-inf, -1)"], "(1, inf)"),
        ("sign", ["[0, 5)"], "[0, 1]"),
        ("sign", ["(0, 5)"], "[1, 1]"),
        ("sqrt", ["(-1, 4)"], "[0, 2)"),
        ("exp", ["(-inf, 0]"], "(0, 1]"),
        ("exp", ["[-1000, 0]"], "(0, 1]"),
        ("exp", ["[0, 1000]"], "[1, inf)"),
        ("log", ["(0, 1]"], "(-inf, 0]"),
        ("log1p", ["[0, inf)"], "[0, inf)"),
        ("tanh", ["[0, 100]"], "[0, 1)"),
        ("sigmoid", ["[0, inf)"], "[0.5, 1)"),
        ("floor", ["(0.5, 2.5]"], "[0, 2]"),
        ("min", ["[0, 2]", "(1, 5)"], "[0, 2]"),
        ("max", ["[0, 2]", "(1, 2)"], "(1, 2]"),
        ("max", ["[0, inf)", "(0, inf)"], "(0, inf)"),
        ("clip", ["(-inf, inf)", "[-1, -1]", "[1, 1]"], "[-1, 1]"),
        ("sum", ["[0, 1]"], "[0, inf)"),
        ("sum", ["[-3, 1]"], "(-inf, inf)"),
        ("sum", ["[-3, -1)"], "(-inf, -1)"),
        ("sum", ["(2, 3]"], "(2, inf)"),
        ("norm", ["(-inf, inf)"], "[0, inf)"),
        ("rms", ["[-3, 1]"], "[0, 3]"),
        ("amax", ["(0, 1]"], "(0, 1]"),
        ("dot", ["[0, 1]", "[0, 1]"], "[0, inf)"),
        ("size", ["(-inf, inf)"], "[1, inf)"),
    ],
)
def test_images(op: str, args: list[str], result: str) -> None:
    assert str(iv.IMAGES[op](*map(r, args))) == result


def test_an_integer_range_has_integer_ends() -> None:
    assert str(r("z(1, 4.5)")) == "[2, 4]"
    assert iv.between((0.0, False), (1.0, False), whole=True) is None


def test_all_but_0() -> None:
    some = iv.unlike(iv.REALS, iv.ZERO)
    assert some is not None
    assert 0 not in some
    assert str(some) == "(-inf, inf) without 0"
    assert str(iv.absolute(some)) == str(iv.power(some, iv.only(2.0))) == "(0, inf)"
    assert 0 not in iv.div(iv.ONE, some)
    assert iv.both(some, iv.NONNEGATIVE) == r("(0, inf)")


def test_without_a_number() -> None:
    assert str(iv.unlike(r("z[1, inf)"), iv.ONE)) == "[2, inf)"
    assert iv.unlike(iv.ONE, iv.ONE) is None
    assert iv.unlike(r("[0, 2]"), iv.ONE) == r("[0, 2]")


def test_nothing_in_both() -> None:
    assert iv.intersection(r("[0, 1)"), r("[1, 2]")) is None
    assert iv.intersection(r("(-1, 1)"), r("[0, 5]")) == r("[0, 1)")


def test_ends_are_decimals() -> None:
    """0.3 - (0.1 + 0.2) is 0, not -5.6e-17."""
    assert iv.sub(iv.only(0.3), iv.add(iv.only(0.1), iv.only(0.2))) == iv.ZERO


def test_domain_is_finite() -> None:
    assert str(iv.of_domain(model.Interval(0, math.inf, True, True))) == "[0, inf)"


def test_operators_are_complete() -> None:
    numbers = {o.name for o in OPERATORS.values() if o.kind in ("real", "choice")}
    gathered = {"total", *(o.name for o in ALONG.values())}  # of which the sign alone is known
    assert set(iv.IMAGES) == numbers - gathered


# ------------------------------------------------------------------- no number escapes its range

#: Numbers with which float64 computes exactly, and all sorts of numbers.
EXACT = st.integers(-32, 32).map(lambda n: n / 4)
ANY = st.one_of(EXACT, st.sampled_from([-1e300, 1e-300, 1e300]), st.floats(-10, 10))


@st.composite
def members(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> tuple[Range, float]:
    """A range and a number in it, mostly at an end or next to it."""
    whole, x, y, z = draw(st.booleans()), *sorted(draw(numbers) for _ in range(3))
    if whole:
        x, y, z = float(math.floor(x)), float(math.floor(y)), float(math.floor(z))
    low = draw(st.sampled_from([(x, x == y), (x, True), (y, True), (-math.inf, False)]))
    high = draw(st.sampled_from([(z, y == z), (z, True), (y, True), (math.inf, False)]))
    found = iv.between(low, high, y != 0 and draw(st.booleans()), whole)
    assert found is not None and y in found
    return found, y


UNARY = sorted(
    ["neg", "abs", "sign", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "tanh", "sigmoid"]
    + ["floor", "ceil", "round"]
)
BINARY = ["add", "sub", "mul", "div", "mod", "pow", "min", "max", "atan2"]
EVALUATE_ALL = {**EVALUATE, "cbrt": math.cbrt}


def escapes(op: str, result: Range, *xs: float) -> bool:
    """Whether the operator, applied to these numbers, is defined and leaves the range."""
    try:
        value = EVALUATE_ALL[op](*xs)
    except (ArithmeticError, ValueError):
        return False
    if not math.isfinite(value):
        return False
    slack = 1e-12 * max(abs(value), *map(abs, xs)) + 1e-299
    low, high = result.low[0] - slack, result.high[0] + slack
    return not low <= value <= high or (value == 0 and result.low[0] > 1e-200)


@settings(deadline=None)
@given(st.sampled_from(UNARY), members(ANY))
def test_functions_stay_within(op: str, x: tuple[Range, float]) -> None:
    assert not escapes(op, iv.IMAGES[op](x[0]), x[1])


@settings(deadline=None)
@given(st.sampled_from(BINARY), members(ANY), members(ANY))
def test_operators_stay_within(op: str, x: tuple[Range, float], y: tuple[Range, float]) -> None:
    warned = op == "pow" and x[1] < 0 and not y[0].whole
    assert warned or not escapes(op, iv.IMAGES[op](x[0], y[0]), x[1], y[1])


@settings(deadline=None)
@given(st.sampled_from(BINARY), members(EXACT), members(EXACT))
def test_zero_is_seen(op: str, x: tuple[Range, float], y: tuple[Range, float]) -> None:
    try:
        value = EVALUATE_ALL[op](x[1], y[1])
    except (ArithmeticError, ValueError):
        return
    assert value != 0 or 0 in iv.IMAGES[op](x[0], y[0])


@settings(deadline=None)
@given(members(EXACT), members(EXACT))
def test_hull_and_intersection(x: tuple[Range, float], y: tuple[Range, float]) -> None:
    both = iv.hull(x[0], y[0])
    assert x[1] in both and y[1] in both
    common = iv.intersection(x[0], y[0])
    assert (x[1] in y[0]) == (common is not None and x[1] in common)
