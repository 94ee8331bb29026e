"""How TensorFlow writes schedules: what is fixed stays a number of Python, the rest is float64."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.build import map_block, rewrite
from optdsl.ir.nodes import Branch, Define, Expr, Merge, Op
from optdsl.ir.schedule import Schedule, without_branches
from optdsl.semantics.level import Level
from optdsl.targets.printer import Form
from optdsl.targets.tensorflow.tables import SETTLING_ARGUMENT

#: Beside those of the numbers of a step.
FORMS: dict[str, Form] = {
    "cos": "tf.cos({0})",
    "cbrt": "(tf.sign({0}) * tf.abs({0}) ** (1 / 3))",
    "piecewise": "_piecewise({0}, {1}, {2})",
}


def adapt(schedule: Schedule) -> Schedule:
    """The schedule as graph code: no branch on a tensor, and numbers of Python made tensors where
    they would settle the dtype of a function.
    """
    chosen = without_branches(schedule)
    body = map_block(chosen.body, lambda e: rewrite(e, _told))
    return replace(chosen, body=tuple(map(_statement, body)), result=rewrite(chosen.result, _told))


def _statement(statement: Define | Branch) -> Define | Branch:
    """What is a tensor after a branch, whichever side was taken, is one on both sides."""
    if isinstance(statement, Define):
        return statement
    merges = (
        m if m.value.level == Level.FIXED else Merge(m.value, _tensor(m.then), _tensor(m.orelse))
        for m in statement.merges
    )
    then, orelse = tuple(map(_statement, statement.then)), tuple(map(_statement, statement.orelse))
    return replace(statement, then=then, orelse=orelse, merges=tuple(merges))


def _told(expr: Expr) -> Expr:
    if not isinstance(expr, Op) or expr.level == Level.FIXED:
        return expr
    place = SETTLING_ARGUMENT.get(expr.op)
    if place is None:
        return expr
    args = (*expr.args[:place], _tensor(expr.args[place]), *expr.args[place + 1 :])
    return replace(expr, args=args)


def _tensor(expr: Expr) -> Expr:
    if expr.level > Level.FIXED or expr.is_bool:
        return expr
    return Op("typed", (expr,), Level.STEP, is_bool=False)
