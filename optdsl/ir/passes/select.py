"""For targets whose code is a graph: a branch on numbers becomes a choice between both sides.

Branches that are decided while the code for a variable is built (flags, ranks) stay branches.
"""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import is_static, op
from optdsl.ir.nodes import Block, Branch, Define, Program, Rule, Statement


def select(program: Program) -> Program:
    """Replace branches of the levels step and variable by `where`, in the rule and at g = 0."""
    untouched = tuple(replace(u, rule=_rule(u.rule)) for u in program.untouched)
    return replace(program, rule=_rule(program.rule), untouched=untouched)


def _rule(rule: Rule) -> Rule:
    return replace(rule, body=_block(rule.body))


def _block(block: Block) -> Block:
    return tuple(new for statement in block for new in _statement(statement))


def _statement(statement: Statement) -> Block:
    if isinstance(statement, Define):
        return (statement,)
    then, orelse = _block(statement.then), _block(statement.orelse)
    if is_static(statement.condition):
        return (replace(statement, then=then, orelse=orelse),)
    return (*then, *orelse, *_choices(statement))


def _choices(branch: Branch) -> Block:
    return tuple(
        Define(m.value, op("where", branch.condition, m.then, m.orelse)) for m in branch.merges
    )
