"""The rules that every program obeys."""

from __future__ import annotations

from collections.abc import Iterable

from optdsl.ir.build import refs
from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Block, Define, Expr, Program, Rule, Value
from optdsl.semantics.level import Level

#: Roles of values that exist before a step.
_STEP_INPUTS = frozenset({"step", "hyper", "const", "flag", "shared", "uses", "total"})


class IrError(AssertionError):
    """A pass broke a rule."""


def verify_program(program: Program) -> None:
    """Raise IrError where a value is used before its definition, defined twice, or out of phase."""
    for phase in program.phases:
        found: set[Value] = set()
        _block(phase.step, found, _STEP_INPUTS)
        _rule(phase.rule, found)
    known: set[Value] = set()
    _block(program.step, known, _STEP_INPUTS)
    for value in known:
        if value.level > Level.STEP:
            raise IrError(f"{value} is defined in the step")
    for result in program.shared_results:
        _expr(result.value, known, _STEP_INPUTS)
    for rule in (program.rule, *(r for u in program.untouched for r in (u.rule, u.decays))):
        _rule(rule, known)
    if program.evaluation is not None:
        verify_program(at_evaluation(program))


def _rule(rule: Rule, step: set[Value]) -> None:
    roles = _STEP_INPUTS | {"variable", "gradient", "slot"}
    known = set(step)
    _block(rule.body, known, roles)
    for result in rule.results:
        _expr(result.value, known, roles)
    for coefficient in rule.coefficients:
        if coefficient.role == "local" and coefficient not in step:
            raise IrError(f"the coefficient {coefficient} has no definition")


def _block(block: Block, known: set[Value], roles: Iterable[str]) -> None:
    for statement in block:
        if isinstance(statement, Define):
            _expr(statement.expr, known, roles)
            _define(statement.value, statement.expr.level, known)
        else:
            _expr(statement.condition, known, roles)
            if statement.condition.level == Level.ELEMENT:
                raise IrError("a branch on elements")
            sides = set(known), set(known)
            _block(statement.then, sides[0], roles)
            _block(statement.orelse, sides[1], roles)
            for merge in statement.merges:
                _expr(merge.then, sides[0], roles)
                _expr(merge.orelse, sides[1], roles)
                _define(merge.value, max(merge.then.level, merge.orelse.level), known)


def _define(value: Value, level: Level, known: set[Value]) -> None:
    if value in known:
        raise IrError(f"{value} is defined twice")
    if level > value.level:
        raise IrError(f"{value} is given a value of the level {level}")
    known.add(value)


def _expr(expr: Expr, known: set[Value], roles: Iterable[str]) -> None:
    for value in refs(expr):
        if value.role == "local" and value not in known:
            raise IrError(f"{value} is used before its definition")
        if value.role != "local" and value.role not in roles:
            raise IrError(f"{value} is not known in this phase")
