"""Small constructors and walkers for IR expressions and blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from optdsl.ir.nodes import (
    Block,
    Define,
    Expr,
    Literal_,
    Merge,
    Op,
    Program,
    Ref,
    Shared,
    Slot,
    Statement,
    Value,
)  # fmt: skip
from optdsl.semantics import operators
from optdsl.semantics.level import Level
from optdsl.semantics.operators import OF_SCHEDULES, OPERATORS

#: An operator of the IR alone: something smaller, spread over the shape of the variable.
FILL = "fill"
#: The reductions along axes.
ALONG = frozenset(o.name for o in operators.ALONG.values())


def op(name: str, *args: Expr) -> Op:
    """An operator applied; level and kind follow from the arguments."""
    if name == FILL:
        return Op(FILL, args, Level.ELEMENT, is_bool=False)
    operator = OPERATORS.get(name) or OF_SCHEDULES[name]
    level = max(a.level for a in args)
    if operator.reduction:
        level = Level.VARIABLE
    return Op(name, args, level, is_bool=operator.kind in ("test", "logic"))


def rewrite(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with `change` applied to every part, innermost first."""
    if isinstance(expr, Op):
        args = tuple(rewrite(a, change) for a in expr.args)
        expr = expr if args == expr.args else op(expr.op, *args)
    return change(expr)


def substitute(expr: Expr, known: Mapping[Value, Expr]) -> Expr:
    """The expression with the references to `known` values replaced."""
    return rewrite(expr, lambda e: known.get(e.value, e) if isinstance(e, Ref) else e)


def map_block(block: Block, change: Callable[[Expr], Expr]) -> Block:
    """The block with `change` applied to every whole expression in it."""
    return tuple(_map_statement(s, change) for s in block)


def _map_statement(statement: Statement, change: Callable[[Expr], Expr]) -> Statement:
    if isinstance(statement, Define):
        return replace(statement, expr=change(statement.expr))
    return replace(
        statement,
        condition=change(statement.condition),
        then=map_block(statement.then, change),
        orelse=map_block(statement.orelse, change),
        merges=tuple(Merge(m.value, change(m.then), change(m.orelse)) for m in statement.merges),
    )


def refs(expr: Expr) -> Iterator[Value]:
    """The values that an expression refers to, from left to right."""
    if isinstance(expr, Ref):
        yield expr.value
    elif isinstance(expr, Op):
        for arg in expr.args:
            yield from refs(arg)


def expressions(block: Block) -> Iterator[Expr]:
    """Every whole expression in a block, in order."""
    for statement in block:
        if isinstance(statement, Define):
            yield statement.expr
        else:
            yield statement.condition
            yield from expressions(statement.then)
            yield from expressions(statement.orelse)
            for merge in statement.merges:
                yield merge.then
                yield merge.orelse


def program_expressions(program: Program) -> Iterator[Expr]:
    """Every expression of a program: rules, step, initial values and conditions."""
    for rule in program.rules:
        yield from expressions(rule.body)
        yield from (result.value for result in rule.results)
    for block in (program.step, *(p.step for p in program.phases)):
        yield from expressions(block)
    yield from (result.value for result in program.shared_results)
    if program.evaluation is not None:
        yield from expressions(program.evaluation.step)
        yield from expressions(program.evaluation.rule.body)
    state: tuple[Slot | Shared, ...] = (*program.slots, *program.shareds)
    yield from (item.initial for item in state)
    for item in (*state, *program.policies):
        if item.condition is not None:
            yield item.condition


def ops(expr: Expr) -> Iterator[Op]:
    """The operators in an expression, outermost first."""
    if isinstance(expr, Op):
        yield expr
        for arg in expr.args:
            yield from ops(arg)


def is_full(expr: Expr) -> bool:
    """Whether a number per element has the shape of the variable, not dimensions of 1."""
    if isinstance(expr, Op) and expr.op != FILL:
        if expr.op in ALONG:
            return False
        return any(a.level == Level.ELEMENT and is_full(a) for a in expr.args)
    return True


def is_literal(expr: Expr, value: float) -> bool:
    """Whether the expression is this number."""
    return isinstance(expr, Literal_) and not expr.is_bool and expr.value == value


def is_static(expr: Expr) -> bool:
    """Known when the code for a variable is built: of the level fixed, or of its rank."""
    if isinstance(expr, Op):
        if expr.op in OPERATORS and OPERATORS[expr.op].reduction:
            return expr.op == "rank"
        return all(is_static(a) for a in expr.args)
    return expr.level == Level.FIXED
