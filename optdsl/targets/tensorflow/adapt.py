"""What TensorFlow has to be told beyond the IR: the dtypes of numbers, and shapes to fill."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import FILL, is_literal, map_block, rewrite
from optdsl.ir.nodes import (
    Block,
    Define,
    Expr,
    Literal_,
    Merge,
    Op,
    Program,
    Ref,
    Result,
    Rule,
    Statement,
    W,
)  # fmt: skip
from optdsl.ir.passes.select import select
from optdsl.targets.tensorflow.tables import SETTLING_ARGUMENT

_W = Ref(W)


def adapt(program: Program) -> Program:
    """The program as graph code: no branches on tensors but `select.cases`, and two operators more.

    `typed` is a literal that has to be a tensor by itself; `square` is the power 2; `fill` gets
    the variable as a second argument, whose shape it takes.
    """
    program = select(program)
    untouched = tuple(replace(u, rule=_rule(u.rule)) for u in program.untouched)
    phases = tuple(replace(p, step=_block(p.step, ()), rule=_rule(p.rule)) for p in program.phases)
    step, rule = _block(program.step, ()), _rule(program.rule)
    return replace(program, step=step, rule=rule, untouched=untouched, phases=phases)


def adapt_expression(expr: Expr) -> Expr:
    """The same for an expression of `w` by itself."""
    return rewrite(expr, lambda e: _told(e, (_W,)))


def _rule(rule: Rule) -> Rule:
    results = tuple(Result(r.state, adapt_expression(r.value)) for r in rule.results)
    return replace(rule, body=_block(rule.body, (_W,)), results=results)


def _block(block: Block, like: tuple[Expr, ...]) -> Block:
    told = map_block(block, lambda e: rewrite(e, lambda part: _told(part, like)))
    return tuple(_statement(s, like) for s in told)


def _statement(statement: Statement, like: tuple[Expr, ...]) -> Statement:
    """A local is a tensor also where it is a literal."""
    if isinstance(statement, Define):
        return replace(statement, expr=_tensor(statement.expr, like))
    return replace(
        statement,
        then=tuple(_statement(s, like) for s in statement.then),
        orelse=tuple(_statement(s, like) for s in statement.orelse),
        merges=tuple(
            Merge(m.value, _tensor(m.then, like), _tensor(m.orelse, like)) for m in statement.merges
        ),
    )


def _told(expr: Expr, like: tuple[Expr, ...]) -> Expr:
    if not isinstance(expr, Op):
        return expr
    if expr.op == FILL:
        return replace(expr, args=(expr.args[0], *like))
    if expr.op == "pow" and is_literal(expr.args[1], 2):
        return replace(expr, op="square", args=expr.args[:1])
    place = SETTLING_ARGUMENT.get(expr.op)
    if place is None:
        return expr
    typed = _tensor(expr.args[place], like)
    return replace(expr, args=(*expr.args[:place], typed, *expr.args[place + 1 :]))


def _tensor(expr: Expr, like: tuple[Expr, ...]) -> Expr:
    if isinstance(expr, Literal_) and not expr.is_bool:
        return Op("typed", (expr, *like), expr.level, is_bool=False)
    return expr
