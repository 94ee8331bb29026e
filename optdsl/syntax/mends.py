"""What is wrong with a line that no form fits, in words of the language, and the mend."""

from __future__ import annotations

from optdsl.syntax.keywords import Context
from optdsl.syntax.report import Report
from optdsl.syntax.scanner import Token


def explain(
    context: Context, line: list[Token], position: int, expected: set[str], report: Report
) -> None:
    """Report the error of `line` at its token number `position` (its length: at the end)."""
    token = line[min(position, len(line) - 1)]
    report.error("O102", "the line does not read", report.span(token.start, token.end))
