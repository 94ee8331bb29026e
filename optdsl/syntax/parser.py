"""Text to tree: `read_source` and `parse`.

A file is taken apart in three steps: characters to tokens (scanner.py), tokens to lines and blocks
(blocks.py), and each line to a node by the grammar (opt.lark, forms.py). So every line is read by
itself and one run reports the errors of all of them, one for one cause (mends.py words them).

Limits (limits.py gives the reasons): a file of 256 KiB, names and numbers of 64 characters, lines
of 2000 tokens, expressions 100 levels deep, 40 blocks inside one another, 1000 errors. What is
beyond ends in O105; no text raises an exception, and the time is linear in its length.
"""

from __future__ import annotations

from pathlib import Path

from optdsl.diagnostics import Diagnostics, Source, Span
from optdsl.syntax import tree
from optdsl.syntax.limits import MAX_FILE_BYTES
from optdsl.syntax.report import Report, TooManyErrors

_TOO_LARGE = f"a spec has at most {MAX_FILE_BYTES // 1024} KiB"


def read_source(path: Path, diagnostics: Diagnostics) -> Source | None:
    """The text of a file, without a byte order mark; None with O105 or O108 where it is no text.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    source = Source(str(path), "")
    if len(data) > MAX_FILE_BYTES:
        diagnostics.add("O105", _TOO_LARGE, Span(source, 0, 0))
        return None
    try:
        return Source(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        readable = Source(str(path), data.decode("utf-8", errors="replace"))
        message = f"the file is not UTF-8: its byte {error.start + 1} is 0x{data[error.start]:02X}"
        place = len(data[: error.start].decode("utf-8", errors="replace"))
        span = Span(readable, place, place + 1)
        diagnostics.add("O108", message, span, "save it as UTF-8")
        return None


def parse(source: Source, diagnostics: Diagnostics) -> tree.File | None:
    """The tree of a spec; None where it has errors. All of them are added to `diagnostics`."""
    before = Diagnostics()
    file = parse_partly(source, before)
    diagnostics.extend(before)
    return None if before.has_errors else file


def parse_partly(source: Source, diagnostics: Diagnostics) -> tree.File | None:
    """The tree of the lines that read, also where others do not; None where little can be read."""
    from optdsl.syntax.assembler import Assembler  # takes some time: it imports Lark
    from optdsl.syntax.blocks import split
    from optdsl.syntax.scanner import Scanner

    report = Report(source, diagnostics)
    if len(source.text) > MAX_FILE_BYTES:
        report.error("O105", _TOO_LARGE, report.span(0, 0))
        return None
    try:
        file = Assembler(report).file(split(Scanner(report).tokens(), report))
    except TooManyErrors:
        return None
    return file
