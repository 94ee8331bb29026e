"""Schedules in NumPy: one number of float64."""

from __future__ import annotations

from optdsl.ir.schedule import Schedule
from optdsl.targets import layout
from optdsl.targets.base import render_template
from optdsl.targets.numpy import tables
from optdsl.targets.printer import Form
from optdsl.targets.schedule import Style, view

_FORMS: dict[str, Form] = {
    **tables.numbers("t"),
    "cos": "np.cos({0})",
    "piecewise": "{2}[np.searchsorted({1}, {0})]",
}


def _returned(value: str, _fixed: bool) -> list[str]:
    return layout.call("return float", [value], "", 8)


STYLE = Style("numpy", _FORMS, tables.TAKEN | {"numbers", "step"}, indent=8, returned=_returned)


def render(schedule: Schedule) -> str:
    """The module for one schedule, without its header."""
    return render_template("numpy", view(schedule, STYLE), "schedule")
