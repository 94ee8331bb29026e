"""Schedules for tf.train: a tensor of the global step, to be given as a learning rate."""

from __future__ import annotations

from optdsl.ir.schedule import Schedule
from optdsl.targets import layout
from optdsl.targets.base import render_template
from optdsl.targets.schedule import Style, view
from optdsl.targets.tensorflow import schedule as tensorflow
from optdsl.targets.tf1 import tables


def _returned(value: str, fixed: bool) -> list[str]:
    if fixed:
        return layout.call("return tf.constant", [value, "tf.float64"], "", 12)
    return [" " * 12 + f"return {value}"]


_FORMS = {**tables.NUMBERS, **tensorflow.FORMS}
STYLE = Style("tf1", _FORMS, tables.TAKEN | {"global_step"}, indent=12, returned=_returned)


def render(schedule: Schedule) -> str:
    """The module for one schedule, without its header."""
    return render_template("tf1", view(tensorflow.adapt(schedule), STYLE), "schedule")
