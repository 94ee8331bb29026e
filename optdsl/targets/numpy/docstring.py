"""Docstrings: the documentation of a spec, its equations, its arguments."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from optdsl.ir.nodes import Program
from optdsl.targets.documentation import docstring, documented, equations, indented, listed
from optdsl.targets.layout import WIDTH
from optdsl.targets.numpy.arguments import Argument
from optdsl.targets.text import Documentation

_CLIPPING = """\
clipvalue: Every element of a gradient is clipped to [-clipvalue, clipvalue].
clipnorm: A gradient whose norm is greater is scaled down to this norm.
global_clipnorm: The same for the norm of all the gradients together."""

_OVERRIDES = 'overrides: Of some arrays: {pattern of keys: {hyperparameter: number or "*factor"}}.'

_RUNNING = """\
threads: How many threads change large arrays, each a part of them.
engine: "numpy"; "numba" for one compiled loop; "auto" for the loop in steps of a million elements
    and more where numba is installed. The last bits differ."""


def class_documentation(program: Program, arguments: Sequence[Argument]) -> list[Documentation]:
    """The lines of the docstring of the class after the opening quotes, indented but the first."""
    return docstring(
        [
            *documented(program),
            "",
            *equations(program),
            "",
            "Args:",
            *indented(line for a in arguments for line in a.documentation(WIDTH - 8)),
            *indented(_CLIPPING.split("\n")),
            *(indented([_OVERRIDES]) if program.hypers else []),
            *indented(_RUNNING.split("\n")),
            *_schedules(program, arguments),
        ]
    )


def _schedules(program: Program, arguments: Sequence[Argument]) -> list[str]:
    """Which of the arguments may change from step to step."""
    names = [a.name for a in arguments if a.item in program.hypers]
    if not names:
        return []
    kind = "a schedule: a function" if len(names) == 1 else "schedules: functions"
    text = f"{listed(names)} may be {kind} of the number of steps done so far."
    return ["", *textwrap.wrap(text, WIDTH - 4)]
