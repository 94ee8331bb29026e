"""Which states can be written before the rest of a rule is computed.

A compiler that makes one loop of every new state computes in each of them again what the others
are made of. Where a new slot is made of another, it pays to write those first, and to read them
in the loops of the rest. Where no slot is, but others read what a slot was, it pays to write the
others first: the compiler copies a state that it has to read when its memory is written already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from optdsl.ir.build import refs
from optdsl.ir.nodes import Block, Define, Program, Ref, Value

#: What the definition of a value reads.
Sources = Mapping[Value, frozenset[Value]]


class Early(NamedTuple):
    """`slots`, in order of declaration and perhaps with `w`, can be written first: what remains can
    be computed from their new values. `fed` are the slots on whose account it pays: those that are
    made of another new one, or those that are read and remain. It does not where none is in use.
    """

    slots: tuple[str, ...]
    fed: tuple[str, ...]


def early(program: Program) -> Early:
    """What a program says of it; nothing where no slot is fed."""
    sources = dict(_sources(program.rule.body, frozenset()))
    made_of = {r.state: frozenset(refs(r.value)) for r in program.rule.results}
    new = {
        result.state: result.value.value
        for result in program.rule.results
        if isinstance(result.value, Ref) and result.value.value in sources
    }
    slots = [s.name for s in program.slots if not s.scalar and s.name in new]
    others = {s: _read(made_of[s], sources, ()) - {new[s]} for s in slots}
    fed = tuple(s for s in slots if others[s].intersection(new[other] for other in slots))
    slots = slots if fed else []
    while slots:
        rest = (value for state, value in made_of.items() if state not in slots)
        read = _read(frozenset().union(*rest), sources, {new[s] for s in slots})
        old = {v.name for v in read if v.role == "slot"}
        if not old.intersection(slots):
            break
        slots = [s for s in slots if s not in old]
    if slots:
        return Early(tuple(slots), fed)
    stay = {s.name for s in program.slots if s.scalar}
    defined = (s for s in program.rule.body if isinstance(s, Define))
    copies = {
        d.value for d in defined if isinstance(d.expr, Ref) and d.expr.value.role == "gradient"
    }
    stay.update(s for s in new if new[s] in copies)  # they take over the memory of the gradient
    return _without_those_read(made_of, sources, new, {"w", *stay})


def _without_those_read(
    made_of: Mapping[str, frozenset[Value]],
    sources: Sources,
    new: Mapping[str, Value],
    stay: Set[str],
) -> Early:
    """All states first, but those whose old value another state is made of."""
    late: set[str] = set()
    for state, values in made_of.items():
        others = {value for other, value in new.items() if other != state}
        late |= _old(_read(values, sources, others)) & new.keys() - {state} - stay
    while True:
        first = made_of.keys() - late
        known = {new[s] for s in first - {"w"} if s in new}  # `w` may have been rounded
        bound = {s for s in late if _old(_read(made_of[s], sources, known)) & first}
        if not bound:
            break
        late -= bound
    slots = [s for s in made_of if s not in late]
    return Early(tuple(slots), tuple(s for s in made_of if s in late)) if late else Early((), ())


def _old(values: Iterable[Value]) -> frozenset[str]:
    """The states of which values are what they were before the step."""
    return frozenset(v.name for v in values if v.role in ("slot", "variable"))


def _read(values: Iterable[Value], sources: Sources, known: Iterable[Value]) -> set[Value]:
    """The values and all that they are made of, as far as it is not known."""
    found: set[Value] = set()
    waiting = set(values)
    while waiting:
        found |= waiting
        waiting = {v for x in waiting.difference(known) for v in sources.get(x, ())} - found
    return found


def _sources(
    block: Block, conditions: frozenset[Value]
) -> Iterator[tuple[Value, frozenset[Value]]]:
    """What a branch chooses is made of its condition, too."""
    for statement in block:
        if isinstance(statement, Define):
            yield statement.value, conditions.union(refs(statement.expr))
            continue
        inner = conditions.union(refs(statement.condition))
        yield from _sources(statement.then, inner)
        yield from _sources(statement.orelse, inner)
        for merge in statement.merges:
            yield merge.value, inner.union(refs(merge.then), refs(merge.orelse))
