"""What the rows do that a sparse gradient does not mention: the rule with g = 0, simplified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from optdsl.ir import fixed
from optdsl.ir.build import ALONG, expressions, ops
from optdsl.ir.catch_up import Found, waiting
from optdsl.ir.linear import factor_of
from optdsl.ir.nodes import (
    Block,
    Define,
    Expr,
    Literal_,
    Movement,
    Movement_,
    Op,
    Program,
    Ref,
    Result,
    Rule,
    Untouched,
    Value,
    W,
)  # fmt: skip
from optdsl.ir.passes.prune import prune_rule
from optdsl.ir.simplify import ZERO, shaped, simplify
from optdsl.semantics.level import Level
from optdsl.semantics.limits import MAX_FIXED_CONDITIONS
from optdsl.semantics.model import PolicyName
from optdsl.semantics.operators import OPERATORS

#: Reductions whose value depends on the elements, or on how many there are.
_COUPLING = {o.name for o in OPERATORS.values() if o.reduction} - {"rank"}


def untouched(program: Program) -> Program:
    """Analyse each of exact and hybrid that the program has among its policies."""
    names = dict.fromkeys(p.name for p in program.policies if p.name != "lazy")
    return replace(program, untouched=tuple(_analyse(program, name) for name in names))


def _analyse(program: Program, policy: str) -> Untouched:
    slots = [s.name for s in program.slots if not s.scalar]
    states = {"w": W} | {name: Value(name, 0, Level.ELEMENT, "slot") for name in slots}
    cases = _Cases(program, policy)
    regions = next(p.regions for p in program.policies if p.name == policy)
    rule = _zero_rule(cases.decided(program.rule), regions, states, program.gradients)
    swept: list[tuple[str, Expr | None]] = []
    movements: list[Movement_] = []
    by_state: dict[str, Found] = {}
    for result in rule.results:
        found = [
            (case, _movement(cases.special(rule, case), result.state, states)) for case in cases.all
        ]
        moving = cases.condition([c for c, (kind, _) in found if kind != "fixed"])
        if moving is not False:
            swept.append((result.state, None if isinstance(moving, bool) else moving))
        movements += _grouped(result.state, found, cases)
        by_state[result.state] = found
    resting = [s for s in states if s not in {r.state for r in rule.results}]
    movements += [Movement_(s, "fixed", None, None) for s in resting]
    needed = prune_rule(program.rule)  # a sum over all variables is found out before
    coupled = [c for c in cases.all if any(reductions(prune_rule(cases.special(needed, c)).body))]
    names = dict.fromkeys(o.op for o in reductions(needed.body))
    densify = cases.condition(coupled) if len(program.gradients) == 1 else True
    decays, waiting_in, sweeping_in = waiting(by_state, program.slots)
    alone = densify is False and not program.phases and program.evaluation is None
    return Untouched(
        policy=policy,
        rule=rule,
        swept=tuple(swept),
        movements=tuple(movements),
        densify=densify,
        reductions=tuple(names),
        waits=alone and cases.condition(waiting_in),
        sweeps=alone and cases.condition(sweeping_in),
        decays=decays if alone else replace(decays, results=()),
    )


def _zero_rule(
    rule: Rule,
    regions: Sequence[PolicyName],
    states: dict[str, Value],
    gradients: Sequence[Value],
) -> Rule:
    """The rule with g = 0, for the states that have elements; hybrid parts leave `w` as it is, and
    lazy ones everything.
    """

    def rests(define: Define) -> bool:
        policy = regions[define.region]
        return policy == "lazy" or (policy == "hybrid" and define.value.name == "w")

    zero = simplify(rule, dict.fromkeys(gradients, ZERO), rests)
    moving = tuple(
        Result(r.state, shaped(r.value, Level.ELEMENT))
        for r in zero.results
        if r.state in states and r.value != Ref(states[r.state])
    )
    return prune_rule(replace(zero, results=moving))


def reductions(block: Block) -> Iterator[Op]:
    """The operators in a block that read all the elements of a variable at once."""
    for expr in expressions(block):
        yield from (o for o in ops(expr) if o.op in _COUPLING or _is_along_rows(o))


def _is_along_rows(reduction: Op) -> bool:
    """Whether it runs along the first axis; a negative one may be the first."""
    axes = reduction.args[1:] if reduction.op in ALONG else ()
    return any(isinstance(a, Literal_) and a.value <= 0 for a in axes)


@dataclass
class _Cases:
    """What flags and the like can be where a policy holds, and rules specialised for that."""

    program: Program
    policy: str

    def __post_init__(self) -> None:
        found = dict.fromkeys(fixed.block_atoms(self.program.rule.body))
        for policy in self.program.policies:
            if policy.condition is not None:
                found |= dict.fromkeys(fixed.atoms(policy.condition))
        self.atoms: Sequence[Expr] = tuple(found) if len(found) <= MAX_FIXED_CONDITIONS else ()
        self.all = [case for case in fixed.cases(self.atoms) if self._applies(case)]

    def _applies(self, case: fixed.Case) -> bool:
        if not self.atoms:
            return True
        for policy in self.program.policies:
            if policy.condition is None or fixed.holds(policy.condition, case):
                return policy.name == self.policy
        raise AssertionError("the last policy has no condition")

    def condition(self, cases: Sequence[fixed.Case]) -> Expr | bool:
        return fixed.condition_of(self.atoms, cases, self.all)

    def decided(self, rule: Rule) -> Rule:
        if not (self.atoms and self.all):
            return rule
        return replace(rule, body=fixed.decided(rule.body, self.all))

    def special(self, rule: Rule, case: fixed.Case) -> Rule:
        if not self.atoms:
            return rule
        return prune_rule(simplify(replace(rule, body=fixed.specialise(rule.body, case)), {}))


def _movement(rule: Rule, state: str, states: dict[str, Value]) -> tuple[Movement, Expr | None]:
    """What a state does under a zero rule that is specialised for one case."""
    value = next(r.value for r in rule.results if r.state == state)
    if value == Ref(states[state]):
        return "fixed", None
    definitions = {s.value: s.expr for s in rule.body if isinstance(s, Define)}
    factor = factor_of(value, states[state], definitions)
    return ("other", None) if factor is None else ("decay", factor)


def _grouped(
    state: str,
    found: Sequence[tuple[fixed.Case, tuple[Movement, Expr | None]]],
    cases: _Cases,
) -> Iterator[Movement_]:
    for movement in dict.fromkeys(m for _, m in found):
        condition = cases.condition([c for c, m in found if m == movement])
        yield Movement_(state, *movement, None if isinstance(condition, bool) else condition)
