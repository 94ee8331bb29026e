"""For targets whose code is a graph: which branches on numbers stay branches, and which do not.

Flags and ranks are known while the code for a variable is built, so branches on them stay. So do
branches on a few conditions of the step: around the rule the target builds a conditional, with the
assignments inside, and tells the rule how each condition is decided. All other branches become a
choice between both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optdsl.ir.build import is_static, op
from optdsl.ir.nodes import Block, Branch, Define, Expr, Program, Ref, Rule, Statement, Value
from optdsl.ir.regions import defines
from optdsl.semantics.level import Level

#: So many conditions are decided around the rule; each doubles the graph.
MAX_CASES = 3


def cases(program: Program) -> tuple[Value, ...]:
    """The coefficients that the rule branches on and that are decided around it, in order."""
    found: dict[Value, None] = {}
    for rule in (program.rule, *(u.rule for u in program.untouched)):
        found |= dict.fromkeys(_conditions(rule.body))
    return tuple(found) if len(found) <= MAX_CASES else ()


def _conditions(block: Block) -> Iterator[Value]:
    for statement in block:
        if isinstance(statement, Branch):
            condition = statement.condition
            of_step = condition.level == Level.STEP
            if of_step and isinstance(condition, Ref) and _spares_a_state(statement):
                yield condition.value
            yield from _conditions(statement.then)
            yield from _conditions(statement.orelse)


def _spares_a_state(branch: Branch) -> bool:
    """Whether some state changes on one side only, so that there is something to leave alone.

    What both sides assign is as well computed by `where`, of which the assignment stays outside.
    """
    for side in (branch.then, branch.orelse):
        made = {d.value for d in defines(side)}
        for merge in branch.merges:
            kept = merge.then if side is branch.then else merge.orelse
            state = any(d.before is not None for d in _made_as(branch, merge.value.name))
            if state and not (isinstance(kept, Ref) and kept.value in made):
                return True
    return False


def _made_as(branch: Branch, name: str) -> Iterator[Define]:
    return (d for d in defines((branch,)) if d.value.name == name)


def select(program: Program) -> Program:
    """Replace the branches that are neither static nor on one of `cases` by `where`."""
    decided = cases(program)
    untouched = tuple(replace(u, rule=_rule(u.rule, decided)) for u in program.untouched)
    phases = tuple(replace(p, rule=_rule(p.rule, ())) for p in program.phases)
    rule = _rule(program.rule, decided)
    return replace(program, rule=rule, untouched=untouched, phases=phases)


def _rule(rule: Rule, decided: tuple[Value, ...]) -> Rule:
    return replace(rule, body=_block(rule.body, decided))


def _block(block: Block, decided: tuple[Value, ...]) -> Block:
    return tuple(new for statement in block for new in _statement(statement, decided))


def _statement(statement: Statement, decided: tuple[Value, ...]) -> Block:
    if isinstance(statement, Define):
        return (statement,)
    then, orelse = _block(statement.then, decided), _block(statement.orelse, decided)
    if is_static(statement.condition) or _is_decided(statement.condition, decided):
        return (replace(statement, then=then, orelse=orelse),)
    return (*then, *orelse, *_choices(statement))


def _is_decided(condition: Expr, decided: tuple[Value, ...]) -> bool:
    return isinstance(condition, Ref) and condition.value in decided


def _choices(branch: Branch) -> Block:
    return tuple(
        Define(m.value, op("where", branch.condition, m.then, m.orelse)) for m in branch.merges
    )
