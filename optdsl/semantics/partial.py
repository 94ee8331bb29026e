"""Findings of meaning in a file of which some lines do not read: those that are sure anyway."""

from __future__ import annotations

import re

from optdsl.diagnostics import Diagnostic, Diagnostics

#: Errors of the text after which the rest of the file may be something else than it seems.
_SPOILING = frozenset({"O103", "O104", "O105", "O108"})

#: Findings that lines which do not read cannot have caused.
_SURE = frozenset(
    "O202 O203 O204 O206 O207 O301 O302 O303 O304 O305 O306 O307 O308 O309 O310 O311 O401 O402"
    " O403 O601 O901".split()
)
#: Findings that a missing declaration may have caused.
_UNKNOWN_NAME = frozenset({"O201", "O205"})


def sure_findings(of_text: Diagnostics, of_meaning: Diagnostics) -> Diagnostics:
    """What is wrong in the lines that do read, whatever the lines that do not were meant to say.

    `of_text` are the errors of the text, `of_meaning` what was found in the tree of the rest.
    """
    sure = Diagnostics()
    errors = [d for d in of_text.all if d.is_error]
    if not any(d.code in _SPOILING for d in errors):
        words = {word for d in errors for word in re.findall(r"\w+", _lines(d))}
        sure.extend_with(d for d in of_meaning.all if _is_sure(d, words))
    return sure


def _is_sure(found: Diagnostic, words: set[str]) -> bool:
    if found.code in _UNKNOWN_NAME:
        return not words.intersection(re.findall(r"\w+", found.span.text))
    return found.code in _SURE


def _lines(found: Diagnostic) -> str:
    """The whole lines of the source in which a finding stands."""
    text = found.span.source.text
    start = text.rfind("\n", 0, found.span.start) + 1
    end = text.find("\n", found.span.end)
    return text[start : len(text) if end < 0 else end]
