"""The resolved form of a schedule: a number of the steps done, and of constants.

`resolve_schedule.py` makes it, with no finding of severity error left. The guarantees for its
expressions are those of `model.py`; beside the operators that are no reductions it has those of
`OF_SCHEDULES`. `t` is the number of steps done, 0 in the first step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from optdsl.diagnostics import Source, Span
from optdsl.semantics.model import Const, Flag, Interval, Settings
from optdsl.syntax import tree

#: What the body assigns to.
VALUE = "value"


@dataclass(frozen=True)
class Numbers:
    """A list of numbers fixed at construction, each in the domain; it may be of any length."""

    name: str
    public: str
    default: tuple[float, ...]
    domain: Interval
    doc: str
    span: Span


Argument: TypeAlias = Const | Flag | Numbers


@dataclass(frozen=True)
class Schedule:
    """One schedule, resolved. `arguments` stand in the order written.

    `body` assigns to VALUE on every path before it reads it. `pieces` are the pairs of lists
    (boundaries, values) that `piecewise` is called with: values has one number more.
    """

    name: str
    doc: str
    arguments: tuple[Argument, ...]
    settings: Mapping[str, Settings]
    body: tuple[tree.Statement, ...]
    pieces: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]
    span: Span

    @property
    def state(self) -> tuple[()]:
        """A schedule keeps nothing between steps."""
        return ()

    @property
    def consts(self) -> tuple[Const, ...]:
        return tuple(a for a in self.arguments if isinstance(a, Const))

    @property
    def flags(self) -> tuple[Flag, ...]:
        return tuple(a for a in self.arguments if isinstance(a, Flag))

    @property
    def lists(self) -> tuple[Numbers, ...]:
        return tuple(a for a in self.arguments if isinstance(a, Numbers))
