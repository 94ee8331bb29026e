"""Characters that may not stand in a spec, and the ASCII spelling of those that people paste."""

from __future__ import annotations

import re
import unicodedata

#: Control, format (bidi and zero-width), surrogate, line, paragraph and Unicode space characters.
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
_PLAIN = frozenset(" \t\n\r")

#: What stands for an operator or a text's quote outside ASCII, and how it is written.
SYMBOLS = {
    "−": "-",
    "–": "-",
    "—": "-",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∙": "*",
    "∗": "*",
    "⊙": "*",
    "∘": "*",
    "÷": "/",
    "∕": "/",
    "⁄": "/",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "←": "=",
    "≔": "=",
    "∞": "inf",
    "∧": "and",
    "∨": "or",
    "¬": "not",
    "²": "^2",
    "³": "^3",
    "¹": "^1",
    "⁰": "^0",
    "⁴": "^4",
    "⁵": "^5",
    "⁶": "^6",
    "⁷": "^7",
    "⁸": "^8",
    "⁹": "^9",
    "½": "0.5",
    "√": "sqrt",
    "∑": "sum",
    "∈": "in",
    "，": ",",
    "；": ";",
    "：": ":",
    "（": "(",
    "）": ")",
    "＝": "=",
    "…": "",
    "″": '"',
}

#: Quotes that word processors make.
OPENING_QUOTES = "“„«”‟＂"
CLOSING_QUOTES = "”“»‟＂"

_SHORT = {"beta": "b", "epsilon": "eps", "lambda": "lam"}
_ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot"}


def forbidden(text: str) -> list[tuple[int, int]]:
    """(start, end) of every run of one character that a spec may not hold, a lone CR among them."""
    bad = {c for c in set(text) - _PLAIN if unicodedata.category(c) in _FORBIDDEN_CATEGORIES}
    if text.startswith("\ufeff"):
        text = " " + text[1:]
    patterns = [f"{re.escape(c)}+" for c in sorted(bad)] + [r"\r(?!\n)"]
    return [found.span() for found in re.finditer("|".join(patterns), text)]


def describe(char: str) -> str:
    """How a message calls a character: `U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


def ascii_name(word: str) -> str:
    """The ASCII spelling of a word, `beta1` for `β₁`; empty if there is none."""
    spelling = "".join(_ascii_letter(c) for c in unicodedata.normalize("NFKD", word))
    return spelling if spelling.isascii() and spelling.isidentifier() else ""


def short_name(word: str) -> str:
    """A shorter spelling, `b1` for `β₁`; empty if none is usual."""
    long = ascii_name(word)
    greek = long.rstrip("0123456789_")
    return _SHORT[greek] + long[len(greek) :] if greek in _SHORT else ""


def _ascii_letter(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.combining(char):
        return _ACCENTS.get(char, "")
    names = unicodedata.name(char, "").split()
    if names[:1] != ["GREEK"]:
        return ""
    letter = names[-1].replace("LAMDA", "LAMBDA")
    return letter.capitalize() if "CAPITAL" in names else letter.lower()
