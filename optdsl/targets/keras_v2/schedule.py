"""Schedules for Keras: a LearningRateSchedule."""

from __future__ import annotations

from optdsl.ir.schedule import Schedule
from optdsl.targets import layout
from optdsl.targets.base import render_template
from optdsl.targets.keras_v2 import tables
from optdsl.targets.schedule import Style, view
from optdsl.targets.tensorflow import schedule as tensorflow


def _returned(value: str, fixed: bool) -> list[str]:
    return layout.call(f"return tf.{'constant' if fixed else 'cast'}", [value, "dtype"], "", 12)


STYLE = Style(
    "keras_v2",
    {**tables.NUMBERS, **tensorflow.FORMS},
    tables.TAKEN | {"step"},
    indent=12,
    returned=_returned,
    own=("name=None",),
    own_documentation=(
        "name: The name scope of the operations; that of the class where it is None.",
    ),
)


def render(schedule: Schedule) -> str:
    """The module for one schedule, without its header."""
    return render_template("keras_v2", view(tensorflow.adapt(schedule), STYLE), "schedule")
