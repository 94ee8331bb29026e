"""Lines and blocks to the nodes that hold others: files, optimizers, blocks of statements."""

from __future__ import annotations

from dataclasses import replace

from optdsl.syntax import tree
from optdsl.syntax.blocks import Line
from optdsl.syntax.forms import Else, Form, read_form
from optdsl.syntax.keywords import FIRST_WORDS, Context
from optdsl.syntax.limits import MAX_BLOCKS
from optdsl.syntax.report import Report

#: Lines that a block belongs to.
_WITH_BLOCK = (
    tree.Optimizer,
    tree.Schedule,
    tree.For,
    tree.Stage,
    tree.If,
    tree.Every,
    tree.Repeat,
    Else,
)


class Assembler:
    """Makes the tree of one file."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._too_deep = False  # reported once

    def file(self, lines: list[Line]) -> tree.File:
        definitions: list[tree.Def] = []
        optimizers: list[tree.Optimizer | tree.Composition] = []
        schedules: list[tree.Schedule] = []
        for line in _without_stray(lines):
            form = self._form("file_line", line)
            if isinstance(form, tree.Def):
                definitions.append(form)
            elif isinstance(form, tree.Composition):
                optimizers.append(form)
            elif line.tokens and line.tokens[0].text == "schedule":
                schedules.extend(self._schedule(form, line.block or []))
            elif line.tokens and line.block is not None:
                optimizers.extend(self._optimizer(form, line.block))
        if not (optimizers or schedules or self._report):
            message = "the file holds no optimizer and no schedule"
            self._report.error("O109", message, self._report.span(0, 0))
        source = self._report.source
        return tree.File(source, tuple(definitions), tuple(optimizers), tuple(schedules))

    def _form(self, context: Context, line: Line) -> Form | None:
        """The node of a line; reports a block that is missing or does not belong there."""
        if not line.tokens:
            return None
        form = read_form(context, line.tokens, self._report)
        brace = line.brace or line.tokens[-1]
        wants_block = isinstance(form, _WITH_BLOCK) or (
            isinstance(form, tree.Value) and not form.body
        )
        if form is not None and wants_block is not (line.block is not None):
            message = "a block is missing" if wants_block else "no block belongs to this line"
            self._report.error("O102", message, self._report.span(brace.start, brace.end))
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
        if not self._report.spoiled(form.span.start, lines[-1].end if lines else 0):
            self._check_stages(form, stages)
        return [replace(form, declarations=tuple(declarations), stages=tuple(stages))]

    def _part(self, line: Line) -> tree.Declaration | tree.Stage | None:
        form = self._form("body_line", line)
        block = line.block or []
        if isinstance(form, tree.For) or (line.tokens and line.tokens[0].text == "for"):
            settings = self._settings(block)
            return replace(form, settings=settings) if isinstance(form, tree.For) else None
        if line.block is not None and line.tokens[:1] and line.tokens[0].text != "def":
            body = self._statements(block, 1)
            return replace(form, body=body) if isinstance(form, tree.Stage) else None
        return form  # type: ignore[return-value]

    def _schedule(self, form: Form | None, lines: list[Line]) -> list[tree.Schedule]:
        declarations: list[tree.Declaration] = []
        values: list[tree.Value] = []
        for line in lines:
            part = self._schedule_part(line)
            if isinstance(part, tree.Value):
                values.append(part)
            elif part is not None:
                declarations.append(part)
        if not isinstance(form, tree.Schedule):
            return []
        if not self._report.spoiled(form.span.start, lines[-1].end if lines else 0):
            self._check_values(form, values)
        body = values[0].body if values else ()
        return [replace(form, declarations=tuple(declarations), body=body)]

    def _schedule_part(self, line: Line) -> tree.Declaration | tree.Value | None:
        form = self._form("schedule_line", line)
        block = line.block or []
        if isinstance(form, tree.For) or (line.tokens and line.tokens[0].text == "for"):
            settings = self._settings(block)
            return replace(form, settings=settings) if isinstance(form, tree.For) else None
        if line.tokens and line.tokens[0].text == "value" and line.block is not None:
            body = self._statements(block, 1)
            return replace(form, body=body) if isinstance(form, tree.Value) else None
        return form  # type: ignore[return-value]

    def _check_values(self, schedule: tree.Schedule, values: list[tree.Value]) -> None:
        name = schedule.name
        if not values:
            help = "what it gives stands in 'value = …' or 'value { … }'"
            self._report.error("O102", f"'{name.text}' has no value", name.span, help)
        for second in values[1:]:
            help = "one 'value = …', or one 'value { … }' that assigns to 'value'"
            self._report.error("O102", f"'{name.text}' has several values", second.span, help)

    def _settings(self, lines: list[Line]) -> tuple[tree.Setting, ...]:
        forms = [self._form("setting", line) for line in lines]
        return tuple(f for f in forms if f is not None)  # type: ignore[misc]

    def _check_stages(self, optimizer: tree.Optimizer, stages: list[tree.Stage]) -> None:
        name = optimizer.name
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
        if isinstance(form, (tree.Every, tree.Repeat)):
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
        if line.block is not None and not self._too_deep:
            self._too_deep = True
            message = f"blocks stand at most {MAX_BLOCKS} deep inside one another"
            first, last = line.tokens[0], line.tokens[-1]
            self._report.error("O105", message, self._report.span(first.start, last.end))
        return ()


def _without_stray(lines: list[Line]) -> list[Line]:
    """The lines of a file, of those in a row that cannot be meant for one only the first."""
    found: list[Line] = []
    was_stray = False
    for line in lines:
        words = {t.text for t in line.tokens[:1]}
        is_stray = line.block is None and not words & FIRST_WORDS["file_line"]
        if not (is_stray and was_stray):
            found.append(line)
        was_stray = is_stray
    return found
