"""The tree: what was written. A span on every node, nothing resolved, nothing computed.

`parser.py` makes it, `semantics` resolves it, `oracle` interprets the resolved form of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from optdsl.diagnostics import Source, Span


@dataclass(frozen=True)
class Ident:
    """A name as it was written."""

    text: str
    span: Span


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Number:
    """A literal; `text` as written, `value` an int if it was written as one."""

    text: str
    value: int | float
    span: Span


@dataclass(frozen=True)
class Boolean:
    value: bool
    span: Span


@dataclass(frozen=True)
class Name:
    """A use of a name (`pi` and `inf` too)."""

    text: str
    span: Span


UnaryOp: TypeAlias = Literal["-", "not"]
BinaryOp: TypeAlias = Literal[
    "+", "-", "*", "/", "%", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"
]


@dataclass(frozen=True)
class Unary:
    op: UnaryOp
    operand: Expr
    span: Span


@dataclass(frozen=True)
class Binary:
    """`**` arrives here as `^`."""

    op: BinaryOp
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True)
class Call:
    """A function or `def` applied; `options` are keyword arguments: `axis=0`, `axis=[0, 1]`."""

    function: Ident
    args: tuple[Expr, ...]
    options: tuple[tuple[Ident, Expr | tuple[Expr, ...]], ...]
    span: Span


@dataclass(frozen=True)
class Index:
    """`b[i]`: an entry of a list. Semantics puts the entry's own name in its place."""

    name: Ident
    index: Expr
    span: Span


@dataclass(frozen=True)
class List:
    """`[0, 0.9, 0.99]`, never empty: what a const is, or a default or argument for such a one."""

    items: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = Number | Boolean | Name | Unary | Binary | Call | Index | List

# ----------------------------------------------------------------- statements


@dataclass(frozen=True)
class Let:
    name: Ident
    value: Expr
    span: Span


@dataclass(frozen=True)
class Assign:
    """`target op value`; op is one of `= += -= *= /=`. `index` says which entry of a list."""

    target: Ident
    op: Literal["=", "+=", "-=", "*=", "/="]
    value: Expr
    span: Span
    index: Expr | None = None


@dataclass(frozen=True)
class If:
    """`else if` is an `If` alone in `orelse`. `span` covers the header only."""

    condition: Expr
    then: tuple[Statement, ...]
    orelse: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True)
class Every:
    """`every count { … }`; the span covers the header. `step` is what counts the steps."""

    count: Expr
    body: tuple[Statement, ...]
    span: Span
    step: str = "t"


@dataclass(frozen=True)
class Repeat:
    """`repeat count as index { … }`; the span covers the header. Semantics writes it out."""

    count: Expr
    index: Ident | None
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True)
class Inner:
    span: Span


@dataclass(frozen=True)
class Evaluate:
    """Between two stages: from here on `g` is the gradient at what `w` is by now.

    Semantics puts it between the bodies of the stages; `stage` is the name of the one that begins.
    """

    stage: str
    span: Span


@dataclass(frozen=True)
class Wrapped:
    """One step of the wrapped optimizer `name`; composition puts it in the place of `inner`.

    Its names differ from all others. What it does to `g` is not seen behind it. `policies` are
    those of its own statements.
    """

    name: str
    body: tuple[Statement, ...]
    policies: tuple[Sparse, ...]
    span: Span


Statement: TypeAlias = Let | Assign | If | Every | Repeat | Inner | Evaluate | Wrapped

Block: TypeAlias = tuple[Statement, ...]

# --------------------------------------------------------------- declarations


@dataclass(frozen=True)
class Domain:
    """`[low, high)`: which ends belong to it; the ends are expressions (`-inf` is one)."""

    low: Expr
    high: Expr
    low_closed: bool
    high_closed: bool
    span: Span


@dataclass(frozen=True)
class Hyper:
    """`default` is None for a hyperparameter that must be given."""

    name: Ident
    default: Expr | None
    public: Ident | None
    domain: Domain | None
    doc: str
    span: Span


