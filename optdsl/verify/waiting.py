"""Slots whose rows wait: what is read of them is not what the next step goes on from.

A row that has missed n steps holds x, and is read as x times the n-th power of a factor. With the
power in two factors of the slot's dtype that takes two roundings of powers and two of products: the
number that was seen is up to 4 unit roundoffs away from the one that was left as it was. When it is
read again a step later, that takes as many. So where a step is judged from what was seen before it,
such a slot may have been anything within `ROUNDINGS` unit roundoffs of it.
"""

from __future__ import annotations

from optdsl.ir.lower import lower
from optdsl.ir.sparse import sparse
from optdsl.semantics import model

ROUNDINGS = 8


def waiting_slots(optimizer: model.Optimizer, target: str) -> frozenset[str]:
    """The slots of which a target lets rows wait after a sparse gradient, by the spec's names."""
    program = lower(optimizer)
    found = sparse(program)
    if not (found.rows_wait or (found.slots_wait and target == "keras_v2")):
        return frozenset()
    (untouched,) = (u for u in program.untouched if u.policy == found.decaying)
    return frozenset(result.state for result in untouched.decays.results)
