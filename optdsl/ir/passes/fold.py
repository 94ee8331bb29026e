"""Arithmetic of literals, done once and for all, and identities that hold for all numbers."""

from __future__ import annotations

import math
from dataclasses import replace

from optdsl.ir.build import is_literal, map_block, rewrite
from optdsl.ir.nodes import Expr, Literal_, Op, Program
from optdsl.semantics.constants import EVALUATE, apply


def fold(program: Program) -> Program:
    """Literal operands are evaluated in float64, which is how a step would compute them."""
    body = map_block(program.rule.body, fold_expr)
    return replace(program, rule=replace(program.rule, body=body))


def fold_expr(expr: Expr) -> Expr:
    """One expression, folded throughout."""
    return rewrite(expr, _fold)


def _fold(expr: Expr) -> Expr:
    if not isinstance(expr, Op):
        return expr
    if expr.op == "where" and isinstance(expr.args[0], Literal_):
        return expr.args[1] if expr.args[0].value else expr.args[2]
    literals = [a.value for a in expr.args if isinstance(a, Literal_)]
    if len(literals) < len(expr.args) or expr.op not in EVALUATE:
        return _identity(expr)
    value = apply(expr.op, *literals)
    return Literal_(value) if math.isfinite(value) else expr


def _identity(expr: Op) -> Expr:
    """x*1, x/1, x^1 and 1*x are x, whatever x is."""
    if expr.op in ("mul", "div", "pow") and is_literal(expr.args[1], 1):
        return expr.args[0]
    if expr.op == "mul" and is_literal(expr.args[0], 1):
        return expr.args[1]
    return expr