@dataclass(frozen=True)
class Const:
    """`default` is a List for a list of numbers.

    Semantics makes a const of each entry; such a one has the place `index` in the list `entry_of`.
    """

    name: Ident
    is_int: bool
    default: Expr
    public: Ident | None
    domain: Domain | None
    doc: str
    span: Span
    entry_of: str = ""
    index: int = 0


@dataclass(frozen=True)
class Flag:
    name: Ident
    default: Expr
    public: Ident | None
    doc: str
    span: Span


@dataclass(frozen=True)
class SlotName:
    """One of the names on a slot line, with its own `as`. `count` says how many it stands for."""

    name: Ident
    public: Ident | None
    count: Expr | None = None


@dataclass(frozen=True)
class Slot:
    """One `slot` line; initial value and condition hold for all the names on it."""

    names: tuple[SlotName, ...]
    scalar: bool
    initial: Expr | None
    condition: Expr | None
    doc: str
    span: Span


@dataclass(frozen=True)
class Shared:
    name: Ident
    public: Ident | None
    initial: Expr
    condition: Expr | None
    doc: str
    span: Span


@dataclass(frozen=True)
class Sparse:
    policy: Ident
    condition: Expr | None
    span: Span


@dataclass(frozen=True)
class Eval:
    """`eval = value if condition`: what stands for `w` at evaluation."""

    value: Expr
    condition: Expr | None
    span: Span


@dataclass(frozen=True)
class Def:
    name: Ident
    parameters: tuple[Ident, ...]
    body: Expr
    doc: str
    span: Span


@dataclass(frozen=True)
class SetDefault:
    """`eps = 1e-8` in a `for` block; `default` None removes the default: it must be given."""

    name: Ident
    default: Expr
    span: Span


@dataclass(frozen=True)
class SetPublic:
    """`b1 as beta1` in a `for` block."""

    name: Ident
    public: Ident
    span: Span


@dataclass(frozen=True)
class SetClass:
    """`class AdamOptimizer` in a `for` block."""

    name: Ident
    span: Span


@dataclass(frozen=True)
class SetOrder:
    """`order learning_rate, momentum, use_locking, name, nesterov` in a `for` block."""

    names: tuple[Ident, ...]
    span: Span


Setting: TypeAlias = SetDefault | SetPublic | SetClass | SetOrder


@dataclass(frozen=True)
class For:
    target: Ident
    settings: tuple[Setting, ...]
    span: Span


@dataclass(frozen=True)
class ListConst:
    """`const boundaries = [1000, 2000]` in a schedule; users may give a list of another length."""

    name: Ident
    default: tuple[Expr, ...]
    public: Ident | None
    domain: Domain | None
    doc: str
    span: Span


Declaration: TypeAlias = (
    Hyper | Const | ListConst | Flag | Slot | Shared | Sparse | Eval | Def | For
)


@dataclass(frozen=True)
class Stage:
    """`update { … }` (name None) or `stage NAME { … }`."""

    name: Ident | None
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True)
class Optimizer:
    """`optimizer` or, with `is_wrapper`, `wrapper`. Stages in the order written."""

    name: Ident
    is_wrapper: bool
    doc: str
    declarations: tuple[Declaration, ...]
    stages: tuple[Stage, ...]
    span: Span


@dataclass(frozen=True)
class Value:
    """`value { … }`, and `value = expression`, whose body is that one assignment."""

    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True)
class Schedule:
    """A number of the step alone. `body` assigns it to `value`."""

    name: Ident
    doc: str
    declarations: tuple[Declaration, ...]
    body: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True)
class Part:
    """One link of `A(x=1) of B of C`."""

    name: Ident
    arguments: tuple[tuple[Ident, Expr], ...]
    span: Span


@dataclass(frozen=True)
class Composition:
    """`optimizer Ranger = Lookahead(k=6) of RAdam`, the outermost part first."""

    name: Ident
    doc: str
    parts: tuple[Part, ...]
    span: Span


@dataclass(frozen=True)
class File:
    """A whole spec file."""

    source: Source
    definitions: tuple[Def, ...]
    optimizers: tuple[Optimizer | Composition, ...]
    schedules: tuple[Schedule, ...] = ()
