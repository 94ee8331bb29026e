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
            if isinstance(condition, Ref) and condition.level == Level.STEP:
                yield condition.value
            yield from _conditions(statement.then)
            yield from _conditions(statement.orelse)


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
