"""Tokens to lines and their blocks.

Where brackets and braces match, only they count. Where they do not, the indentation says which
one is missing or too many, so that one error does not make the rest of the file unreadable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from optdsl.syntax.report import Report
from optdsl.syntax.scanner import Token

_OPENING = {"LPAR": ")", "LSQB": "]"}
_CLOSING = frozenset({"RPAR", "RSQB"})
_OPERATORS = frozenset(
    {"PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "POWER", "COMPARE", "AND", "OR"}
)
_VALUES = frozenset({"NAME", "NUMBER", "TRUE", "FALSE", "LPAR", "NOT"})
_DECLARATIONS = frozenset({"hyper", "const", "flag", "slot", "shared", "sparse", "stage"})
_BLANK = re.compile(r"[ \t]*")
_FILE_HEADERS = frozenset({"optimizer", "wrapper", "schedule"})


@dataclass
class Line:
    """The tokens of a line up to its end or brace; `block` is None where no `{` follows."""

    tokens: list[Token]
    block: list[Line] | None = None
    brace: Token | None = None

    @property
    def end(self) -> int:
        """The place behind the last token, 0 for a line without any."""
        return self.tokens[-1].end if self.tokens else 0


@dataclass
class _Open:
    """A block being read: its lines, its header's indentation, its brace (None: missing)."""

    lines: list[Line]
    indent: int
    brace: Token | None


def split(tokens: list[Token], report: Report) -> list[Line]:
    """The lines of a file; what is wrong with brackets and braces is reported."""
    return _Splitter(tokens, report, _balanced(tokens)).split()


