"""The words of the language: the few that are reserved, and those that only their place makes."""

from __future__ import annotations

from typing import Literal, TypeAlias

#: Words that cannot be names. All others of the language (`hyper`, `slot`, `order`, `class`,
#: `lazy`, `update`, …) can, because their place tells them apart.
RESERVED = frozenset(
    {
        *("and", "or", "not", "true", "false"),
        *("if", "else", "let", "every", "repeat", "inner"),
        *("as", "in", "of"),
    }
)

#: Where a line stands; each is a start of opt.lark.
Context: TypeAlias = Literal["file_line", "body_line", "schedule_line", "setting", "statement"]

#: The words that are keywords where they begin a line of the context.
FIRST_WORDS: dict[Context, frozenset[str]] = {
    "file_line": frozenset({"optimizer", "wrapper", "schedule", "def"}),
    "body_line": frozenset(
        {"hyper", "const", "flag", "slot", "shared", "sparse", "def", "for", "update", "stage"}
        | {"eval"}
    ),
    "schedule_line": frozenset({"const", "flag", "def", "for", "value"}),
    "setting": frozenset({"class", "order"}),
    "statement": frozenset(),
}

#: First words of lines that a block belongs to.
HEADERS = frozenset(
    {"optimizer", "wrapper", "for", "update", "stage", "if", "else", "every", "repeat"}
)
