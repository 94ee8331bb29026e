"""What TensorFlow has to be told beyond the IR: the dtypes of numbers, and shapes to fill."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import FILL, is_literal, map_block, rewrite
from optdsl.ir.nodes import Expr, Literal_, Op, Program, Ref, Result, Rule, Value
from optdsl.semantics.level import Level
from optdsl.targets.tf1.tables import TYPING_ARGUMENT

_W = Ref(Value("w", 0, Level.ELEMENT, "variable"))


def adapt(program: Program) -> Program:
    """The program with three operators more in its rules.

    `fill` gets the variable as a second argument, whose shape it takes; `typed` is a literal that
    settles the dtype of a function; `square` is the power 2.
    """
    untouched = tuple(replace(u, rule=_rule(u.rule)) for u in program.untouched)
    slots = tuple(replace(s, initial=rewrite(s.initial, _told)) for s in program.slots)
    return replace(program, rule=_rule(program.rule), untouched=untouched, slots=slots)


def _rule(rule: Rule) -> Rule:
    body = map_block(rule.body, lambda e: rewrite(e, _told))
    results = tuple(Result(r.state, rewrite(r.value, _told)) for r in rule.results)
    return replace(rule, body=body, results=results)


def _told(expr: Expr) -> Expr:
    if not isinstance(expr, Op):
        return expr
    if expr.op == FILL:
        return replace(expr, args=(expr.args[0], _W))
    if expr.op == "pow" and is_literal(expr.args[1], 2):
        return replace(expr, op="square", args=expr.args[:1])
    place = TYPING_ARGUMENT.get(expr.op)
    if place is None or not isinstance(expr.args[place], Literal_) or expr.args[place].is_bool:
        return expr
    typed = Op("typed", (expr.args[place], _W), Level.VARIABLE, is_bool=False)
    return replace(expr, args=(*expr.args[:place], typed, *expr.args[place + 1 :]))