def _balanced(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        depth += (token.kind == "LBRACE") - (token.kind == "RBRACE")
        if depth < 0:
            return False
    return depth == 0


@dataclass
class _Splitter:
    _tokens: list[Token]
    _report: Report
    _balanced: bool
    _position: int = 0
    _stack: list[_Open] = field(default_factory=lambda: [_Open([], -1, None)])
    _indents: dict[int, int] = field(default_factory=dict)
    _blamed: bool = False  # a brace of this optimizer was reported; others may follow from it

    def split(self) -> list[Line]:
        while (token := self._tokens[self._position]).kind != "END":
            if token.kind == "NEWLINE":
                self._position += 1
            elif token.kind == "RBRACE":
                self._close(token)
            elif token.kind == "LBRACE":
                self._headless(token)
            else:
                self._line(token)
        self._close_all()
        return self._stack[0].lines

    # ---- lines

    def _line(self, first: Token) -> None:
        if first.text in _FILE_HEADERS and self._next(1).kind == "NAME":
            self._close_all()
            self._blamed = False
        self._close_dedented(first)
        line = Line(_else_if(self._collect(), self._report))
        self._stack[-1].lines.append(line)
        if self._next().kind == "LBRACE":
            self._open(line, self._next())
            self._position += 1
        elif _is_header(line.tokens):
            self._missing_brace(line)

    def _collect(self) -> list[Token]:
        """The tokens up to a brace or the end of the line; inside brackets the line goes on."""
        found: list[Token] = []
        opened: list[Token] = []
        while (token := self._next()).kind not in ("LBRACE", "RBRACE", "END"):
            if token.kind == "NEWLINE":
                if self._begins_anew(found[-1]) if opened else not self._goes_on(found):
                    break
            else:
                found.append(token)
                self._match_bracket(token, opened)
            self._position += 1
        if opened:
            message = f"'{opened[-1].text}' is not closed"
            help = f"write '{_OPENING[opened[-1].kind]}' where it ends"
            self._error("O104", message, opened[-1], help)
        return found

    def _match_bracket(self, token: Token, opened: list[Token]) -> None:
        if token.kind in _OPENING:
            opened.append(token)
        elif token.kind in _CLOSING and opened:
            opened.pop()
        elif token.kind in _CLOSING:
            self._error("O104", f"'{token.text}' closes nothing", token, "delete it")

    def _goes_on(self, found: list[Token]) -> bool:
        """Whether a line is continued without parentheses; that is reported."""
        following, last = self._next(1), found[-1]
        if len(found) > 1 and found[-2].kind == last.kind:
            return False  # `m++`
        if following.kind in _OPERATORS:
            culprit = following
        elif last.kind in _OPERATORS and following.kind in _VALUES and not self._begins_anew(last):
            culprit = last
        else:
            return False
        message = f"a line neither begins nor ends with '{culprit.text}'"
        self._error("O102", message, culprit, "write the expression in parentheses")
        return True

    def _begins_anew(self, last: Token) -> bool:
        """Whether the next line cannot go on the one that ends here with an open bracket."""
        first, second = self._next(1), self._next(2)
        if first.kind in ("LET", "IF", "ELSE", "EVERY", "REPEAT", "INNER"):
            return True
        if first.kind != "NAME":
            return False
        if second.kind in ("EQUAL", "UPDATE_BY"):
            return last.kind not in ("COMMA", "LPAR", "LSQB")
        return second.kind == "NAME" and first.text in _DECLARATIONS | _FILE_HEADERS

    # ---- blocks

    def _open(self, line: Line, brace: Token | None) -> None:
        line.block, line.brace = [], brace
        first = line.tokens[0] if line.tokens else brace
        indent = self._indent(first) if first else 0
        self._stack.append(_Open(line.block, indent, brace))

    def _missing_brace(self, line: Line) -> None:
        ahead = 0
        while self._next(ahead).kind == "NEWLINE":
            ahead += 1
        following, last = self._next(ahead), line.tokens[-1]
        if following.kind == "LBRACE":
            message = "'{' stands on the line of its header"
            self._error("O104", message, following, "write it at the end of that line")
            self._position += ahead + 1
            self._open(line, following)
            return
        colon = next((t for t in line.tokens if t.kind == "COLON"), None)
        header = self._report.span(line.tokens[0].start, colon.start if colon else last.end).text
        help = f"write '{header} {{ … }}'" if len(header) < 40 else "write '{ … }'"
        behind = Token("", "", last.end, last.end)
        if not self._report.spoiled(line.tokens[0].start, last.end):
            self._error("O104", "a block stands in braces", colon or behind, help)
        if self._is_first(following) and self._indent(following) > self._indent(line.tokens[0]):
            self._open(line, None)
        else:
            line.block = []

    def _headless(self, brace: Token) -> None:
        help = "a block stands behind 'update', 'if …' and the like, on the same line"
        self._error("O102", "this block has no header", brace, help)
        line = Line([])
        self._stack[-1].lines.append(line)
        self._open(line, brace)
        self._position += 1

    def _close(self, token: Token) -> None:
        if self._is_first(token) and (not self._balanced or self._stack[-1].brace is None):
            indent = self._indent(token)
            while len(self._stack) > 1 and self._stack[-1].indent > indent:
                self._blame(self._stack.pop())
        extra = len(self._stack) == 1 or (
            not self._balanced
            and self._is_first(token)
            and self._stack[-1].indent < self._indent(token)
        )
        self._position += 1
        if not extra:
            self._stack.pop()
            self._after_close()
        elif not self._blamed:
            self._blamed = True
            self._error("O104", "'}' closes nothing", token, "delete it")

    def _after_close(self) -> None:
        token = self._next()
        if token.kind not in ("NEWLINE", "RBRACE", "ELSE", "END"):
            help = "write this on a new line"
            self._error("O102", "behind '}' only 'else' goes on in the same line", token, help)

    def _close_dedented(self, first: Token) -> None:
        """Close what the indentation says is over, where a brace is missing."""
        while len(self._stack) > 1 and self._is_first(first):
            top = self._stack[-1]
            if top.indent < self._indent(first) or (self._balanced and top.brace):
                return
            inside = top.lines[0].tokens if top.lines else []
            if top.brace and not (inside and self._indent(inside[0]) > top.indent):
                return  # its lines are not indented: that says nothing
            self._blame(self._stack.pop())

    def _close_all(self) -> None:
        last = self._tokens[-2] if len(self._tokens) > 1 else None
        if last and last.kind == "TEXT" and self._report.spoiled(last.start, last.start):
            self._blamed = True  # a text that is not closed took the braces with it
        while len(self._stack) > 1:
            self._blame(self._stack.pop())

    def _blame(self, block: _Open) -> None:
        if block.brace and not self._blamed:
            self._blamed = True
            self._error("O104", "'{' is not closed", block.brace, "write '}' where its block ends")

    # ---- tokens

    def _next(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._position + ahead, len(self._tokens) - 1)]

    def _line_start(self, token: Token) -> int:
        return token.start - self._report.source.position(token.start)[1] + 1

    def _indent(self, token: Token) -> int:
        start = self._line_start(token)
        if start not in self._indents:
            blank = _BLANK.match(self._report.source.text, start)
            self._indents[start] = len(blank[0]) if blank else 0
        return self._indents[start]

    def _is_first(self, token: Token) -> bool:
        return token.start == self._line_start(token) + self._indent(token)

    def _error(self, code: str, message: str, token: Token, help: str) -> None:
        self._report.error(code, message, self._report.span(token.start, token.end), help)


def _is_header(tokens: list[Token]) -> bool:
    first, second = tokens[0], tokens[1].kind if len(tokens) > 1 else "END"
    if first.kind in ("IF", "ELSE", "EVERY", "REPEAT"):
        return True
    if first.text == "update":
        return second in ("END", "COLON")
    return (
        first.text in ("optimizer", "wrapper", "schedule", "stage", "for")
        and second == "NAME"
        and all(t.kind != "EQUAL" for t in tokens)
    )


def _else_if(tokens: list[Token], report: Report) -> list[Token]:
    """The line with Python's `elif` replaced and reported."""
    first = tokens[0]
    is_name = len(tokens) > 1 and tokens[1].kind in ("EQUAL", "UPDATE_BY")
    if first.text not in ("elif", "elseif", "elsif") or is_name:
        return tokens
    span = report.span(first.start, first.end)
    report.error("O102", f"'{first.text}' is not part of the language", span, "write 'else if'")
    return [first._replace(kind="ELSE"), first._replace(kind="IF"), *tokens[1:]]
