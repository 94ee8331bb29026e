"""The docstring of a generated class."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from optdsl.ir.nodes import Program
from optdsl.targets.keras_v2.arguments import Argument
from optdsl.targets.layout import WIDTH
from optdsl.targets.text import Documentation

_OWN_ARGUMENTS = """\
name: The name of the optimizer, in front of those of its variables.
**kwargs: clipnorm, clipvalue and global_clipnorm; """

_DECAY = "decay, by which the learning rate becomes lr / (1 + decay * steps done); lr, the same as "
_DECAY += "learning_rate; "


def summary(program: Program) -> Documentation:
    """The first line of the documentation."""
    return Documentation(_documentation(program)[0])


def class_documentation(program: Program, arguments: Sequence[Argument]) -> Iterator[Documentation]:
    """The lines of the docstring of the class after the opening quotes, indented but the first."""
    lines = [
        *_documentation(program),
        "",
        "One step, for a variable w and its gradient g; t is 1 in the first::",
        "",
        *_indented(program.equations),
        "",
        "Args:",
        *_indented(line for a in arguments for line in a.documentation(WIDTH - 8)),
        *_indented(_own_arguments(arguments)),
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


def _own_arguments(arguments: Sequence[Argument]) -> list[str]:
    decay = _DECAY if any(a.public == "learning_rate" for a in arguments) else ""
    text = f"{_OWN_ARGUMENTS}{decay}and what else the constructor of OptimizerV2 takes."
    return [
        part
        for line in text.split("\n")
        for part in textwrap.wrap(line, WIDTH - 8, subsequent_indent="    ")
    ]


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def _schedules(program: Program, arguments: Sequence[Argument]) -> list[str]:
    """What the hyperparameters may be."""
    names = [a.public for a in arguments if a.item in program.hypers]
    if not names:
        return []
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    text = f"{listed} may be numbers, tensors, callables without arguments, or schedules, which "
    return ["", *textwrap.wrap(text + "see the number of steps done.", WIDTH - 4)]
