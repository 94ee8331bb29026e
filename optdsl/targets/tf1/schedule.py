"""Schedules for tf.train: a tensor of the global step, to be given as a learning rate."""

from __future__ import annotations

from collections.abc import Callable

from optdsl.ir.nodes import Value
from optdsl.ir.schedule import Schedule
from optdsl.targets import layout
from optdsl.targets.base import render_template
from optdsl.targets.printer import Printer
from optdsl.targets.schedule import Style, view
from optdsl.targets.tensorflow import schedule as tensorflow
from optdsl.targets.tf1 import tables


def _printer(name: Callable[[Value], str], static: Printer) -> Printer:
    return tensorflow.printer(tables.NUMBERS, name, static)


def _returned(value: str, fixed: bool) -> list[str]:
    if fixed:
        return layout.call("return tf.constant", [value, "tf.float64"], "", 12)
    return [" " * 12 + f"return {value}"]


_STYLE = Style("tf1", _printer, tables.TAKEN | {"global_step"}, indent=12, returned=_returned)


def render(schedule: Schedule) -> str:
    """The module for one schedule, without its header."""
    return render_template("tf1", view(tensorflow.adapt(schedule), _STYLE), "schedule")
