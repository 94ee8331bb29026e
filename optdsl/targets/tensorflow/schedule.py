"""How TensorFlow writes schedules: what is fixed stays a number of Python, the rest is float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from optdsl.ir.build import map_block, rewrite
from optdsl.ir.nodes import Expr, Op, Value
from optdsl.ir.schedule import Schedule, without_branches
from optdsl.semantics.level import Level
from optdsl.targets.printer import Form, Printer
from optdsl.targets.schedule import PI
from optdsl.targets.tensorflow.tables import SETTLING_ARGUMENT

#: Beside those of the numbers of a step.
FORMS: dict[str, Form] = {
    "cos": "tf.cos({0})",
    "cbrt": "(tf.sign({0}) * tf.abs({0}) ** (1 / 3))",
    "piecewise": "_piecewise({0}, {1}, {2})",
}


@dataclass(frozen=True)
class GraphPrinter(Printer):
    """Prints tensors with its table, and what is known at construction with `static`."""

    static: Printer = field(default_factory=lambda: Printer({}, str))

    def _print(self, expr: Expr) -> tuple[str, int]:
        if isinstance(expr, Op) and expr.level == Level.FIXED:
            return self.static._print(expr)
        return super()._print(expr)


def printer(forms: Mapping[str, Form], name: Callable[[Value], str], static: Printer) -> Printer:
    """The printer of a target with these forms for the numbers of a step."""
    return GraphPrinter({**forms, **FORMS}, name, pi=PI, static=static)


def adapt(schedule: Schedule) -> Schedule:
    """The schedule as graph code: no branch on a tensor, and numbers of Python made tensors where
    they would settle the dtype of a function.
    """
    chosen = without_branches(schedule)
    return replace(
        chosen,
        body=map_block(chosen.body, lambda e: rewrite(e, _told)),
        result=rewrite(chosen.result, _told),
    )


def _told(expr: Expr) -> Expr:
    if not isinstance(expr, Op) or expr.level == Level.FIXED:
        return expr
    place = SETTLING_ARGUMENT.get(expr.op)
    if place is None or expr.is_bool or expr.args[place].level > Level.FIXED:
        return expr
    typed = Op("typed", (expr.args[place],), Level.STEP, is_bool=False)
    return replace(expr, args=(*expr.args[:place], typed, *expr.args[place + 1 :]))
