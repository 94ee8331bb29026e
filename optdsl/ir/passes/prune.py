"""What no result needs is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from optdsl.ir.build import refs
from optdsl.ir.nodes import Block, Branch, Define, Phase, Program, Result, Rule, Statement, Value


def prune(program: Program) -> Program:
    """Drop definitions that neither a state nor a coefficient depends on."""
    rule = prune_rule(program.rule)
    untouched = tuple(replace(u, rule=prune_rule(u.rule)) for u in program.untouched)
    rules = (rule, *(r for u in untouched for r in (u.rule, u.decays)))
    wanted = {c for r in rules for c in r.coefficients}
    wanted.update(v for result in program.shared_results for v in refs(result.value))
    step, _ = _block(program.step, wanted)
    phases = tuple(_phase(p) for p in program.phases)
    return replace(program, rule=rule, untouched=untouched, step=step, phases=phases)


def _phase(phase: Phase) -> Phase:
    rule = prune_rule(phase.rule)
    step, _ = _block(phase.step, set(rule.coefficients))
    return replace(phase, step=step, rule=rule)


def prune_rule(rule: Rule) -> Rule:
    """The rule with what its results need; coefficients that are not used any more go too."""
    body, needed = _block(rule.body, needed_by(rule.results))
    coefficients = tuple(c for c in rule.coefficients if c in needed)
    return replace(rule, body=body, coefficients=coefficients)


def needed_by(results: Iterable[Result]) -> set[Value]:
    """The values that results refer to."""
    return {v for result in results for v in refs(result.value)}


def _block(block: Block, needed: set[Value]) -> tuple[Block, set[Value]]:
    """The statements that define what is needed, and all that is needed then, before them too."""
    kept: list[Statement] = []
    needed = set(needed)
    for statement in reversed(block):
        if isinstance(statement, Define):
            if statement.value in needed:
                needed.update(refs(statement.expr))
                kept.append(statement)
        elif branch := _branch(statement, needed):
            kept.append(branch)
    return tuple(reversed(kept)), needed


def _branch(branch: Branch, needed: set[Value]) -> Branch | None:
    merges = tuple(m for m in branch.merges if m.value in needed)
    if not merges:
        return None
    needed.update(refs(branch.condition))
    then, in_then = _block(branch.then, {v for m in merges for v in refs(m.then)})
    orelse, in_else = _block(branch.orelse, {v for m in merges for v in refs(m.orelse)})
    needed.update(in_then, in_else)
    return replace(branch, then=then, orelse=orelse, merges=merges)
