"""Identifiers for the values of a block: the spec's own names wherever that is right.

Assignments in Python rebind a name, so all the versions of `m` can be called `m`, as long as no
older version is used after a newer one was made. That is checked by walking the block as Python
would run it; where it fails the older version gets a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from optdsl.ir.build import expressions, refs
from optdsl.ir.nodes import Block, Branch, Define, Expr, Ref, Value


@dataclass(frozen=True)
class Function:
    """A function to be printed: what it is given, what it does, what it hands back."""

    parameters: tuple[Value, ...]
    body: Block
    results: tuple[Expr, ...]


@dataclass
class Names:
    """Identifiers for the values of several functions; `taken` may not be used."""

    taken: frozenset[str]
    _chosen: dict[Value, str] = field(default_factory=dict)

    def of(self, value: Value) -> str:
        """The identifier of a value."""
        stem = f"uses_{value.name}" if value.role == "uses" else value.name
        return self._chosen.get(value) or self._safe(stem)

    def _safe(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        return name

    def settle(self, functions: Sequence[Function]) -> None:
        """Choose identifiers with which every one of the functions does what it should."""
        used = {value for f in functions for value in _values(f)}
        while conflict := next(filter(None, map(_Walk(self).conflict, functions)), None):
            self._rename(conflict, used)

    def _rename(self, value: Value, used: Iterable[Value]) -> None:
        others = {self.of(v) for v in used}
        name = self._safe(
            f"{value.name}_old" if value.version == 0 else f"{value.name}_{value.version}"
        )
        while name in others or name in self.taken:
            name += "_"
        self._chosen[value] = name


def _values(function: Function) -> Iterable[Value]:
    yield from function.parameters
    yield from _defined(function.body)


def identifiers(function: Function, names: Names) -> frozenset[str]:
    """All identifiers that a function binds or reads."""
    exprs = (*expressions(function.body), *function.results)
    read = (value for expr in exprs for value in refs(expr))
    return frozenset(map(names.of, (*_values(function), *read)))


def _defined(block: Block) -> Iterable[Value]:
    for statement in block:
        if isinstance(statement, Define):
            yield statement.value
        else:
            yield from _defined(statement.then)
            yield from _defined(statement.orelse)
            yield from (m.value for m in statement.merges)


class _Walk:
    """Runs a function as Python would; `bound` says which values an identifier stands for.

    After a branch, a merge and the side's value that it took can share an identifier: they are
    one and the same number there.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def conflict(self, function: Function) -> Value | None:
        """A value that is needed when its identifier stands for another; None where all is well."""
        bound: dict[str, set[Value]] = {}
        for value in sorted(function.parameters, key=lambda v: -v.version):
            if self._names.of(value) in bound:  # of two versions the newer keeps the spec's name
                return value
            bound[self._names.of(value)] = {value}
        return self._block(function.body, bound) or self._uses(function.results, bound)

    def _uses(self, exprs: Iterable[Expr], bound: Mapping[str, set[Value]]) -> Value | None:
        for expr in exprs:
            for value in refs(expr):
                current = bound.get(self._names.of(value))
                if current is not None and value not in current:
                    return value
        return None

    def _block(self, block: Block, bound: dict[str, set[Value]]) -> Value | None:
        for statement in block:
            if isinstance(statement, Define):
                found = self._uses([statement.expr], bound)
                bound[self._names.of(statement.value)] = {statement.value}
            else:
                found = self._branch(statement, bound)
            if found is not None:
                return found
        return None

    def _branch(self, branch: Branch, bound: dict[str, set[Value]]) -> Value | None:
        then, orelse = _copy(bound), _copy(bound)
        found = (
            self._uses([branch.condition], bound)
            or self._block(branch.then, then)
            or self._block(branch.orelse, orelse)
            or self._merges([(m.value, m.then) for m in branch.merges], then)
            or self._merges([(m.value, m.orelse) for m in branch.merges], orelse)
        )
        for name in {**then, **orelse}:
            bound[name] = then.get(name, set()) & orelse.get(name, set())
        return found

    def _merges(
        self, merges: list[tuple[Value, Expr]], bound: dict[str, set[Value]]
    ) -> Value | None:
        """The copies at the end of a side run one after the other."""
        for value, expr in merges:
            if found := self._uses([expr], bound):
                return found
            name = self._names.of(value)
            if isinstance(expr, Ref) and self._names.of(expr.value) == name:
                bound[name].add(value)
            else:
                bound[name] = {value}
        return None


def _copy(bound: Mapping[str, set[Value]]) -> dict[str, set[Value]]:
    return {name: set(values) for name, values in bound.items()}
