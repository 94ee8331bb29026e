"""Schedules as plain Python: numbers of the interpreter, and the module math."""

from __future__ import annotations

from collections.abc import Callable

from optdsl.ir.nodes import Value
from optdsl.ir.schedule import Schedule
from optdsl.targets import layout
from optdsl.targets.base import render_template
from optdsl.targets.numpy import tables
from optdsl.targets.printer import PYTHON, Form, Printer
from optdsl.targets.schedule import PI, Style, view

_FORMS: dict[str, Form] = {
    **PYTHON,
    "sigmoid": "_sigmoid({0})",
    "piecewise": "{2}[bisect.bisect_left({1}, {0})]",
}


def _printer(name: Callable[[Value], str], _static: Printer) -> Printer:
    return Printer(_FORMS, name, pi=PI)


def _returned(value: str, _fixed: bool) -> list[str]:
    return layout.call("return float", [value], "", 8)


_STYLE = Style(
    "numpy", _printer, tables.TAKEN | {"bisect", "numbers", "step"}, indent=8, returned=_returned
)


def render(schedule: Schedule) -> str:
    """The module for one schedule, without its header."""
    return render_template("numpy", view(schedule, _STYLE), "schedule")
