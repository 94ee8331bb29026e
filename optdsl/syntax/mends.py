"""What is wrong with a line that no form fits, in words of the language, and the mend.

Each function of `_MENDS` knows one mistake; the first that recognises the line words the error.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from optdsl.syntax.keywords import FIRST_WORDS, RESERVED, Context
from optdsl.syntax.limits import MAX_NAME
from optdsl.syntax.report import Report
from optdsl.syntax.scanner import Token

#: How a line is written, by its first word.
_FORMS = {
    "optimizer": 'optimizer NAME "text" { … }',
    "wrapper": 'wrapper NAME "text" { … }',
    "composition": "optimizer NAME = A(x=1) of B",
    "schedule": 'schedule NAME "text" { … }',
    "value": "value = expression",
    "def": "def NAME(a, b) = expression",
    "hyper": "hyper NAME = default as public_name in [low, high)",
    "const": "const NAME: int = default as public_name in [low, high)",
    "flag": "flag NAME = false as public_name",
    "slot": "slot NAME as public_name: scalar = initial if condition",
    "shared": "shared NAME as public_name = initial if condition",
    "sparse": "sparse lazy if condition",
    "eval": "eval = expression if condition",
    "for": "for TARGET { … }",
    "update": "update { … }",
    "stage": "stage NAME { … }",
    "class": "class NAME",
    "order": "order NAME, NAME",
    "let": "let NAME = expression",
    "if": "if condition { … }",
    "else": "else { … }",
    "every": "every k { … }",
    "repeat": "repeat 3 as i { … }",
    "inner": "inner",
}
_DECLARATIONS = frozenset(
    {"hyper", "const", "flag", "slot", "shared", "sparse", "eval", "def", "for"}
)
_STATEMENTS = frozenset({"LET", "IF", "ELSE", "EVERY", "REPEAT", "INNER"})
_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "POWER", "COMPARE"})
_WORD_OPERATORS = frozenset({"AND", "OR"})
_VALUES = frozenset({"NAME", "NUMBER", "TRUE", "FALSE"})
_BRACKETS = {"RPAR": "(", "RSQB": "["}


@dataclass(frozen=True)
class _Found:
    """An error and the tokens that it concerns, `at` to `to`; None: the one that did not fit."""

    message: str
    help: str = ""
    at: int | None = None
    to: int | None = None
    code: str = "O102"


@dataclass(frozen=True)
class _Broken:
    """A line, the number of the token that does not fit, and the kinds that would have fitted."""

    context: Context
    line: list[Token]
    position: int
    expected: frozenset[str]

    def at(self, index: int) -> Token:
        """A token of the line; beyond its ends one of the kind END."""
        if 0 <= index < len(self.line):
            return self.line[index]
        return Token("END", "", self.line[-1].end, self.line[-1].end)

    @property
    def here(self) -> Token:
        return self.at(self.position)

    @property
    def before(self) -> Token:
        return self.at(self.position - 1)

    @property
    def first(self) -> Token:
        return self.line[0]

    @property
    def wants_value(self) -> bool:
        return "NUMBER" in self.expected

    @property
    def is_condition(self) -> bool:
        """Whether the place is inside the condition of an `if` or the count of an `every`."""
        return any(t.kind in ("IF", "EVERY") for t in self.line[: self.position])


def explain(
    context: Context, line: list[Token], position: int, expected: set[str], report: Report
) -> None:
    """Report the error of `line` at its token number `position` (its length: at the end)."""
    broken = _Broken(context, line, position, frozenset(expected))
    found = next(f for mend in _MENDS if (f := mend(broken)) is not None)
    at = position if found.at is None else found.at
    start, end = broken.at(at), broken.at(at if found.to is None else found.to)
    report.error(found.code, found.message, report.span(start.start, end.end), found.help)


# ------------------------------------------------------- lines in the wrong place


def _habit(broken: _Broken) -> _Found | None:
    """Words of other languages that begin a line."""
    help = {
        "return": "what the step does is said by assignments: 'w -= …'",
        "while": "'repeat 3 { … }' repeats, 'every k { … }' runs in each k-th step",
        "pass": "an empty block is '{ }'",
        "print": "a spec computes, it prints nothing",
        "import": "other specs are found by their names",
        "global": "what is assigned to is found by its name",
        "state": "state per variable is declared with 'slot'",
        "param": "a hyperparameter is declared with 'hyper'",
        "var": "a local is made with 'let', state with 'slot'",
    }.get(broken.first.text)
    if help is None or broken.at(1).kind in ("EQUAL", "UPDATE_BY"):
        return None
    return _Found(f"'{broken.first.text}' is not part of the language", help, 0)


def _loop(broken: _Broken) -> _Found | None:
    if broken.context == "statement" and broken.first.text == "for":
        help = "equations hold for all elements at once; 'repeat 3 as i { … }' repeats"
        return _Found("'for' is no statement", help, 0)
    return None


def _declaration_in_block(broken: _Broken) -> _Found | None:
    word = broken.first.text
    if broken.context == "statement" and word in ("update", "stage"):
        return _Found(f"'{word}' stands in the optimizer, not in a block", "", 0)
    if broken.context != "statement" or word not in _DECLARATIONS or broken.position > 1:
        return None
    return _Found("a declaration stands in the optimizer, not in a block", "move it up", 0)


def _statement_outside(broken: _Broken) -> _Found | None:
    if broken.context not in ("body_line", "schedule_line", "file_line") or broken.position > 0:
        return None
    is_statement = broken.here.kind in _STATEMENTS
    if is_statement or broken.at(1).kind in ("EQUAL", "UPDATE_BY", "COMPARE"):
        near = difflib.get_close_matches(broken.first.text[:64].lower(), ["value"], 1)
        if broken.context == "schedule_line" and near:
            return _Found(f"'{broken.first.text}' is unknown here", "did you mean 'value'?", 0)
        help = "a statement stands in 'update { … }', a declaration begins with 'hyper', 'slot', …"
        if broken.context == "schedule_line":
            help = (
                "a statement stands in 'value { … }', a declaration begins with 'const' or 'flag'"
            )
        return _Found("no statement can stand here", help)
    return None


def _not_in_schedule(broken: _Broken) -> _Found | None:
    """What optimizers have and schedules have not."""
    help = {
        "hyper": "its numbers are fixed at construction: write 'const NAME = default'",
        "slot": "it keeps nothing between steps: its value is made of 't' and constants",
        "shared": "it keeps nothing between steps: its value is made of 't' and constants",
        "sparse": "it sees no gradient",
        "update": "what it gives stands in 'value = …' or 'value { … }'",
        "stage": "what it gives stands in 'value = …' or 'value { … }'",
    }.get(broken.first.text)
    if broken.context != "schedule_line" or help is None or broken.position > 0:
        return None
    return _Found(f"a schedule has no '{broken.first.text}'", help, 0)


def _unknown_first_word(broken: _Broken) -> _Found | None:
    words = FIRST_WORDS[broken.context]
    if broken.position > 0 or not words or broken.context == "setting":
        return None
    near = difflib.get_close_matches(broken.here.text[:64].lower(), sorted(words), 1)
    if near:
        return _Found(f"'{broken.here.text}' is unknown here", f"did you mean '{near[0]}'?")
    if broken.context == "file_line":
        help = "a file holds 'optimizer', 'wrapper' or 'schedule NAME { … }' and 'def f(x) = …'"
        return _Found("this is neither an optimizer nor a definition", help)
    help = "a line here begins with " + _words(sorted(words))
    return _Found("this is no declaration", help)


def _misspelled_statement(broken: _Broken) -> _Found | None:
    """`lett x = 1`, `iff c {`: a name where `let` or `if` is meant."""
    if broken.context != "statement" or broken.first.kind != "NAME" or broken.position != 1:
        return None
    words = ["let", "if", "every", "repeat"]
    near = difflib.get_close_matches(broken.first.text[:64].lower(), words, 1)
    if not near or broken.here.kind not in _VALUES:
        return None
    return _Found(f"'{broken.first.text}' is unknown here", f"did you mean '{near[0]}'?", 0)


# ------------------------------------------------------------ names and assignments


def _reserved_name(broken: _Broken) -> _Found | None:
    here = broken.here
    if here.kind == "NAME" or here.text not in RESERVED:
        return None
    is_name = broken.expected <= {"NAME"} or broken.at(broken.position + 1).kind == "EQUAL"
    if not is_name or broken.before.kind in _OPERATORS:
        return None
    return _Found(f"'{here.text}' is a word of the language", "choose another name", code="O203")


def _increment(broken: _Broken) -> _Found | None:
    ops = [broken.at(1), broken.at(2)]
    same = ops[0].kind == ops[1].kind and ops[0].kind in ("PLUS", "MINUS")
    if broken.context != "statement" or broken.first.kind != "NAME" or not same:
        return None
    help = f"write '{broken.first.text} {ops[0].text}= 1'"
    return _Found(f"'{ops[0].text}{ops[0].text}' is not part of the language", help, 1, 2)


def _compared_not_assigned(broken: _Broken) -> _Found | None:
    if broken.here.text != "==" or broken.is_condition:
        return None
    return _Found("'==' compares; an assignment is written with '='", "write '='")


def _arrow(broken: _Broken) -> _Found | None:
    """`w <- g`: not a foreign operator, for `a <-1` compares."""
    arrow = broken.at(1).text == "<" and broken.at(2).kind == "MINUS"
    if broken.context != "statement" or broken.position != 1 or not arrow:
        return None
    return _Found("an assignment is written with '='", "write '='", 1, 2)


def _assigned_not_compared(broken: _Broken) -> _Found | None:
    if broken.here.kind != "EQUAL" or not broken.is_condition:
        return None
    return _Found("'=' assigns; a comparison is written with '=='", "write '=='")


def _typed_local(broken: _Broken) -> _Found | None:
    """`float x = 1`, `real x: = 1`."""
    names = broken.context == "statement" and broken.first.kind == broken.at(1).kind == "NAME"
    if not names or broken.at(2).kind != "EQUAL":
        return None
    help = f"write 'let {broken.at(1).text} = …'"
    return _Found("a local is made with 'let'", help, 0)


def _bad_target(broken: _Broken) -> _Found | None:
    """`f(x) = …`, `a, b = …`, `3 = x`."""
    if broken.context != "statement" or broken.position > 1 or len(broken.line) < 2:
        return None
    if not any(t.kind in ("EQUAL", "UPDATE_BY") for t in broken.line):
        return None
    if broken.first.kind in _STATEMENTS:
        return None
    return _Found("one name stands before '='", "assign to a slot, a local, 'w' or 'g'", 0)


def _no_effect(broken: _Broken) -> _Found | None:
    """A statement that is only an expression."""
    if broken.context != "statement" or broken.first.kind in _STATEMENTS or broken.position > 1:
        return None
    help = "a statement is an assignment, 'let', 'if', 'every' or 'repeat'"
    return _Found("this is no statement", help, 0, len(broken.line) - 1)


# --------------------------------------------------------------- declarations


def _names_without_comma(broken: _Broken) -> _Found | None:
    if broken.first.text not in ("slot", "order") or broken.here.kind != "NAME":
        return None
    if broken.before.kind != "NAME" or broken.position < 2:
        return None
    help = f"write '{broken.before.text}, {broken.here.text}'"
    return _Found("names are separated by commas", help)


def _several_names(broken: _Broken) -> _Found | None:
    word = broken.first.text
    if broken.context != "body_line" or broken.here.kind != "COMMA" or broken.position != 2:
        return None
    return _Found(f"one name stands in a line of '{word}'", "write a line for each")


def _no_default(broken: _Broken) -> _Found | None:
    word = broken.first.text
    if word not in ("const", "flag", "shared") or broken.here.kind == "EQUAL":
        return None
    if broken.expected & _VALUES or "EQUAL" not in broken.expected:
        return None
    value = "an initial value" if word == "shared" else "a default"
    return _Found(f"a {word} has {value}", _form(broken))


def _decimal_comma(broken: _Broken) -> _Found | None:
    after = broken.at(broken.position + 1)
    numbers = broken.before.kind == after.kind == "NUMBER"
    if broken.here.kind != "COMMA" or not numbers:
        return None
    first, last = broken.position - 1, broken.position + 1
    help = f"write '{broken.before.text}.{after.text}'"
    return _Found("a number is written with a point", help, first, last)


def _several_settings(broken: _Broken) -> _Found | None:
    if broken.context != "setting" or broken.here.kind != "COMMA":
        return None
    return _Found("a line holds one setting", "write a line for each")


def _positional_argument(broken: _Broken) -> _Found | None:
    is_composition = broken.context == "file_line" and broken.first.text == "optimizer"
    if not is_composition or broken.before.kind not in ("LPAR", "COMMA"):
        return None
    return _Found("arguments have names here", "write 'NAME = value'")


def _no_domain(broken: _Broken) -> _Found | None:
    if broken.before.kind != "IN":
        return None
    return _Found("a domain is an interval", "write '[low, high]', with '(' or ')' at an open end")


def _ternary(broken: _Broken) -> _Found | None:
    after_value = broken.before.kind in _VALUES | {"RPAR"}
    if broken.context != "statement" or broken.here.kind not in ("IF", "ELSE") or not after_value:
        return None
    return _Found("'if' cannot stand in an expression", "write where(condition, a, b)")


def _definition_with_body(broken: _Broken) -> _Found | None:
    if broken.first.text != "def" or broken.before.kind != "RPAR" or "EQUAL" not in broken.expected:
        return None
    return _Found("a definition is one expression behind '='", "write 'def f(x) = …'")


# ---------------------------------------------------------------- expressions


def _bracket_mismatch(broken: _Broken) -> _Found | None:
    if broken.here.kind not in _BRACKETS:
        return None
    opened: list[Token] = []
    for token in broken.line[: broken.position]:
        if token.kind in ("LPAR", "LSQB"):
            opened.append(token)
        elif token.kind in _BRACKETS and opened:
            opened.pop()
    if not opened or opened[-1].text == _BRACKETS[broken.here.kind]:
        return None
    closing = ")" if opened[-1].text == "(" else "]"
    message = f"'{broken.here.text}' does not close '{opened[-1].text}'"
    return _Found(message, f"write '{closing}'")


def _indexing(broken: _Broken) -> _Found | None:
    if broken.here.kind != "LSQB" or broken.before.kind not in ("NAME", "RPAR", "RSQB"):
        return None
    help = "lists are 'const b = [0, 0.9]' and 'slot v[b]', their entries b[0] and v[0]"
    return _Found("no index can stand here", help)


def _list(broken: _Broken) -> _Found | None:
    if broken.here.kind != "LSQB" or not broken.wants_value:
        return None
    return _Found("no list can stand here", "a list is a const: 'const b = [0, 0.9]'")


def _plus_sign(broken: _Broken) -> _Found | None:
    if broken.here.kind != "PLUS" or not broken.wants_value:
        return None
    return _Found("'+' stands between two values", "leave it out")


def _text_in_expression(broken: _Broken) -> _Found | None:
    if broken.here.kind != "TEXT" or (broken.context != "statement" and not broken.wants_value):
        return None
    help = "a text stands at the end of a declaration; a comment begins with '#'"
    return _Found("no text can stand here", help)


def _missing_value(broken: _Broken) -> _Found | None:
    if not broken.wants_value or broken.here.kind in _VALUES:
        return None
    if broken.here.kind == "END":
        return _Found(f"a value is missing behind {_shown(broken.before)}")
    if broken.here.text in RESERVED:
        return _Found(f"'{broken.here.text}' is a word of the language, no value", "")
    return _Found(f"a value is missing before '{broken.here.text}'", "")


def _missing_operator(broken: _Broken) -> _Found | None:
    here, before = broken.here, broken.before
    if before.kind not in _VALUES | {"RPAR"} or here.kind not in _VALUES | {"LPAR"}:
        return None
    if "STAR" not in broken.expected:
        return None
    help = f"a product is written '{_factor(before)}*{_factor(here)}'"
    both = before.kind == here.kind == "NUMBER"
    return _Found(f"an operator is missing before '{here.text}'", "" if both else help)


# ---------------------------------------------------------------------- the rest


def _missing_name(broken: _Broken) -> _Found | None:
    if not broken.expected or not broken.expected <= {"NAME"}:
        return None
    if broken.here.kind == "END":
        return _Found(f"a name is missing behind {_shown(broken.before)}", _form(broken))
    return _Found(f"a name stands here, not {_shown(broken.here)}", _form(broken))


def _anything(broken: _Broken) -> _Found:
    if broken.here.kind == "END":
        return _Found("the line is not complete", _form(broken))
    return _Found(f"{_shown(broken.here)} cannot stand here", _form(broken))


def _form(broken: _Broken) -> str:
    word = broken.first.text
    if any(t.kind == "EQUAL" for t in broken.line) and word == "optimizer":
        word = "composition"
    form = _FORMS.get(word)
    return f"the form is '{form}'" if form else ""


def _shown(token: Token) -> str:
    """A token in a message."""
    if token.kind == "TEXT":
        return "a text"
    return f"'{token.text}'" if len(token.text) <= MAX_NAME else f"'{token.text[:MAX_NAME]}…'"


def _factor(token: Token) -> str:
    return "(…)" if token.kind in ("LPAR", "RPAR") else token.text


def _words(words: list[str]) -> str:
    return ", ".join(f"'{w}'" for w in words[:-1]) + f" or '{words[-1]}'"


_MENDS: tuple[Callable[[_Broken], _Found | None], ...] = (
    _habit,
    _loop,
    _declaration_in_block,
    _statement_outside,
    _not_in_schedule,
    _unknown_first_word,
    _misspelled_statement,
    _reserved_name,
    _increment,
    _compared_not_assigned,
    _arrow,
    _assigned_not_compared,
    _typed_local,
    _bad_target,
    _no_effect,
    _names_without_comma,
    _several_names,
    _decimal_comma,
    _several_settings,
    _no_default,
    _no_domain,
    _positional_argument,
    _ternary,
    _definition_with_body,
    _bracket_mismatch,
    _indexing,
    _list,
    _plus_sign,
    _text_in_expression,
    _missing_value,
    _missing_operator,
    _missing_name,
    _anything,
)
