"""Which slots can be written before the rest of a rule is computed.

A compiler that makes one loop of every new state computes in each of them again what the others
are made of. Where a new slot is made of another, it pays to write those first, and to read them
in the loops of the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from optdsl.ir.build import refs
from optdsl.ir.nodes import Block, Define, Program, Ref, Value

#: What the definition of a value reads.
Sources = Mapping[Value, frozenset[Value]]


class Early(NamedTuple):
    """`slots`, in order of declaration, can be written first: what remains, `w` and all other
    states, can be computed from their new values. `fed` are all slots that are made of another new
    one: where none of them is in use, it does not pay.
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
    return Early(tuple(slots), fed if slots else ())


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
