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

_THREADS = "threads: How many threads share the work of a step on a million elements and more."
_COMPILED = """\
engine: "numpy", "numba" (one compiled loop), or "auto": numba where it is installed,
    for a step on a million elements and more. Both have the same error bound."""
_NOT_COMPILED = 'engine: "numpy" or "auto", which is the same; numba cannot compile this rule.'
_WHOLE = "threads, engine: Without effect on this rule, which looks at whole variables."


def class_documentation(
    program: Program, arguments: Sequence[Argument], in_place: bool, is_compiled: bool
) -> list[Documentation]:
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
            *indented(_running(in_place, is_compiled)),
            *_schedules(program, arguments),
        ]
    )


def _running(in_place: bool, is_compiled: bool) -> list[str]:
    """What the arguments do that say how a step is run."""
    if not in_place:
        return [_WHOLE]
    return [_THREADS, *(_COMPILED if is_compiled else _NOT_COMPILED).split("\n")]


def _schedules(program: Program, arguments: Sequence[Argument]) -> list[str]:
    """Which of the arguments may change from step to step."""
    names = [a.name for a in arguments if a.item in program.hypers]
    if not names:
        return []
    kind = "a schedule: a function" if len(names) == 1 else "schedules: functions"
    text = f"{listed(names)} may be {kind} of the number of steps done so far."
    return ["", *textwrap.wrap(text, WIDTH - 4)]
