"""The resolved tree: one optimizer, its names settled, its `def`s expanded, its defaults known.

`resolve.py` makes it from the tree, with no finding of severity error left. The statements and
expressions in it are those of `syntax/tree.py`, with these guarantees: every `Call` is of an
operator in `operators.py` with the right number of arguments, or `uses` of one hyper; every
`Name` is declared, `pi`, `inf`, `w`, `g` or `t`; constants are finite; no `let` hides another.
The oracle interprets this, `ir/lower.py` translates it; neither knows the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from optdsl.diagnostics import Source, Span
from optdsl.semantics.level import Level
from optdsl.syntax import tree

PolicyName: TypeAlias = Literal["exact", "hybrid", "lazy"]


@dataclass(frozen=True)
class Interval:
    """The values that a number may take; the ends may be infinite."""

    low: float
    high: float
    low_closed: bool
    high_closed: bool

    def __contains__(self, x: float) -> bool:
        above = x >= self.low if self.low_closed else x > self.low
        below = x <= self.high if self.high_closed else x < self.high
        return above and below

    def __str__(self) -> str:
        low, high = map(digits, (self.low, self.high))
        return f"{'[' if self.low_closed else '('}{low}, {high}{']' if self.high_closed else ')'}"


def digits(value: float) -> str:
    """A number with all its digits; 2, not 2.0."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


#: Every finite number.
REALS = Interval(float("-inf"), float("inf"), False, False)


@dataclass(frozen=True)
class Hyper:
    """A real hyperparameter: a number or a schedule. `default` None: it must be given.

    A schedule sees the number of steps done; of an optimizer that a wrapper does not run in every
    step those are counted by the shared `clock` (empty: the steps themselves).
    """

    name: str
    public: str
    default: float | None
    domain: Interval
    doc: str
    span: Span
    clock: str = ""


@dataclass(frozen=True)
class Const:
    """A number fixed at construction. `default` is of the level fixed, over earlier consts.

    Users give the entries of a list together: these consts stand side by side in their order, with
    the name of the list as `entry_of`, their `index` in it, and its public name.
    """

    name: str
    public: str
    is_int: bool
    default: tree.Expr
    default_value: float
    domain: Interval
    doc: str
    span: Span
    entry_of: str = ""
    index: int = 0

    @property
    def written(self) -> str:
        """How a spec writes it."""
        return f"{self.entry_of}[{self.index}]" if self.entry_of else self.name


@dataclass(frozen=True)
class Flag:
    name: str
    public: str
    default: bool
    doc: str
    span: Span


@dataclass(frozen=True)
class Slot:
    """State per variable: shaped like it, or one number. `condition` is of the level fixed."""

    name: str
    public: str
    scalar: bool
    initial: tree.Expr
    condition: tree.Expr | None
    doc: str
    span: Span


@dataclass(frozen=True)
class Shared:
    """One number for the whole optimizer. `initial` and `condition` are of the level fixed."""

    name: str
    public: str
    initial: tree.Expr
    condition: tree.Expr | None
    doc: str
    span: Span


@dataclass(frozen=True)
class Policy:
    """`sparse name if condition`; the first whose condition holds counts."""

    name: PolicyName
    condition: tree.Expr | None
    span: Span


@dataclass(frozen=True)
class Settings:
    """What is different in one target; the keys are names of the spec."""

    class_name: str | None = None
    defaults: Mapping[str, float | bool] = field(default_factory=dict)
    public: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()


#: What the constructor takes, and what is kept between steps.
Argument: TypeAlias = Hyper | Const | Flag
State: TypeAlias = Slot | Shared


@dataclass(frozen=True)
class Optimizer:
    """One optimizer, resolved. `sources` are all the texts that it was composed from.

    `policies` is never empty and ends with an unconditional one; in a composition they are those
    of the wrapper's own statements. `body` is the `update` block, or all the stages, with a
    `tree.Evaluate` between two. `evaluation` assigns what stands for `w` at evaluation to `w`, from
    the state between two steps; `t` is the number of steps done there. It is empty where the spec
    has no `eval`. `let_levels` has the level of each `let` in it, by the span of the `let`.
    `origins` says of names that came by composition whose they were. Of a wrapper, which holds a
    `tree.Inner`, no code is made.
    """

    name: str
    doc: str
    hypers: tuple[Hyper, ...]
    consts: tuple[Const, ...]
    flags: tuple[Flag, ...]
    slots: tuple[Slot, ...]
    shareds: tuple[Shared, ...]
    policies: tuple[Policy, ...]
    settings: Mapping[str, Settings]
    body: tuple[tree.Statement, ...]
    let_levels: Mapping[Span, Level]
    sources: tuple[Source, ...]
    span: Span
    is_wrapper: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)
    evaluation: tuple[tree.Statement, ...] = ()

    @property
    def stages(self) -> int:
        """How many gradients a step evaluates."""
        found = 1
        blocks = [self.body]
        for block in blocks:
            found += sum(isinstance(s, tree.Evaluate) for s in block)
            blocks += [s.body for s in block if isinstance(s, tree.Wrapped)]
        return found

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return (*self.hypers, *self.consts, *self.flags)

    @property
    def state(self) -> tuple[State, ...]:
        return (*self.slots, *self.shareds)
