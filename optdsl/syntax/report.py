"""Errors of the text, one for one cause."""

from __future__ import annotations

from bisect import bisect_left, insort

from optdsl.diagnostics import Diagnostics, Note, Source, Span
from optdsl.syntax.limits import MAX_ERRORS


class TooManyErrors(Exception):
    """The rest of the file is not worth reading."""


class Report:
    """Adds to a `Diagnostics` and remembers where, so that a spoiled line is not reported again."""

    def __init__(self, source: Source, diagnostics: Diagnostics) -> None:
        self.source = source
        self._diagnostics = diagnostics
        self._places: list[int] = []

    def __bool__(self) -> bool:
        """Whether there was any error."""
        return bool(self._places)

    def span(self, start: int, end: int) -> Span:
        """The characters from `start` to `end` (not included)."""
        return Span(self.source, start, end)

    def error(
        self, code: str, message: str, span: Span, help: str = "", notes: tuple[Note, ...] = ()
    ) -> None:
        """Add an error; raises TooManyErrors when there are more than a person would read."""
        self._diagnostics.add(code, message, span, help, notes)
        insort(self._places, span.start)
        if len(self._places) >= MAX_ERRORS:
            self._diagnostics.add("O105", "too many errors; the rest was not read", span)
            raise TooManyErrors

    def spoiled(self, start: int, end: int) -> bool:
        """Whether an error was reported between `start` and `end` (included)."""
        place = bisect_left(self._places, start)
        return place < len(self._places) and self._places[place] <= end
