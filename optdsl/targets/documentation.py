"""Docstrings, as far as all targets write them alike."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule
from optdsl.targets.layout import WIDTH
from optdsl.targets.text import Documentation

#: How long a line of text may be inside a docstring of a class.
_TEXT = WIDTH - 8


def documented(spec: Program | Schedule) -> list[str]:
    """The documentation of a spec without its margin, text filled anew where a line is too long;
    its name where it has none.
    """
    lines = inspect.cleandoc(spec.doc).strip().split("\n")
    found: list[str] = []
    for is_text, group in groupby(lines, lambda line: line[:1] not in ("", " ", "\t", "-", "*")):
        part = list(group)
        found += _filled(part) if is_text else [w for line in part for w in _broken(line)]
    return found if any(found) else [f"{spec.name}."]


def _filled(paragraph: list[str]) -> list[str]:
    """A paragraph as it is, or filled anew where a line of it is too long."""
    if all(len(line) <= _TEXT for line in paragraph):
        return paragraph
    return textwrap.wrap(" ".join(paragraph), _TEXT)


def _broken(line: str) -> list[str]:
    """A line that is empty, set in or an item of a list, wrapped."""
    return textwrap.wrap(line, _TEXT) or [""]


def summary(program: Program) -> Documentation:
    """The first line of the documentation."""
    return Documentation(documented(program)[0])


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
