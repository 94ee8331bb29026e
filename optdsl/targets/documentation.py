"""Docstrings, as far as all targets write them alike."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule
from optdsl.targets.layout import WIDTH
from optdsl.targets.text import Documentation


def written(program: Program) -> list[str]:
    """The documentation of the spec without its margin, lines that are too long wrapped."""
    return documented(program)


def documented(spec: Program | Schedule) -> list[str]:
    """The same of an optimizer or a schedule; its name where it has none."""
    lines = inspect.cleandoc(spec.doc).strip().split("\n")
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH - 8) or [""]]
    return wrapped if any(wrapped) else [f"{spec.name}."]


def summary(program: Program) -> Documentation:
    """The first line of the documentation."""
    return Documentation(written(program)[0])


def equations(program: Program) -> list[str]:
    """The paragraph with the equations of the spec."""
    head = "One step, for a variable w and its gradient g; t is 1 in the first::"
    lines = [head, "", *indented(part for line in program.equations for part in _wrapped(line))]
    if program.evaluation is not None:
        written = program.evaluation.equation.split("\n")
        lines += ["", "At evaluation, with t the number of steps done::", ""]
        lines += indented(part for line in written for part in _wrapped(line))
    return lines


def _wrapped(line: str) -> list[str]:
    """A line of the spec, with what is too long set in on lines of its own."""
    margin = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.wrap(line, WIDTH - 8, subsequent_indent=margin)


def indented(lines: Iterable[str]) -> Iterator[str]:
    """Lines one level further in."""
    return (f"    {line}" for line in lines)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def docstring(lines: Iterable[str]) -> list[Documentation]:
    """The lines between the quotes: the first follows them, the others are indented."""
    first, *others = lines
    return [Documentation(first), *(Documentation(f"    {x}" if x else "") for x in others)]
