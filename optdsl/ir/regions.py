"""The sparse policies of a composition: every part has its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from optdsl.ir.build import op, ops, refs
from optdsl.ir.nodes import Block, Define, Expr, Policy, Value
from optdsl.semantics.model import PolicyName
from optdsl.semantics.operators import OPERATORS

#: What a region says: the first policy whose condition holds counts.
Region = Sequence[tuple[str, Expr | None]]


def combined_policies(regions: Sequence[Region], body: Block) -> tuple[Policy, ...]:
    """The policies of the whole, one for each combination of what the parts may say.

    A part that assigns no state of elements goes along with the others, unless it looks at whole
    variables.
    """
    assigning = {d.region for d in defines(body) if d.before is not None}
    looking = not assigning or _looks_at_wholes(body)
    told = [i for i in range(len(regions)) if i in assigning or (looking and i == 0)]
    found: list[tuple[tuple[str, ...], Expr | None]] = [((), None)]
    for i in range(len(regions)):
        said = regions[i] if i in told else [("", None)]
        found = [
            ((*names, name), _both(condition, also))
            for names, condition in found
            for name, also in said
        ]
    titles: dict[tuple[str, ...], str] = {}
    for names, _ in found:
        titles.setdefault(names, _title(names, list(titles.values())))
    return tuple(
        Policy(titles[names], condition, cast("tuple[PolicyName, ...]", names))
        for names, condition in found
    )


def _title(names: tuple[str, ...], taken: Sequence[str]) -> str:
    said = {name for name in names if name}
    if len(said) == 1:
        return said.pop()
    mixed = sum(title.startswith("mixed") for title in taken)
    return f"mixed_{mixed + 1}" if mixed else "mixed"


def _both(condition: Expr | None, also: Expr | None) -> Expr | None:
    if condition is None or also is None:
        return condition or also
    return op("and", condition, also)


def defines(block: Block) -> Iterator[Define]:
    """All the definitions in a block."""
    for statement in block:
        if isinstance(statement, Define):
            yield statement
        else:
            yield from defines(statement.then)
            yield from defines(statement.orelse)


def _looks_at_wholes(body: Block) -> bool:
    """Whether a reduction of the outermost part reads more than the gradient."""
    state: set[Value] = set()  # values that state went into
    for define in (d for d in defines(body) if d.region == 0):
        read = {v for v in refs(define.expr) if v.role in ("variable", "slot") or v in state}
        if read:
            state.add(define.value)
        for o in ops(define.expr):
            reduces = o.op in OPERATORS and OPERATORS[o.op].reduction and o.op != "rank"
            if reduces and read.intersection(refs(o)):
                return True
    return False
