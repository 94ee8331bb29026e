"""What an optimizer does with sparse gradients, from setting to setting: all a target needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from optdsl.ir.fixed import Case, atoms, cases, condition_of, holds
from optdsl.ir.nodes import Expr, Policy, Program, Untouched
from optdsl.semantics.limits import MAX_FIXED_CONDITIONS

#: True, False, or a condition of the level fixed.
Condition = Expr | bool


@dataclass(frozen=True)
class Sparse:
    """When a class does what with a sparse gradient.

    `densify`: when the gradient has to be made dense. `swept`: which states (`w` and slots, by the
    spec's names) move on the rows that the gradient does not mention, and when. `rules` are those
    for such rows that some setting needs. `moves`: when a policy touches more than the rows of
    the gradient, where it is chosen. `waits`: when the rows that it does not mention need no work
    until they are touched or read, `sweeps`: when only slots can wait that decay, for other states
    move; `decaying` is the policy whose `decays` say what they do then, None where nothing waits.
    """

    policies: tuple[Policy, ...]
    densify: Condition
    swept: tuple[tuple[str, Condition], ...]
    rules: tuple[Untouched, ...]
    moves: Mapping[str, Condition]
    waits: Condition
    sweeps: Condition
    decaying: str | None

    @property
    def moves_all(self) -> bool:
        """Whether in some setting all rows move as the dense rule moves them: all parts of a
        composition are exact there.
        """
        exact = [p for p in self.policies if p.name == "exact"]
        alone = all(set(p.regions) == {"exact"} for p in exact)
        return alone and any(u.policy == "exact" for u in self.rules)

    @property
    def rows_wait(self) -> bool:
        """Whether rows wait in some setting."""
        return self.decaying is not None and self.waits is not False

    @property
    def slots_wait(self) -> bool:
        """Whether slots alone wait in some setting, for other states move."""
        return self.decaying is not None and self.sweeps is not False


@dataclass(frozen=True)
class _Setting:
    """One case of the fixed conditions, its policy, and what that says (None: lazy)."""

    case: Case
    policy: str
    untouched: Untouched | None

    @property
    def densifies(self) -> bool:
        return self.untouched is not None and _holds(self.untouched.densify, self.case)

    @property
    def waits(self) -> bool:
        return self.untouched is not None and _holds(self.untouched.waits, self.case)

    @property
    def sweeps(self) -> bool:
        return self.untouched is not None and _holds(self.untouched.sweeps, self.case)

    def moves(self, state: str) -> bool:
        """Whether a state moves on rows without a gradient."""
        if self.untouched is None or self.densifies:
            return False
        return any(s == state and _holds(c, self.case) for s, c in self.untouched.swept)


def sparse(program: Program) -> Sparse:
    """The sparse behaviour of a program."""
    names = tuple(dict.fromkeys(a for c in _conditions(program) for a in atoms(c)))
    if len(names) > MAX_FIXED_CONDITIONS:
        return _to_be_safe(program)
    by_policy = {u.policy: u for u in program.untouched}
    chosen = [(c, _policy(program, c)) for c in cases(names)]
    settings = [_Setting(case, policy, by_policy.get(policy)) for case, policy in chosen]
    exists = {"w": None, **{s.name: s.condition for s in program.slots}}

    def when(state: str) -> Condition:
        """Says nothing of settings in which the state does not exist."""
        there = [s for s in settings if _holds(exists[state], s.case)]
        moving = [s.case for s in there if s.moves(state)]
        return condition_of(names, moving, [s.case for s in there])

    def beyond(policy: str) -> Condition:
        if program.phases:
            return policy != "lazy"
        chosen = [s for s in settings if s.policy == policy]
        more = [s.case for s in chosen if s.densifies or any(map(s.moves, exists))]
        return condition_of(names, more, [s.case for s in chosen])

    decaying = _decaying(program)
    waiting = [s.case for s in settings if s.waits and decaying is not None]
    sweeping = [s.case for s in settings if s.sweeps and decaying is not None]
    moving = [s.untouched for s in settings if any(map(s.moves, exists))]
    if program.phases:  # a total looks at all rows, so that no other policy is as good as lazy
        moving = list(program.untouched)
    return Sparse(
        policies=program.policies,
        densify=condition_of(
            names, [s.case for s in settings if s.densifies], [s.case for s in settings]
        ),
        swept=tuple((s, c) for s in exists if (c := when(s)) is not False),
        rules=tuple(u for u in program.untouched if u in moving),
        moves={p.name: beyond(p.name) for p in program.policies},
        waits=condition_of(names, waiting, [s.case for s in settings]),
        sweeps=condition_of(names, sweeping, [s.case for s in settings]),
        decaying=decaying,
    )


def _decaying(program: Program) -> str | None:
    """The policy under which rows wait. Where several do, they have to multiply the same slots by
    the same numbers, or none of them waits.
    """
    waiting = [u for u in program.untouched if u.waits is not False or u.sweeps is not False]
    same = len({u.decays.results for u in waiting}) == 1
    return waiting[0].policy if same else None


def _to_be_safe(program: Program) -> Sparse:
    """What may happen in some setting is done in all: there are too many of them to look at."""
    swept = dict.fromkeys(state for u in program.untouched for state, _ in u.swept)
    return Sparse(
        policies=program.policies,
        densify=any(u.densify is not False for u in program.untouched),
        swept=tuple((s, True) for s in swept),
        rules=program.untouched,
        moves={p.name: p.name != "lazy" for p in program.policies},
        waits=False,
        sweeps=False,
        decaying=None,
    )


def _policy(program: Program, case: Case) -> str:
    return next(p.name for p in program.policies if _holds(p.condition, case))


def _holds(condition: Condition | None, case: Case) -> bool:
    if condition is None or isinstance(condition, bool):
        return condition is not False
    return holds(condition, case)


def _conditions(program: Program) -> Iterator[Expr]:
    """Every condition that has a say in it."""
    found: Iterable[Condition | None] = (
        *(p.condition for p in program.policies),
        *(s.condition for s in program.slots),
        *(c for u in program.untouched for _, c in u.swept),
        *(u.densify for u in program.untouched),
        *(c for u in program.untouched for c in (u.waits, u.sweeps)),
    )
    return (c for c in found if c is not None and not isinstance(c, bool))
