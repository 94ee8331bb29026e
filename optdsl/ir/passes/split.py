"""The part of the body that is the same for all variables becomes the block `step`.

It runs once per step and is straight-line: where the spec branches, both sides are computed (they
are a few numbers) and `where` chooses. A branch that holds elements too stays in the body with
what remains of it.
"""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import op
from optdsl.ir.nodes import Block, Branch, Define, Merge, Program, Statement
from optdsl.semantics.level import Level


def split(program: Program) -> Program:
    """Move what is of the levels fixed and step out of the body."""
    step: list[Define] = []
    body = _body(program.rule.body, step)
    phases = tuple(
        replace(p, step=tuple(step), rule=replace(p.rule, body=body)) for p in program.phases
    )
    rule = replace(program.rule, body=body)
    return replace(program, step=tuple(step), rule=rule, phases=phases)


def _body(block: Block, step: list[Define]) -> Block:
    kept = (_statement(s, step) for s in block)
    return tuple(s for s in kept if s is not None)


def _statement(statement: Statement, step: list[Define]) -> Statement | None:
    if isinstance(statement, Define):
        if statement.value.level > Level.STEP:
            return statement
        step.append(statement)
        return None
    then, orelse = _body(statement.then, step), _body(statement.orelse, step)
    step.extend(_choice(statement, m) for m in statement.merges if m.value.level <= Level.STEP)
    merges = tuple(m for m in statement.merges if m.value.level > Level.STEP)
    if not (then or orelse or merges):
        return None
    return replace(statement, then=then, orelse=orelse, merges=merges)


def _choice(branch: Branch, merge: Merge) -> Define:
    chosen = op("where", branch.condition, merge.then, merge.orelse)
    return Define(merge.value, chosen, branch.text)
