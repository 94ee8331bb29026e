"""Whether a rule without branches is what a kernel computes, and with which numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from optdsl.ir import fixed
from optdsl.ir.build import is_literal, substitute
from optdsl.ir.nodes import Define, Expr, Literal_, Op, Program, Ref, Rule, Value
from optdsl.ir.normal import (
    Atom,
    Function,
    Product,
    State,
    Sum,
    Unknown,
    add,
    atom,
    constant,
    function,
    is_scalar,
    negative,
    normal,
    power,
    replaced,
    times,
)  # fmt: skip
from optdsl.ir.signs import Premises, Signs

#: Two sums of numbers of the step that have to be the same; the left one has unknowns.
Equation = tuple[Sum, Sum]


@dataclass(frozen=True)
class Normal:
    """The new state of each state of a rule, and what has to be above 0 for it to be that."""

    new: Mapping[str, Sum]
    premises: Premises


class Normaliser:
    """Of a rule of a program, in one case of its fixed conditions.

    `states` gives the names of slots; hypers and consts that are `known` are replaced.
    """

    def __init__(
        self,
        program: Program,
        rule: Rule,
        case: fixed.Case,
        states: Mapping[str, str],
        known: Mapping[str, Sum],
    ) -> None:
        statements = (*program.step, *rule.body)
        self._definitions = {s.value: s.expr for s in statements if isinstance(s, Define)}
        self._rule, self._case, self._known = rule, case, known
        self._states = {"w": "w", **states}
        self._signs = Signs(program, rule, self._definitions)
        self._premises: Premises = frozenset()
        results = {r.value.value: r.state for r in rule.results if isinstance(r.value, Ref)}
        self._results = {v: s for v, s in results.items() if v in self._definitions}
        self._cache: dict[Value, Sum] = {}

    def normal(self) -> Normal:
        """The normal forms of the new states, in terms of each other and of the old ones."""
        new = {}
        for result in self._rule.results:
            expr = result.value
            if isinstance(expr, Ref) and expr.value.name == result.state and not expr.value.version:
                continue  # it stays as it is in this case
            if isinstance(expr, Ref) and expr.value in self._results:
                expr = self._definitions[expr.value]
            new[self._states[result.state]] = self.of(expr)
        return Normal(new, self._premises)

    def of(self, expr: Expr) -> Sum:
        """The normal form of one expression."""
        return normal(self._without_choices(expr), self._value)

    def _value(self, value: Value) -> Sum:
        if value not in self._cache:
            self._cache[value] = self._looked_up(value)
        return self._cache[value]

    def _looked_up(self, value: Value) -> Sum:
        if value in self._results:
            return atom(State(self._states[self._results[value]], is_new=True))
        if value in self._definitions:
            return self.of(self._definitions[value])
        if value.role in ("variable", "slot"):
            return atom(State(self._states[value.name], is_new=False))
        if value.name in self._known and value.role in ("hyper", "const"):
            return self._known[value.name]
        return atom(value)

    def _without_choices(self, expr: Expr) -> Expr:
        """The expression without the `where`s that do not choose."""
        if not isinstance(expr, Op):
            return expr
        args = tuple(map(self._without_choices, expr.args))
        if expr.op == "where":
            chosen = self._chosen(self._inlined(args[0]), *args[1:])
            if chosen is not None:
                return chosen
        return Op(expr.op, args, expr.level, expr.is_bool)

    def _chosen(self, condition: Expr, then: Expr, orelse: Expr) -> Expr | None:
        match condition:
            case _ if all(a in self._case for a in fixed.atoms(condition)):
                return then if fixed.holds(condition, self._case) else orelse
            case Op(op="gt", args=(number, zero)) if is_literal(zero, 0):
                premises = self._signs.positive(number)
                if premises is not None:
                    self._premises |= premises
                    return then
            case Op(op="eq", args=(Ref(value=value), Literal_() as at)):
                there = self._inlined(orelse)
                if self.of(substitute(there, {value: at})) == self.of(then):
                    return orelse
        if isinstance(condition, Op) and condition.op == "gt" and is_literal(orelse, 0):
            return self._shrunk(condition, then)
        return None

    def _inlined(self, expr: Expr) -> Expr:
        """The expression in terms of states and inputs."""
        if isinstance(expr, Ref) and expr.value not in self._results:
            defined = self._definitions.get(expr.value)
            return expr if defined is None else self._inlined(defined)
        if isinstance(expr, Op):
            return Op(expr.op, tuple(map(self._inlined, expr.args)), expr.level, expr.is_bool)
        return expr

    def _shrunk(self, condition: Op, then: Expr) -> Expr | None:
        """`then`, if it is 0 wherever |x| > l does not hold, as clip(x, -l, l) is x there."""
        size, limit = condition.args
        if not (isinstance(size, Op) and size.op == "abs" and self._signs.not_negative(limit)):
            return None
        x, end = self.of(size.args[0]), self.of(limit)
        (((clipped, _),), _) = function("min", (function("max", (x, negative(end))), end)).terms[0]
        return then if not replaced(self.of(then), {clipped: x}).terms else None


# -------------------------------------------------------------------------- comparison


def match(
    kernel: Mapping[str, Sum], rule: Mapping[str, Sum], unknowns: Sequence[str]
) -> dict[str, Sum] | None:
    """The numbers with which a kernel computes a rule; None where it does not.

    Both are new states by name; those of the kernel have unknowns for its numbers.
    """
    if kernel.keys() != rule.keys():
        return None
    for equations in _same_states([(kernel[s], rule[s]) for s in sorted(kernel)]):
        found = _solved(equations)
        if found is not None and found.keys() == set(unknowns):
            return found
    return None


def _same_states(pairs: Sequence[Equation]) -> Iterator[tuple[Equation, ...]]:
    """What has to hold for all the pairs to be the same; each way in which that can be."""
    if not pairs:
        yield ()
        return
    for first in _same(*pairs[0]):
        for rest in _same_states(pairs[1:]):
            yield first + rest


def _same(left: Sum, right: Sum) -> Iterator[tuple[Equation, ...]]:
    """The factors of one product of states are compared with those of one on the other side."""
    ours, theirs = _by_states(left), _by_states(right)
    if len(ours) != len(theirs):
        return
    for order in permutations(theirs):
        matched = [_same_product(a, b) for a, b in zip(ours, order, strict=True)]
        factors = tuple((ours[a], theirs[b]) for a, b in zip(ours, order, strict=True))
        for equations in _all_of(matched):
            yield factors + equations


def _all_of(parts: Sequence[Iterator[tuple[Equation, ...]]]) -> Iterator[tuple[Equation, ...]]:
    found = [list(part) for part in parts]
    combined: list[tuple[Equation, ...]] = [()]
    for part in found:
        combined = [a + b for a in combined for b in part]
    yield from combined


def _by_states(of: Sum) -> dict[Product, Sum]:
    """What each product of atoms that are not numbers of the step is multiplied by."""
    found: dict[Product, Sum] = defaultdict(lambda: constant(0))
    for atoms, factor in of.terms:
        states = tuple((a, e) for a, e in atoms if not is_scalar(a))
        number = Sum(((tuple((a, e) for a, e in atoms if is_scalar(a)), factor),))
        found[states] = add(found[states], number)
    return dict(found)


def _same_product(left: Product, right: Product) -> Iterator[tuple[Equation, ...]]:
    if len(left) != len(right):
        return
    for order in permutations(right):
        if all(a[1] == b[1] for a, b in zip(left, order, strict=True)):
            yield from _all_of(
                [_same_atom(a, b) for (a, _), (b, _) in zip(left, order, strict=True)]
            )


def _same_atom(left: Atom, right: Atom) -> Iterator[tuple[Equation, ...]]:
    if not (isinstance(left, Function) and isinstance(right, Function)):
        if left == right:
            yield ()
        return
    if left.op != right.op or len(left.args) != len(right.args):
        return
    orders = permutations(right.args) if left.op in ("min", "max") else [right.args]
    for args in orders:
        yield from _same_states(list(zip(left.args, args, strict=True)))


def _solved(equations: Sequence[Equation]) -> dict[str, Sum] | None:
    """The unknowns of some equations, each found where it is the only one left; None where the
    equations contradict each other.
    """
    found: dict[Atom, Sum] = {}
    left = list(dict.fromkeys(equations))
    while left:
        waiting = []
        for ours, theirs in left:
            known = replaced(ours, found)
            unknown = _unknowns(known)
            if not unknown:
                if known != theirs:
                    return None
            elif (solution := _solution(known, theirs, unknown)) is not None:
                found[solution[0]] = solution[1]
            else:
                waiting.append((known, theirs))
        if len(waiting) == len(left):
            return None
        left = waiting
    return {a.name: x for a, x in found.items() if isinstance(a, Unknown)}


def _unknowns(of: Sum) -> set[Unknown]:
    found: set[Unknown] = set()
    for atoms, _ in of.terms:
        for a, _ in atoms:
            if isinstance(a, Unknown):
                found.add(a)
            elif isinstance(a, Function):
                found.update(*map(_unknowns, a.args))
    return found


def _solution(ours: Sum, theirs: Sum, unknown: set[Unknown]) -> tuple[Unknown, Sum] | None:
    """The one unknown of a sum in which it stands in one product alone."""
    if len(unknown) > 1:
        return None
    (x,) = unknown
    holding = [(p, c) for p, c in ours.terms if _unknowns(Sum(((p, c),)))]
    if len(holding) != 1:
        return None
    ((atoms, factor),) = holding
    exponent = dict(atoms).get(x, 0)
    others = Sum(((tuple((a, e) for a, e in atoms if a != x), factor),))
    if abs(exponent) != 1 or _unknowns(others):
        return None
    rest = Sum(tuple(term for term in ours.terms if term not in holding))
    one = constant(-1)
    value = times(add(theirs, negative(rest)), power(others, one))
    return x, value if exponent == 1 else power(value, one)
