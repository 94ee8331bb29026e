"""Lines of Python as the usual formatters lay them out, so that generated files need no pass."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

#: Columns of a line of generated code.
WIDTH = 100


def call(head: str, items: Sequence[str], tail: str, indent: int) -> list[str]:
    """`head(items)tail`, broken as a call or a signature is broken where it is too long."""
    pad, inner = " " * indent, " " * (indent + 4)
    line = ", ".join(items)
    if len(pad + head + "(" + line + ")" + tail) <= WIDTH:
        return [f"{pad}{head}({line}){tail}"]
    if len(inner + line) <= WIDTH:
        return [f"{pad}{head}(", inner + line, f"{pad}){tail}"]
    return [f"{pad}{head}(", *(f"{inner}{item}," for item in items), f"{pad}){tail}"]


def signature(head: str, parameters: Sequence[str], indent: int) -> list[str]:
    """The first lines of a function without defaults. Where they are too many for two lines, they
    fill lines, and formatters are told so: a line for each would hide the few lines of the rule.
    """
    lines = call(head, parameters, ":", indent)
    if len(lines) <= 3:
        return lines
    pad, inner = " " * indent, " " * (indent + 4)
    filled = textwrap.wrap(
        ", ".join(parameters) + ",", WIDTH, initial_indent=inner, subsequent_indent=inner
    )
    return [lines[0], *filled, f"{pad}):  # fmt: skip"]


def bracketed(
    head: str, items: Sequence[str], indent: int, brackets: str = "()", tail: str = ""
) -> list[str]:
    """`head[items]tail` for a tuple, list or dict: on one line, or an item a line."""
    pad, inner = " " * indent, " " * (indent + 4)
    single = "," if brackets == "()" and len(items) == 1 else ""
    line = f"{pad}{head}{brackets[0]}{', '.join(items)}{single}{brackets[1]}{tail}"
    if len(line) <= WIDTH:
        return [line]
    opened, closed = f"{pad}{head}{brackets[0]}", f"{pad}{brackets[1]}{tail}"
    return [opened, *(f"{inner}{item}," for item in items), closed]


def returned(items: Sequence[str], indent: int) -> list[str]:
    """`return a, b`, in parentheses with an item a line where it is too long."""
    line = " " * indent + "return " + ", ".join(items)
    one_line = len(items) > 1 and len(line) <= WIDTH
    return [line] if one_line else bracketed("return ", items, indent)


def paragraph(text: str, indent: int) -> list[str]:
    """Text with its own line breaks, indented; lines that are empty stay empty."""
    return [" " * indent + line if line else "" for line in text.split("\n")]
