"""The constructor's arguments: names, defaults, order and documentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optdsl.ir.nodes import Const, Flag, Hyper, Program
from optdsl.semantics.model import Settings
from optdsl.targets.arguments import (
    Computed,
    ConstList,
    Item,
    Value,
    default,
    described,
    entries,
    items,
    public_name,
    ranked,
    spelled,
)
from optdsl.targets.text import LiteralText
from optdsl.targets.tf1.tables import CLIPPING, MEMBERS, OWN_ARGUMENTS, TAKEN


@dataclass(frozen=True)
class Argument:
    """A hyper, const or flag as the constructor takes it, by its `public` name.

    `default` None: it must be given. `computed`: its default is made of earlier arguments.
    """

    item: Item
    public: str
    attribute: str
    default: Value
    computed: Computed = None

    @property
    def is_required(self) -> bool:
        return self.default is None and self.computed is None

    @property
    def signature(self) -> str:
        """How it stands in the head of the constructor."""
        return self.public if self.is_required else f"{self.public}={LiteralText(self.default)}"

    @property
    def checked(self) -> tuple[str, list[str]]:
        """The function that checks the value, and the arguments it is called with."""
        if isinstance(self.item, Flag):
            return "bool", [self.public]
        domain = str(LiteralText(str(self.item.domain)))
        kind = "_hyper"
        if not isinstance(self.item, Hyper):
            kind = "_integer" if self.item.is_int else "_constant"
        args = [str(LiteralText(self.public)), self.public, domain]
        if isinstance(self.item, ConstList):
            return "_list", [*args, str(len(self.item.entries)), kind]
        return kind, args

    def documentation(self, width: int) -> list[str]:
        """Lines for the section "Args" of a docstring."""
        plain = "A plain number." if isinstance(self.item, Const) else ""
        plain = "Plain numbers." if isinstance(self.item, ConstList) else plain
        own = f"In the equations: {self.item.name}." if self.item.name != self.public else ""
        own = entries(self.item) or own
        return described(self.public, self.item, " ".join(filter(None, [plain, own])), width)


def arguments(program: Program, settings: Settings) -> tuple[Argument, ...]:
    """The arguments that the spec declares, in the order of their declaration."""
    declared = items(program)
    public = spelled(
        (public_name(i, settings) for i in declared),
        {*TAKEN, *OWN_ARGUMENTS, *CLIPPING},
    )
    attributes = spelled((i.name for i in declared), {*MEMBERS, *TAKEN})
    return tuple(
        Argument(item, argument, attribute, *default(item, settings))
        for item, argument, attribute in zip(declared, public, attributes, strict=True)
    )


def signature(declared: Iterable[Argument], settings: Settings, class_name: str) -> list[str]:
    """The arguments of the constructor as they stand in its head.

    As in tf.train: hyperparameters and constants, use_locking, flags, name; `order` in the spec
    goes before that. What must be given stands first, what is only of this project last.
    """
    declared = list(declared)
    flags = [a for a in declared if isinstance(a.item, Flag)]
    numbers = [a for a in declared if not isinstance(a.item, Flag)]
    texts = {a.public: a.signature for a in numbers}
    texts["use_locking"] = "use_locking=False"
    texts |= {a.public: a.signature for a in flags}
    texts["name"] = f"name={LiteralText(_optimizer_name(class_name))}"
    spoken = {public_name(a.item, settings): a.public for a in declared}
    order = [spoken.get(p, p) for p in settings.order]
    required = {a.public for a in declared if a.is_required}
    return (
        [texts[p] for p in ranked(texts, order, required)]
        + ["*"]
        + [f"{name}=None" for name in CLIPPING]
        + ["overrides=None"] * any(isinstance(a.item, Hyper) for a in declared)
        + ["xla=False"]
    )


def _optimizer_name(class_name: str) -> str:
    """The default of the argument `name`: Adam for AdamOptimizer, as in tf.train."""
    return class_name.removesuffix("Optimizer") or class_name
