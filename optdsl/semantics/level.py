"""The levels: when a value is known, and how many of it there are."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """The one type system of the language. An expression has the highest level of its parts."""

    FIXED = 0
    STEP = 1
    VARIABLE = 2
    ELEMENT = 3

    def __str__(self) -> str:
        return self.name.lower()
