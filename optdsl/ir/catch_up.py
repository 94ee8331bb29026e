"""Rows that may wait: what steps without a gradient do to them can be done when they are next used.

Where a row without a gradient does nothing but multiply its slots by numbers that are the same for
all elements, n such steps in a row multiply them by the n-th powers. So a row needs no work until
it is touched or read, and a step costs what the rows of its gradient cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optdsl.ir.fixed import Case, atoms, holds
from optdsl.ir.nodes import Expr, Literal_, Movement, Result, Rule, Slot
from optdsl.semantics.level import Level

#: What a state does on a row without a gradient, case by case.
Found = Sequence[tuple[Case, tuple[Movement, Expr | None]]]


def waiting(movements: Mapping[str, Found], slots: Sequence[Slot]) -> tuple[Rule, list[Case]]:
    """By what a step multiplies each slot, and the cases in which rows can wait.

    The results of the rule are factors instead of states. A slot has the same factor in all these
    cases; where it does not exist, it has none.
    """
    conditions = {s.name: s.condition for s in slots}
    factors = {s: _factor(found) for s, found in movements.items() if s in conditions}
    decays = {slot: factor for slot, factor in factors.items() if factor is not None}

    def can_wait(case: Case) -> bool:
        kinds = {s: next(m for c, m in found if c == case) for s, found in movements.items()}
        return any(kinds[s][0] == "decay" for s in decays) and all(
            kind == "decay" if s in decays and _exists(conditions[s], case) else kind == "fixed"
            for s, (kind, _) in kinds.items()
        )

    cases = [case for case, _ in next(iter(movements.values()), ())]
    found = [case for case in cases if can_wait(case)]
    moving = {
        s for s, cases in movements.items() for c, (k, _) in cases if k == "decay" and c in found
    }
    results = tuple(Result(s, factor) for s, factor in decays.items() if s in moving)
    return Rule((), results, ()), found


def _factor(found: Found) -> Expr | None:
    """The one factor by which a state is ever multiplied; None without one, or with several."""
    factors = {factor for _, (kind, factor) in found if kind == "decay"}
    factor = factors.pop() if len(factors) == 1 else None
    is_number = factor is not None and factor.level <= Level.STEP
    return factor if is_number and not isinstance(factor, Literal_) else None


def _exists(condition: Expr | None, case: Case) -> bool:
    """Whether a slot exists in a case, or may do so."""
    if condition is None or not case.keys() >= set(atoms(condition)):
        return True
    return holds(condition, case)
