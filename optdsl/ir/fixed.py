"""Conditions of the level fixed, told apart case by case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TypeAlias

from optdsl.ir.build import op
from optdsl.ir.nodes import Block, Branch, Expr, Literal_, Op
from optdsl.semantics.level import Level

#: What each atom is in one case.
Case: TypeAlias = Mapping[Expr, bool]


def atoms(condition: Expr) -> Iterator[Expr]:
    """The parts of a condition that `and`, `or` and `not` join."""
    if isinstance(condition, Op) and condition.op in ("and", "or", "not"):
        for arg in condition.args:
            yield from atoms(arg)
    elif not isinstance(condition, Literal_):
        yield condition


def block_atoms(block: Block) -> Iterator[Expr]:
    """The atoms of all the fixed conditions of branches in a block."""
    for statement in block:
        if isinstance(statement, Branch):
            if statement.condition.level == Level.FIXED:
                yield from atoms(statement.condition)
            yield from block_atoms(statement.then)
            yield from block_atoms(statement.orelse)


def holds(condition: Expr, case: Case) -> bool:
    """Whether a condition holds in a case."""
    match condition:
        case Literal_(value=value):
            return bool(value)
        case Op(op="not", args=(arg,)):
            return not holds(arg, case)
        case Op(op="and", args=(left, right)):
            return holds(left, case) and holds(right, case)
        case Op(op="or", args=(left, right)):
            return holds(left, case) or holds(right, case)
        case _:
            return case[condition]


def cases(names: Sequence[Expr]) -> list[dict[Expr, bool]]:
    """Every case of some atoms, all false first."""
    return [dict(zip(names, v, strict=True)) for v in product((False, True), repeat=len(names))]


def specialise(block: Block, case: Case) -> Block:
    """The block with the conditions that a case decides replaced by literals."""
    return tuple(_specialise(s, case) if isinstance(s, Branch) else s for s in block)


def _specialise(branch: Branch, case: Case) -> Branch:
    condition = branch.condition
    if condition.level == Level.FIXED:
        condition = Literal_(holds(condition, case))
    then, orelse = specialise(branch.then, case), specialise(branch.orelse, case)
    return Branch(condition, then, orelse, branch.merges, branch.text)


def decided(block: Block, possible: Sequence[Case]) -> Block:
    """The block with the conditions that are the same in all possible cases replaced."""
    return tuple(_decided(s, possible) if isinstance(s, Branch) else s for s in block)


def _decided(branch: Branch, possible: Sequence[Case]) -> Branch:
    condition = branch.condition
    if condition.level == Level.FIXED:
        truths = {holds(condition, case) for case in possible}
        condition = Literal_(truths.pop()) if len(truths) == 1 else condition
    then, orelse = decided(branch.then, possible), decided(branch.orelse, possible)
    return Branch(condition, then, orelse, branch.merges, branch.text)


def condition_of(
    names: Sequence[Expr], true_in: Iterable[Case], possible: Sequence[Case]
) -> Expr | bool:
    """A short condition that holds in just these of the possible cases: True, False, or `or` of
    `and`s. What it says of impossible cases does not matter.
    """
    truth = {_point(names, case) for case in true_in}
    false = {_point(names, case) for case in possible} - truth
    if not truth or not false:
        return bool(truth)
    terms = [_term(names, cube) for cube in _cover(truth, false, len(names))]
    result = terms[0]
    for term in terms[1:]:
        result = op("or", result, term)
    return result


def _point(names: Sequence[Expr], case: Case) -> tuple[bool, ...]:
    return tuple(case[n] for n in names)


#: One value per atom; None: either.
Cube: TypeAlias = tuple[bool | None, ...]


def _cover(truth: set[tuple[bool, ...]], false: set[tuple[bool, ...]], size: int) -> list[Cube]:
    """Few and short cubes that hold in all of `truth` and in none of `false`, greedily."""
    primes: list[Cube] = []
    for count in range(size + 1):  # the shortest first
        for kept in combinations(range(size), count):
            cubes = {tuple(p[i] if i in kept else None for i in range(size)) for p in truth}
            primes += sorted((c for c in cubes if not any(_in(f, c) for f in false)), key=str)
    cover: list[Cube] = []
    left = set(truth)
    while left:
        best = max(primes, key=lambda cube: sum(_in(p, cube) for p in left))
        cover.append(best)
        left = {p for p in left if not _in(p, best)}
    return cover


def _in(point: tuple[bool, ...], cube: Cube) -> bool:
    return all(c is None or p == c for p, c in zip(point, cube, strict=True))


def _term(names: Sequence[Expr], cube: Cube) -> Expr:
    parts = [n if v else op("not", n) for n, v in zip(names, cube, strict=True) if v is not None]
    result = parts[0]
    for part in parts[1:]:
        result = op("and", result, part)
    return result
