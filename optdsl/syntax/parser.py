"""Text to tree: `read_source` and `parse`.

A file is taken apart in three steps: characters to tokens (scanner.py), tokens to lines and blocks
(blocks.py), and each line to a node by the grammar (opt.lark, forms.py). So every line is read by
itself and one run reports the errors of all of them, one for one cause (mends.py words them).

Limits (limits.py gives the reasons): a file of 1 MiB, names and numbers of 64 characters,
expressions 100 levels deep, 40 blocks inside one another, 1000 errors. What is beyond ends in the
diagnostic O105; nothing in a file raises anything else, and the time is linear in its size.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from optdsl.diagnostics import Diagnostics, Source, Span
from optdsl.syntax import tree
from optdsl.syntax.blocks import Line, split
from optdsl.syntax.forms import Else, Form, read_form
from optdsl.syntax.keywords import Context
from optdsl.syntax.limits import MAX_BLOCKS, MAX_FILE_BYTES
from optdsl.syntax.report import Report, TooManyErrors
from optdsl.syntax.scanner import Scanner


def read_source(path: Path, diagnostics: Diagnostics) -> Source | None:
    """The text of a file, without a byte order mark; None with O105 or O108 where it is no text.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    source = Source(str(path), "")
    if len(data) > MAX_FILE_BYTES:
        message = f"the file is larger than {MAX_FILE_BYTES} bytes"
        diagnostics.add("O105", message, Span(source, 0, 0))
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
    """The tree of a spec. Errors O1xx are added to `diagnostics`, all of them in one run; then None."""
    report = Report(source, diagnostics)
    try:
        file = _Assembler(report).file(split(Scanner(report).tokens(), report))
    except TooManyErrors:
        return None
    return None if report else file


class _Assembler:
    """Lines and blocks to the nodes that hold others."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def file(self, lines: list[Line]) -> tree.File:
        definitions: list[tree.Def] = []
        optimizers: list[tree.Optimizer | tree.Composition] = []
        for line in lines:
            form = self._form("file_line", line)
            if isinstance(form, tree.Def):
                definitions.append(form)
            elif isinstance(form, tree.Composition):
                optimizers.append(form)
            elif line.block is not None:
                optimizers.extend(self._optimizer(form, line.block))
        if not optimizers and not self._report:
            self._report.error("O109", "the file holds no optimizer", self._report.span(0, 0))
        return tree.File(self._report.source, tuple(definitions), tuple(optimizers))

    def _form(self, context: Context, line: Line) -> Form | None:
        """The node of a line; reports a block that is missing or does not belong there."""
        if not line.tokens:
            return None
        form = read_form(context, line.tokens, self._report)
        last = line.tokens[-1]
        wants_block = isinstance(
            form, (tree.Optimizer, tree.For, tree.Stage, tree.If, tree.Every, Else)
        )
        if form is not None and wants_block is not (line.block is not None):
            message = "'{' is missing" if wants_block else "no block belongs to this line"
            self._report.error("O102", message, self._report.span(last.end, last.end))
            return None
        return form

    def _optimizer(self, form: Form | None, lines: list[Line]) -> list[tree.Optimizer]:
        declarations: list[tree.Declaration] = []
        stages: list[tree.Stage] = []
        for line in lines:
            part = self._part(line)
            if isinstance(part, tree.Stage):
                stages.append(part)
            elif part is not None:
                declarations.append(part)
        if not isinstance(form, tree.Optimizer):
            return []
        self._check_stages(form, stages)
        return [replace(form, declarations=tuple(declarations), stages=tuple(stages))]

    def _part(self, line: Line) -> tree.Declaration | tree.Stage | None:
        form = self._form("body_line", line)
        block = line.block or []
        if isinstance(form, tree.For) or (line.tokens and line.tokens[0].text == "for"):
            settings = self._settings(block)
            return replace(form, settings=settings) if isinstance(form, tree.For) else None
        if line.block is not None:
            body = self._statements(block, 1)
            return replace(form, body=body) if isinstance(form, tree.Stage) else None
        return form  # type: ignore[return-value]

    def _settings(self, lines: list[Line]) -> tuple[tree.Setting, ...]:
        forms = [self._form("setting", line) for line in lines]
        return tuple(f for f in forms if f is not None)  # type: ignore[misc]

    def _check_stages(self, optimizer: tree.Optimizer, stages: list[tree.Stage]) -> None:
        name = optimizer.name
        if self._report:
            return
        if not stages:
            help = "what one step does stands in 'update { … }'"
            self._report.error("O102", f"'{name.text}' has no update", name.span, help)
        updates = [s for s in stages if s.name is None]
        if updates and len(stages) > 1:
            second = stages[1]
            help = "one 'update', or several 'stage NAME' in its place"
            self._report.error("O102", f"'{name.text}' has several updates", second.span, help)

    def _statements(self, lines: list[Line], depth: int) -> tuple[tree.Statement, ...]:
        found: list[tree.Statement] = []
        position = 0
        while position < len(lines):
            position, statement = self._statement(lines, position, depth)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _statement(
        self, lines: list[Line], position: int, depth: int
    ) -> tuple[int, tree.Statement | None]:
        line = lines[position]
        form = self._form("statement", line)
        body = self._block(line, depth)
        position += 1
        if isinstance(form, tree.Every):
            return position, replace(form, body=body)
        if line.tokens[:1] and line.tokens[0].kind == "IF":
            position, orelse = self._orelse(lines, position, depth + 1)
            return position, self._branch(form, body, orelse)
        if isinstance(form, Else):
            help = "it goes on an 'if', behind its '}' or on the line after it"
            self._report.error("O102", "'else' without 'if'", form.span, help)
            return position, None
        return position, form  # type: ignore[return-value]

    def _orelse(
        self, lines: list[Line], position: int, depth: int
    ) -> tuple[int, tuple[tree.Statement, ...]]:
        """What stands in the `else`s from `position` on, and the position behind them."""
        line = lines[position] if position < len(lines) else Line([])
        if not line.tokens or line.tokens[0].kind != "ELSE" or depth > MAX_BLOCKS + 1:
            return position, ()
        form = self._form("statement", line)
        body = self._block(line, depth)
        if len(line.tokens) == 1:
            return position + 1, body
        position, orelse = self._orelse(lines, position + 1, depth + 1)
        statement = self._branch(form, body, orelse)
        return position, (statement,) if statement else ()

    def _branch(
        self,
        form: Form | None,
        then: tuple[tree.Statement, ...],
        orelse: tuple[tree.Statement, ...],
    ) -> tree.If | None:
        if isinstance(form, Else) and form.condition is not None:
            return tree.If(form.condition, then, orelse, form.span)
        return replace(form, then=then, orelse=orelse) if isinstance(form, tree.If) else None

    def _block(self, line: Line, depth: int) -> tuple[tree.Statement, ...]:
        if depth <= MAX_BLOCKS:
            return self._statements(line.block or [], depth + 1)
        if line.block is not None:
            message = f"blocks stand at most {MAX_BLOCKS} deep inside one another"
            first, last = line.tokens[0], line.tokens[-1]
            self._report.error("O105", message, self._report.span(first.start, last.end))
        return ()
