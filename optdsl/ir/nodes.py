"""The IR, whole. It says what an optimizer means: typed by level, single assignment, order fixed.

A step runs in two phases. The block `step` holds what is of the levels fixed and step: it runs
once per step, in float64. The block `body` holds what is of the levels variable and element: it
runs once per variable, in the computation's dtype. The body sees the step only through
`coefficients`, values of the step that are cast once to that dtype.

Nothing here refers to the tree; nothing after `lower` sees the tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from optdsl.diagnostics import Span
from optdsl.semantics.level import Level
from optdsl.semantics.model import Interval, PolicyName, Settings

#: What an input of the rule is. Every other value is a local.
Role: TypeAlias = Literal[
    "variable",
    "gradient",
    "step",
    "hyper",
    "const",
    "flag",
    "slot",
    "shared",
    "uses",
    "total",
    "local",
]


@dataclass(frozen=True)
class Value:
    """Something with one definition. `name` is the spec's; the version makes it unique.

    Version 0 of an input is what it is before the step: `w`, `g`, a slot, a shared, `t` (the
    number of this step), a hyper, a const, a flag, `uses` of the hyper of that name, the sum of a
    `Phase` over all variables, or the gradient of a later stage.
    """

    name: str
    version: int
    level: Level
    role: Role
    is_bool: bool = False


#: The variable as it is before the step.
W = Value("w", 0, Level.ELEMENT, "variable")

# ---------------------------------------------------------------- expressions


@dataclass(frozen=True)
class Literal_:
    """A number or truth value of the spec; an int stays an int."""

    value: bool | int | float
    level: Level = Level.FIXED

    @property
    def is_bool(self) -> bool:
        return isinstance(self.value, bool)


@dataclass(frozen=True)
class Ref:
    value: Value

    @property
    def level(self) -> Level:
        return self.value.level

    @property
    def is_bool(self) -> bool:
        return self.value.is_bool


@dataclass(frozen=True)
class Op:
    """`op` is a name in `semantics.operators.OPERATORS`; `min` and `max` have two arguments."""

    op: str
    args: tuple[Expr, ...]
    level: Level
    is_bool: bool


Expr: TypeAlias = Literal_ | Ref | Op

# ----------------------------------------------------------------- statements


@dataclass(frozen=True)
class Define:
    """`value = expr`. `text` is the line of the spec that it comes from, for comments.

    Where `value` is the new one of a state with elements, `before` is the one until then, and
    `region` the number of the part of a composition that assigns it.
    """

    value: Value
    expr: Expr
    text: str = ""
    before: Expr | None = None
    region: int = 0


@dataclass(frozen=True)
class Merge:
    """After a branch, `value` is `then` or `orelse`."""

    value: Value
    then: Expr
    orelse: Expr


@dataclass(frozen=True)
class Branch:
    """A condition of the level fixed, step or variable, and what each side defines."""

    condition: Expr
    then: Block
    orelse: Block
    merges: tuple[Merge, ...]
    text: str = ""


Statement: TypeAlias = Define | Branch
Block: TypeAlias = tuple[Statement, ...]

# ------------------------------------------------------------------ interface


@dataclass(frozen=True)
class Hyper:
    name: str
    public: str
    default: float | None
    domain: Interval
    doc: str
    clock: str = ""


@dataclass(frozen=True)
class Const:
    """`default` is an expression over earlier consts; `default_value` is what it gives.

    The entries of a list stand side by side, with its name as `entry_of` and its public name.
    """

    name: str
    public: str
    is_int: bool
    default: Expr
    default_value: float
    domain: Interval
    doc: str
    entry_of: str = ""


@dataclass(frozen=True)
class Flag:
    name: str
    public: str
    default: bool
    doc: str


@dataclass(frozen=True)
class Slot:
    """`initial` is of the level fixed, or made of `w` (version 0) and its reductions."""

    name: str
    public: str
    scalar: bool
    initial: Expr
    condition: Expr | None
    doc: str


@dataclass(frozen=True)
class Shared:
    name: str
    public: str
    initial: Expr
    condition: Expr | None
    doc: str


@dataclass(frozen=True)
class Policy:
    """The first policy whose condition holds (None: always) counts; the last has none.

    `regions` are the policies of the parts of a composition, by number; `name` is theirs if it is
    the same for all, else "mixed" and perhaps a number.
    """

    name: str
    condition: Expr | None
    regions: tuple[PolicyName, ...]


# -------------------------------------------------------------------- program


@dataclass(frozen=True)
class Result:
    """What a state variable (`w`, a slot or a shared) is after the step."""

    state: str
    value: Expr


@dataclass(frozen=True)
class Rule:
    """One step of one variable. `results` names only what is assigned, in order of declaration,
    `w` first. `coefficients` are the values of the step that the body refers to.
    """

    body: Block
    results: tuple[Result, ...]
    coefficients: tuple[Value, ...]


Movement: TypeAlias = Literal["fixed", "decay", "other"]


@dataclass(frozen=True)
class Movement_:
    """What `state` does on a row whose gradient is 0, where `condition` (level fixed) holds.

    fixed: stays as it is. decay: is multiplied by `factor`, the same for all elements.
    """

    state: str
    kind: Movement
    factor: Expr | None
    condition: Expr | None


@dataclass(frozen=True)
class Untouched:
    """What a sparse gradient means for the rows that it does not mention, for one policy.

    `rule` is the rule with g = 0, simplified (under hybrid `w` stays); its results are the states
    with elements that move under some setting. `swept` says of each of those when it moves (None:
    always). `densify` says when the rule reads `reductions` over the elements, so that rows depend
    on each other and the gradient has to be made dense; then `rule` is not used. `waits` says when
    rows need no work until they are touched or read: all that `rule` does is then to multiply slots
    by numbers, the results of `decays`. `sweeps` says when that is so of these slots alone: other
    states move on all rows.
    """

    policy: str
    rule: Rule
    swept: tuple[tuple[str, Expr | None], ...]
    movements: tuple[Movement_, ...]
    densify: Expr | bool
    reductions: tuple[str, ...]
    waits: Expr | bool
    sweeps: Expr | bool
    decays: Rule


@dataclass(frozen=True)
class Phase:
    """Something that the rule needs and that takes all the variables to find out.

    `value` is either a total, the sum over the variables of the one result of `rule`; or the
    gradient of a later stage, taken where that result puts the variables. The step and the
    rule of a phase start from the old states, as the program's own do: nothing is written before.
    """

    value: Value
    step: Block
    rule: Rule

    @property
    def is_total(self) -> bool:
        return self.value.role == "total"


@dataclass(frozen=True)
class Evaluation:
    """What stands for `w` at evaluation, made of the state between two steps.

    `step` defines the coefficients of `rule`; `t` is the number of steps done. The rule has no
    gradient, and `w` is its only result. `equation` is what the spec says.
    """

    step: Block
    rule: Rule
    equation: str


@dataclass(frozen=True)
class Fused:
    """A kernel of a framework that computes the rule where a gradient is dense.

    It does so where `condition` holds (level fixed; None: always), each of the hypers `positive`
    is a number above 0, and no kernel before it is the one. It is called with `states` and
    `numbers`, by the names of its arguments; those are coefficients, or the same in every call.
    `gradient` is the argument for g.
    """

    kernel: str
    gradient: str
    states: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, Value | bool | float], ...]
    condition: Expr | None
    positive: tuple[Value, ...]

    @property
    def coefficients(self) -> tuple[Value, ...]:
        """The numbers of the step that it is called with."""
        return tuple(number for _, number in self.numbers if isinstance(number, Value))


@dataclass(frozen=True)
class Program:
    """One optimizer. `untouched` has an entry for each policy but lazy. `kernels` are looked for
    (`optdsl.kernels`) by the targets whose framework has some.

    `phases` come before the step and the rule, in this order.

    `step` defines the coefficients of both rules and the new values of the shareds
    (`shared_results`). `equations` are the lines of the update block as written.
    """

    name: str
    doc: str
    hypers: tuple[Hyper, ...]
    consts: tuple[Const, ...]
    flags: tuple[Flag, ...]
    slots: tuple[Slot, ...]
    shareds: tuple[Shared, ...]
    policies: tuple[Policy, ...]
    settings: tuple[tuple[str, Settings], ...]
    step: Block
    shared_results: tuple[Result, ...]
    rule: Rule
    untouched: tuple[Untouched, ...]
    equations: tuple[str, ...]
    sources: tuple[tuple[str, str], ...]
    span: Span
    phases: tuple[Phase, ...] = ()
    evaluation: Evaluation | None = None
    kernels: tuple[Fused, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All the rules: of phases, of the step, at g = 0, and of what slots are multiplied by."""
        own = (*(p.rule for p in self.phases), self.rule)
        return (*own, *(rule for u in self.untouched for rule in (u.rule, u.decays)))

    @property
    def gradients(self) -> tuple[Value, ...]:
        """The gradients of the stages, the first one first."""
        first = Value("g", 0, Level.ELEMENT, "gradient")
        return (first, *(p.value for p in self.phases if not p.is_total))

    @property
    def totals(self) -> tuple[Value, ...]:
        """The totals, in the order in which they are found out."""
        return tuple(p.value for p in self.phases if p.is_total)
