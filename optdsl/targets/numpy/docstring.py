"""Docstrings: the documentation of a spec, its equations, its arguments."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from optdsl.ir.nodes import Program
from optdsl.targets.layout import WIDTH
from optdsl.targets.numpy.arguments import Argument
from optdsl.targets.text import Documentation

_CLIPPING = """\
clipvalue: Every element of a gradient is clipped to [-clipvalue, clipvalue].
clipnorm: A gradient whose norm is greater is scaled down to this norm.
global_clipnorm: The same for the norm of all the gradients together."""


def summary(program: Program) -> Documentation:
    """The first line of the documentation."""
    return Documentation(_documentation(program)[0])


def class_documentation(program: Program, arguments: Sequence[Argument]) -> Iterator[Documentation]:
    """The lines of the docstring of the class after the opening quotes, indented but the first."""
    lines: list[str] = [
        *_documentation(program),
        "",
        "Step t = 1, 2, 3, ... of a variable w with the gradient g::",
        "",
        *_indented(x for line in program.equations for x in _wrapped(line)),
        "",
        "Args:",
        *_indented(line for a in arguments for line in a.documentation(WIDTH - 8)),
        *_indented(_CLIPPING.split("\n")),
        *_schedules(program, arguments),
    ]
    yield Documentation(lines[0])
    for line in lines[1:]:
        yield Documentation(f"    {line}".rstrip())


def _documentation(program: Program) -> list[str]:
    """The documentation of the spec without its margin, lines that are too long wrapped."""
    lines = inspect.cleandoc(program.doc).strip().split("\n")
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH - 8) or [""]]
    return wrapped if any(wrapped) else [program.name]


def _wrapped(line: str) -> list[str]:
    """A line of the spec, its continuation set in."""
    margin = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.wrap(line, WIDTH - 8, subsequent_indent=margin)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _schedules(program: Program, arguments: Sequence[Argument]) -> list[str]:
    """Which of the arguments may change from step to step."""
    names = [a.name for a in arguments if a.item in program.hypers]
    if not names:
        return []
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    text = f"{listed} may be schedules: functions of the number of steps done so far."
    return ["", *textwrap.wrap(text, WIDTH - 4)]
