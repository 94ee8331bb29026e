"""Rows that may wait: what steps without a gradient do to them can be done when they are next used.

Where a row without a gradient does nothing but multiply its slots by numbers that are the same for
all elements, n such steps in a row multiply them by the n-th powers. So a row needs no work until
it is touched or read, and a step costs what the rows of its gradient cost.

Where other states move as well, the slots that only decay can wait all the same: they are read
with what they have left to do, and need not be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optdsl.ir.fixed import Case, atoms, holds
from optdsl.ir.nodes import Expr, Literal_, Movement, Ref, Result, Rule, Slot
from optdsl.semantics.level import Level

#: What a state does on a row without a gradient, case by case.
Found = Sequence[tuple[Case, tuple[Movement, Expr | None]]]


def waiting(
    movements: Mapping[str, Found], slots: Sequence[Slot]
) -> tuple[Rule, list[Case], list[Case]]:
    """By what a step multiplies each slot, the cases in which rows can wait, and those in which
    their decaying slots can, though other states move.

    The results of the rule are factors instead of states. A slot has the same factor in all these
    cases; where it does not exist, it has none. The second kind is looked for where there is none
    of the first, and where the factors are numbers that the step has anyway.
    """
    conditions = {s.name: s.condition for s in slots}
    factors = {s: _factor(found) for s, found in movements.items() if s in conditions}
    decays = {slot: factor for slot, factor in factors.items() if factor is not None}

    def kinds(case: Case) -> tuple[list[Movement], list[Movement]]:
        """What the slots do that decay somewhere, and what all else does."""
        found = {s: next(m for c, (m, _) in cases if c == case) for s, cases in movements.items()}
        slots = [s for s in found if s in decays and _exists(conditions[s], case)]
        return [found[s] for s in slots], [found[s] for s in found if s not in slots]

    waits: list[Case] = []
    sweeps: list[Case] = []
    for case, _ in next(iter(movements.values()), ()):
        own, others = kinds(case)
        if own and set(own) == {"decay"}:
            (waits if set(others) <= {"fixed"} else sweeps).append(case)
    if waits or not all(isinstance(factor, Ref | Literal_) for factor in decays.values()):
        sweeps = []
    found = waits or sweeps
    moving = {
        s for s, cases in movements.items() for c, (k, _) in cases if k == "decay" and c in found
    }
    results = tuple(Result(s, factor) for s, factor in decays.items() if s in moving)
    return Rule((), results, ()), waits, sweeps


def _factor(found: Found) -> Expr | None:
    """The one factor by which a state is ever multiplied; None without one, or with several."""
    factors = {factor for _, (kind, factor) in found if kind == "decay"}
    factor = factors.pop() if len(factors) == 1 else None
    return factor if factor is not None and factor.level <= Level.STEP else None


def _exists(condition: Expr | None, case: Case) -> bool:
    """Whether a slot exists in a case, or may do so."""
    if condition is None or not case.keys() >= set(atoms(condition)):
        return True
    return holds(condition, case)
