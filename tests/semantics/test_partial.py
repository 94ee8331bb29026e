"""One run shows the errors of the text and those of meaning, and no follow-ups."""

from __future__ import annotations

import pytest

import optdsl

SPEC = """optimizer Some {
  hyper lr = 0.1 in [0, inf)
  slot m, v
%s
  update {
    m = b1*m + g
    v = g > 0
    w -= lr*m
  }
}
"""


def codes(text: str) -> list[tuple[str, str]]:
    return [(d.code, d.span.text) for d in optdsl.check(text)]


def test_a_line_that_does_not_read_hides_nothing_else() -> None:
    assert codes(SPEC % "  slot x y") == [("O102", "y"), ("O201", "b1"), ("O302", "g > 0")]


def test_what_it_may_have_declared_is_not_missed() -> None:
    assert codes(SPEC % "  hyper b1 == 0.9") == [("O102", "=="), ("O302", "g > 0")]


@pytest.mark.parametrize("line", ['  hyper b1 = 1 "open', "  hyper b1 = (1"])
def test_after_something_unclosed_nothing_is_sure(line: str) -> None:
    assert {code for code, _ in codes(SPEC % line)} <= {"O102", "O103", "O104"}
