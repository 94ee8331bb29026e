"""A number spread over the variable's shape stays a number where it meets elements."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import ALONG, FILL, is_full, map_block, op, rewrite
from optdsl.ir.nodes import Expr, Op, Program
from optdsl.semantics.level import Level
from optdsl.semantics.operators import OPERATORS


def unfill(program: Program) -> Program:
    """Drop `fill` inside element-wise operators that have another operand of the level element."""
    body = map_block(program.rule.body, lambda e: rewrite(e, _unfill))
    return replace(program, rule=replace(program.rule, body=body))


def _unfill(expr: Expr) -> Expr:
    if not isinstance(expr, Op) or expr.op == FILL or expr.op in ALONG:
        return expr
    if OPERATORS[expr.op].reduction:
        return expr
    bare = tuple(_without_fill(a) for a in expr.args)
    full = any(a.level == Level.ELEMENT and is_full(a) for a in bare)
    return op(expr.op, *bare) if full else expr


def _without_fill(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Op) and expr.op == FILL else expr
