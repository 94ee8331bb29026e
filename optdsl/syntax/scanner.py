"""Text to tokens. What people bring from other languages is reported, and read as was meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from optdsl.diagnostics import Span
from optdsl.syntax import characters
from optdsl.syntax.keywords import RESERVED
from optdsl.syntax.limits import MAX_NAME, MAX_NUMBER
from optdsl.syntax.report import Report

#: The kind of each operator and bracket, as opt.lark calls it.
KINDS = {
    "+": "PLUS",
    "-": "MINUS",
    "*": "STAR",
    "/": "SLASH",
    "%": "PERCENT",
    "^": "POWER",
    "**": "POWER",
    "=": "EQUAL",
    **dict.fromkeys(("+=", "-=", "*=", "/="), "UPDATE_BY"),
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), "COMPARE"),
    "(": "LPAR",
    ")": "RPAR",
    "[": "LSQB",
    "]": "RSQB",
    "{": "LBRACE",
    "}": "RBRACE",
    ",": "COMMA",
    ":": "COLON",
}

#: Operators of other languages: what is meant, and the mend.
_FOREIGN = {
    "&&": ("and", "'and' is written as a word"),
    "||": ("or", "'or' is written as a word"),
    "&": ("and", "'and' is written as a word"),
    "|": ("or", "'or' is written as a word; the absolute value is abs(x)"),
    "!": ("not", "'not' is written as a word"),
    "//": ("/", "the integer part of a quotient is floor(a/b); a comment starts with '#'"),
    "/*": ("/", "a comment starts with '#' and goes to the end of its line"),
    "*/": ("/", "a comment starts with '#' and goes to the end of its line"),
    ":=": ("=", "an assignment is written with '='"),
    "===": ("==", "equality is written '=='"),
    "!==": ("!=", "inequality is written '!='"),
    "<>": ("!=", "inequality is written '!='"),
    "=<": ("<=", "write '<='"),
    "=>": (">=", "write '>='"),
    "->": (">", "an assignment is written 'x = …'"),
    "**=": ("=", "write 'x = x^…'"),
    "^=": ("=", "write 'x = x^…'"),
    "%=": ("=", "write 'x = x % …'"),
    ".*": ("*", "operators work on every element: write '*'"),
    "./": ("/", "operators work on every element: write '/'"),
    ".^": ("^", "operators work on every element: write '^'"),
    ";": ("\n", "a statement ends with its line; write the next one on a new line"),
    "?": ("", "a choice is written where(condition, a, b)"),
    "@": ("*", "the product of the elements is '*', the sum of the products is dot(a, b)"),
    "~": ("not", "'not' is written as a word"),
    "\\": ("", "an expression goes on over lines inside parentheses"),
    "'": ("", "a name holds no quote; a text stands in double quotes"),
    "`": ("", "a text stands in double quotes"),
    "$": ("", "names are written without '$'"),
    ".": ("", "a name or a number holds no '.' here"),
}


class Token(NamedTuple):
    """A word, number, text, operator or line end; `text` is what it is read as."""

    kind: str
    text: str
    start: int
    end: int


def _alternatives(operators: Iterator[str]) -> str:
    return "|".join(re.escape(o) for o in sorted(operators, key=len, reverse=True))


_SYMBOL = "".join(map(re.escape, characters.SYMBOLS))
_OPENING, _CLOSING = characters.OPENING_QUOTES, characters.CLOSING_QUOTES
_LETTER = rf"[A-Za-z_]|[^\x00-\x7f{_SYMBOL}{_OPENING}{_CLOSING}]"
_TEXTS = frozenset({"text", "long", "open", "unclosed", "smart", "single"})
_TOKEN = re.compile(
    rf"""
    (?P<blank>[ \t\r]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<long>\"{{3}}.*?\"{{3}})
  | (?P<open>\"{{3}})
  | (?P<text>"[^"\n]*")
  | (?P<unclosed>"[^\n]*)
  | (?P<smart>[{_OPENING}][^\n"{_CLOSING}]*["{_CLOSING}])
  | (?P<single>'[^'\n]*')
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<word>(?:{_LETTER})(?:[0-9]|{_LETTER})*)
  | (?P<operator>{_alternatives(iter({**KINDS, **_FOREIGN}))})
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REST_OF_NUMBER = re.compile(rf"(?:[0-9.]|{_LETTER})+")

#: The kinds of what stands for a foreign symbol.
_GROUP_KINDS = {"newline": "NEWLINE", "number": "NUMBER", "word": "NAME", "unclosed": "TEXT"}


class Scanner:
    """Makes the tokens of one source. What is wrong is reported and read as was meant."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._text = report.source.text
        self._foreign_seen = (0, "")

    def tokens(self) -> list[Token]:
        """All tokens, line ends among them, with an END behind the last character."""
        self._blank_out_forbidden()
        found: list[Token] = []
        position, length = 0, len(self._text)
        while position < length:
            match = _TOKEN.match(self._text, position)
            assert match is not None and match.lastgroup is not None
            position = match.end()
            if match.lastgroup == "number":
                rest = _REST_OF_NUMBER.match(self._text, position)
                position = rest.end() if rest else position
            if match.lastgroup == "open":
                position = length
            found.extend(self._read(match.lastgroup, match.start(), position))
        return [*found, Token("END", "", length, length)]

    def _blank_out_forbidden(self) -> None:
        text = self._text.removeprefix("\ufeff").rjust(len(self._text))
        chars = list(text)
        seen = ""
        for start, end in characters.forbidden(text):
            char = text[start]
            chars[start:end] = ("\n" if char == "\r" else " ") * (end - start)
            if char != "\r" or seen != "\r":  # where one line ends with a lone CR, all of them do
                self._error_at("O101", *_forbidden_message(char), start, end)
            seen = char
        self._text = "".join(chars)

    def _read(self, group: str, start: int, end: int) -> Iterator[Token]:
        text = self._text[start:end]
        if group == "newline":
            yield Token("NEWLINE", text, start, end)
        elif group == "word":
            yield self._word(text, start, end)
        elif group == "number":
            yield self._number(text, start, end)
        elif group == "operator" and text in KINDS:
            yield Token(KINDS[text], "^" if text == "**" else text, start, end)
        elif group in _TEXTS:
            yield self._quoted(group, text, start, end)
        elif group != "blank":
            yield from self._foreign(text, start, end)

    def _word(self, text: str, start: int, end: int) -> Token:
        if not text.isascii():
            spelling = characters.ascii_name(text)
            self._error_at(
                "O101", "a name is made of ASCII letters", _spelling_help(text), start, end
            )
            text = spelling or "unknown"
        if len(text) > MAX_NAME:
            message = f"a name has at most {MAX_NAME} characters, this one has {len(text)}"
            self._error_at("O105", message, "", start, end)
        return Token(text.upper() if text in RESERVED else "NAME", text, start, end)

    def _number(self, text: str, start: int, end: int) -> Token:
        if len(text) > MAX_NUMBER:
            message = f"a number has at most {MAX_NUMBER} characters, this one has {len(text)}"
            self._error_at("O105", message, "17 digits are all that a float64 holds", start, end)
            return Token("NUMBER", "1", start, end)
        try:
            value = float(text) if "_" not in text else None
        except ValueError:
            value = None
        if value is None or not text.isascii():
            self._error_at("O106", f"'{text}' is no number", _number_help(text), start, end)
            return Token("NUMBER", "1", start, end)
        self._check_range(text, value, start, end)
        return Token("NUMBER", text, start, end)

    def _check_range(self, text: str, value: float, start: int, end: int) -> None:
        if value == float("inf"):
            help = "infinity is written 'inf'"
            self._error_at("O401", f"{text} is larger than any float64", help, start, end)
        if value == 0 and re.search("[1-9]", text.lower().split("e")[0]):
            self._error_at("O401", f"{text} is so small that a float64 holds 0", "", start, end)

    def _quoted(self, group: str, text: str, start: int, end: int) -> Token:
        content = text[3:-3] if group == "long" else text[1:-1]
        if group == "open":
            help = 'it goes on to the next """; write it behind the end of the text'
            self._error_at("O103", "the text is not closed", help, start, start + 3)
        elif group == "unclosed":
            help = 'write " at its end; a text over several lines stands in """…"""'
            self._error_at("O103", "the text is not closed", help, start, end)
        elif group in ("smart", "single"):
            help = 'write " before and behind it'
            self._error_at("O101", "a text stands in straight double quotes", help, start, end)
        return Token("TEXT", content.replace("\r\n", "\n"), start, end)

    def _foreign(self, text: str, start: int, end: int) -> Iterator[Token]:
        meant, help = _FOREIGN.get(text) or _symbol(text)
        line, _ = self._report.source.position(start)
        if (line, text) != self._foreign_seen:  # `|g|` is one mistake
            self._error_at("O101", f"'{text}' is not part of the language", help, start, end)
        self._foreign_seen = (line, text)
        if not meant:
            yield Token("UNKNOWN", text, start, end)
        for match in _TOKEN.finditer(meant):
            word = match.group()
            group = match.lastgroup or ""
            kind = KINDS.get(word) or (word.upper() if word in RESERVED else _GROUP_KINDS[group])
            yield Token(kind, word, start, end)

    def _error_at(self, code: str, message: str, help: str, start: int, end: int) -> None:
        self._report.error(code, message, Span(self._report.source, start, end), help)


def _symbol(text: str) -> tuple[str, str]:
    meant = characters.SYMBOLS.get(text, "")
    return meant, f"write '{meant}'" if meant else ""


def _forbidden_message(char: str) -> tuple[str, str]:
    if char == "\r":
        return "a line ends with LF or CR LF, not with CR alone", "save the file with LF line ends"
    if unicodedata.category(char) == "Zs":
        return (
            f"the space {characters.describe(char)} may not stand in a spec",
            "write a plain space",
        )
    return f"the character {characters.describe(char)} may not stand in a spec", "delete it"


def _spelling_help(word: str) -> str:
    spellings = [s for s in (characters.ascii_name(word), characters.short_name(word)) if s]
    return "write " + " or ".join(f"'{s}'" for s in spellings) if spellings else ""


def _number_help(text: str) -> str:
    if "_" in text and re.fullmatch(r"[0-9._]+", text):
        return f"write '{text.replace('_', '')}'"
    product = re.fullmatch(r"([0-9.]+)([A-Za-z_]\w*)", text)
    if product and product[1] != "0" and product[2][0] not in "eE":
        return f"write '{product[1]}*{product[2]}'"
    return "numbers are written like 3, 0.5 or 1e-7"
