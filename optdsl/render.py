"""Diagnostics as text for people and as plain data for programs."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from optdsl.diagnostics import MAX_REPORTED, Diagnostic, Span

#: Columns of a source line that are shown; a longer one is cut around the place.
_WIDTH = 96
_TAB = "    "
_ELLIPSIS = "…"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


def render_text(diagnostics: Sequence[Diagnostic]) -> str:
    """The findings with their source lines, errors first where there are more than 50 in all.

    Without a line end behind the last line, and without colour.
    """
    shown = sorted(diagnostics, key=lambda d: not d.is_error)[:MAX_REPORTED]
    blocks = [_block(d) for d in diagnostics if any(d is s for s in shown)]
    if len(diagnostics) > len(shown):
        blocks.append(f"{_ELLIPSIS} and {len(diagnostics) - len(shown)} more")
    return "\n".join(blocks)


def render_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, Any]]:
    """All findings as dicts: code, severity, message, help, place and notes.

    Lines and columns count from 1, and `end_column` is behind the last character.
    """
    return [
        {
            "code": d.code,
            "severity": d.severity,
            "message": d.message,
            "help": d.help,
            **_place(d.span),
            "notes": [{"message": n.message, **_place(n.span)} for n in d.notes],
        }
        for d in diagnostics
    ]


def _place(span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _block(diagnostic: Diagnostic) -> str:
    kind = f"{diagnostic.severity}[{diagnostic.code}]"
    lines = [_head(diagnostic.span, kind, diagnostic.message)]
    lines += _excerpt(diagnostic.span, diagnostic.help)
    for note in diagnostic.notes:
        lines += [_head(note.span, "note", note.message), *_excerpt(note.span, "")]
    return "\n".join(lines)


def _head(span: Span, kind: str, message: str) -> str:
    line, column = span.source.position(span.start)
    return f"{escape(span.source.name)}:{line}:{column}: {kind}: {escape(message)}"


def _excerpt(span: Span, help: str) -> list[str]:
    """The source line, and under it the place with the help."""
    number, column = span.source.position(span.start)
    text = span.source.line(number)
    start = min(column - 1, len(text))
    end = max(min(start + span.end - span.start, len(text)), start)
    before, marked, after = _cut(*(escape(t) for t in (text[:start], text[start:end], text[end:])))
    under = " " * _columns(before) + "^" * max(_columns(marked), 1)
    gutter = f"{number:5d}"
    return [
        f"{gutter} | {before}{marked}{after}".rstrip(),
        f"{' ' * len(gutter)} | {under} {escape(help)}".rstrip(),
    ]


def _cut(before: str, marked: str, after: str) -> tuple[str, str, str]:
    """The three parts of a line with about _WIDTH characters left around the marked one."""
    if len(before) + len(marked) + len(after) <= _WIDTH:
        return before, marked, after
    if len(marked) > _WIDTH // 2:
        marked, after = marked[: _WIDTH // 2] + _ELLIPSIS, ""
    room = _WIDTH - len(marked)
    left = min(max(room // 2, room - len(after)), len(before))
    right = room - left
    if left < len(before):
        before = _ELLIPSIS + before[len(before) - left :]
    if right < len(after):
        after = after[:right] + _ELLIPSIS
    return before, marked, after


def escape(text: str) -> str:
    r"""The text on one line without control characters: they are spelled `\x1b` or `\u202e`."""
    return "".join(c if c == " " or c.isalnum() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    if char == "\t":
        return _TAB
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    return char.encode("unicode_escape").decode("ascii") if ord(char) != 0xA0 else "\\xa0"


def _columns(text: str) -> int:
    """Columns of a terminal that a text takes."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
