"""Which slots can be written before the rest of a rule is computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optdsl.ir.early import early
from optdsl.ir.nodes import Program

Lower = Callable[..., Program]
BELIEF = "m = b*m + (1-b)*g\nv = b*v + (g-m)^2\n"


def test_slots_of_which_one_feeds_another(lowered: Lower) -> None:
    assert early(lowered(BELIEF + "w -= lr*m/sqrt(v)", "slot v")) == (("m", "v"), ("v",))


def test_none_where_new_slots_feed_w_alone(lowered: Lower) -> None:
    adam = "m = b*m + (1-b)*g\nv = b*v + g^2\nw -= lr*m/sqrt(v)"
    assert early(lowered(adam, "slot v")) == ((), ())


LION = "w -= lr*sign(b*m + (1-b)*g)\n"


def test_a_slot_that_w_reads_as_it_was_is_written_last(lowered: Lower) -> None:
    assert early(lowered(LION + "m = m + g", "slot v")) == (("w",), ("m",))
    assert early(lowered(LION + "m = m + g\nv = v + g", "slot v")) == (("w", "v"), ("m",))


@pytest.mark.parametrize("last", ["m = m + norm(w)", "m = w - m", "m = g"])
def test_unless_it_is_made_of_w_or_is_the_gradient(lowered: Lower, last: str) -> None:
    assert early(lowered("let old = w\n" + LION + last.replace("w", "old"), "slot v")) == ((), ())


@pytest.mark.parametrize(
    ("late", "rest", "found"),
    [
        ("w -= lr*m/sqrt(v)", "let old = m\n", ("m", "v")),
        ("w -= lr*m/sqrt(v) + old", "let old = m\n", ("v",)),
        ("w -= lr*m/sqrt(v) + old", "let old = v\n", ("m",)),
        ("w -= lr*m/sqrt(v) + norm(old)", "let old = m + v\n", ("w",)),
    ],
)
def test_not_those_whose_old_value_is_needed_later(
    lowered: Lower, late: str, rest: str, found: tuple[str, ...]
) -> None:
    assert early(lowered(rest + BELIEF + late, "slot v")).slots == found


def test_nor_those_that_the_old_value_of_one_that_waits_is_made_of(lowered: Lower) -> None:
    update = "let old = v\np = p + m\n" + BELIEF + "w -= lr*old + p"
    assert early(lowered(update, "slot v\nslot p")).slots == ("m", "p")
    update = "let old = v\nlet first = m\n" + BELIEF.replace("g-m", "g-first") + "p = m\nw -= old"
    assert early(lowered(update, "slot v\nslot p")).slots == ("p",)


def test_what_decides_is_needed_too(lowered: Lower) -> None:
    decided = "let old = sum(m)\n" + BELIEF + "if old > 0 {\nw -= m\n} else {\nw -= v\n}"
    assert early(lowered(decided, "slot v")).slots == ("v",)


def test_a_slot_that_only_some_settings_change(lowered: Lower) -> None:
    update = "m = b*m + g\nif f {\nv = max(v, m)\n}\nw -= lr*m + v"
    assert early(lowered(update, "slot v")) == (("m", "v"), ("v",))
