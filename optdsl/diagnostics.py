"""Places in a spec and what is to be said about them.

A `Source` is one text, a `Span` a stretch of it, a `Diagnostic` a finding with a stable code.
Every part of the compiler reports by adding to a `Diagnostics` list and going on, so that one
run shows all the errors of a file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from optdsl.catalogue import CATALOGUE

#: At most this many errors of one run are reported in full; the rest is counted.
MAX_REPORTED = 50


@dataclass(frozen=True, eq=False)
class Source:
    """One spec text. `name` is how diagnostics and headers call it (a path as the user gave it)."""

    name: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0] + [i + 1 for i, char in enumerate(self.text) if char == "\n"]

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character, both counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(frozen=True)
class Span:
    """The characters `start` to `end` (not included) of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of the other."""
        return Span(self.source, self.start, other.end)

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]


@dataclass(frozen=True)
class Note:
    """A second place that explains a diagnostic."""

    message: str
    span: Span


@dataclass(frozen=True)
class Diagnostic:
    """One finding. `help` is the mend, in a phrase; it stands beside the underline."""

    code: str
    message: str
    span: Span
    help: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def is_error(self) -> bool:
        return CATALOGUE[self.code].severity == "error"

    @property
    def severity(self) -> str:
        return CATALOGUE[self.code].severity


class Diagnostics:
    """The findings of one run, in the order of their places when read."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._seen: set[tuple[str, str, Span]] = set()
        #: Names that no spec holds, and how the spec writes them: {"v_0": "v[0]"}.
        self.written: dict[str, str] = {}

    def add(
        self, code: str, message: str, span: Span, help: str = "", notes: tuple[Note, ...] = ()
    ) -> None:
        """Report; `code` must be in the catalogue. The same at the same place counts once."""
        if code not in CATALOGUE:
            raise KeyError(code)
        notes = tuple(Note(self._as_written(note.message), note.span) for note in notes)
        self._add(Diagnostic(code, self._as_written(message), span, self._as_written(help), notes))

    def _as_written(self, text: str) -> str:
        """A text with the names in quotes as the spec writes them."""
        if not self.written:
            return text
        return re.sub(r"'(\w+)'", lambda m: f"'{self.written.get(m[1], m[1])}'", text)

    def _add(self, found: Diagnostic) -> None:
        message = re.sub(r"\[\d+\]", "[]", found.message)  # one entry of a list speaks for all
        key = (found.code, message, found.span)
        if key not in self._seen:
            self._seen.add(key)
            self._found.append(found)

    def extend(self, other: Diagnostics) -> None:
        """Take over the findings of another run."""
        self.extend_with(other._found)

    def extend_with(self, found: Iterable[Diagnostic]) -> None:
        """Take over some findings."""
        for finding in found:
            self._add(finding)

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self._found)

    @property
    def all(self) -> tuple[Diagnostic, ...]:
        """All findings by file, then place."""
        return tuple(sorted(self._found, key=lambda d: (d.span.source.name, d.span.start, d.code)))


class SpecError(Exception):
    """A spec has errors. `diagnostics` holds all findings; `str()` renders them as text."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        super().__init__()

    def __str__(self) -> str:
        from optdsl.render import render_text

        return render_text(self.diagnostics)
