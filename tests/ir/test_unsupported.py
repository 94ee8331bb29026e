"""What cannot be generated rightly is refused."""

from __future__ import annotations

import pytest

import optdsl

SPEC = """optimizer Some {
  hyper lr = 0.1 in [0, inf)
  slot m
  slot slow = w
  sparse %s
  update {
%s
  }
}
"""
MOVED = "m = 0.9*m + g\nw -= lr*m/(1 + norm(m))\nslow += 0.5*(w - slow)"
KEPT = "m = 0.9*m + g\nslow += 0.5*(w - slow)\nw -= lr*m/(1 + norm(m))"
UNCOUPLED = "m = 0.9*m + g\nw -= lr*m\nslow += 0.5*(w - slow)"
REDUCED = "m = 0.9*m + g\nw -= lr*m\nw -= norm(w)*g\nslow = slow"


@pytest.mark.parametrize(
    ("policy", "update", "codes"),
    [
        ("hybrid", MOVED, {"O901"}),
        ("hybrid", REDUCED, {"O901"}),
        ("hybrid", KEPT, set()),
        ("hybrid", UNCOUPLED, set()),
        ("exact", MOVED, set()),
        ("lazy", MOVED, set()),
    ],
)
def test_hybrid_with_reductions_of_a_moved_variable(
    policy: str, update: str, codes: set[str]
) -> None:
    found = optdsl.check(SPEC % (policy, update))
    assert {d.code for d in found if d.is_error} == codes
