"""The kinds of text that may stand in a generated file. A template refuses everything else."""

from __future__ import annotations

import keyword
import re


class SafeText(str):
    """Text that is fit to stand in a generated file."""


class Identifier(SafeText):
    """A Python identifier that is no keyword."""

    def __new__(cls, text: str) -> Identifier:
        """Raises ValueError where the text is no ASCII identifier, or is a keyword of Python."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) or keyword.iskeyword(text):
            raise ValueError(f"{text!r} is no identifier")
        return super().__new__(cls, text)


class LiteralText(SafeText):
    """A Python literal: number, truth value, None, string, or a tuple of finite numbers."""

    def __new__(cls, value: str | float | bool | tuple[float, ...] | None) -> LiteralText:
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return super().__new__(cls, f'float("{value}")')
        if isinstance(value, str):
            return super().__new__(cls, quoted(value))
        return super().__new__(cls, repr(value).replace("e+", "e"))  # as formatters write it


class Code(SafeText):
    """What a printer of the compiler made from identifiers and literals."""


class Documentation(SafeText):
    """Text of a spec, ready to stand between the triple quotes of a docstring."""

    def __new__(cls, text: str) -> Documentation:
        return super().__new__(cls, escaped(text))


def quoted(text: str) -> str:
    """A string literal, in double quotes where that needs no more escapes."""
    body = repr(text)
    if body[0] == "'" and '"' not in body:
        return f'"{body[1:-1]}"'
    return body


def escaped(text: str) -> str:
    r"""Text that means itself inside triple double quotes.

    Backslashes and quotes that could end the string are escaped, line ends become `\n`, and
    control characters (which no spec may hold) are dropped.
    """
    lines = re.split(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", text)
    clean = ["".join(c for c in line if c.isprintable() or c == "\t") for line in lines]
    joined = "\n".join(line.replace("\t", "    ").rstrip() for line in clean)
    result = joined.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return result[:-1] + '\\"' if result.endswith('"') else result
