"""The constructor's arguments: names, defaults, order and documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from optdsl.ir.nodes import Const, Expr, Flag, Hyper, Literal_, Program
from optdsl.semantics.model import Interval, Settings
from optdsl.targets.text import LiteralText
from optdsl.targets.tf1.tables import CLIPPING, MEMBERS, OWN_ARGUMENTS, TAKEN

#: Stands for a space at which no line may be broken.
_UNBROKEN = "\x00"


@dataclass(frozen=True)
class Argument:
    """A hyper, const or flag as the constructor takes it, by its `public` name.

    `default` None: it must be given. `computed`: its default is made of earlier arguments.
    """

    item: Hyper | Const | Flag
    public: str
    attribute: str
    default: float | bool | None
    computed: Expr | None = None

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
        domain = str(LiteralText(interval(self.item.domain)))
        kind = "_hyper" if isinstance(self.item, Hyper) else "_constant"
        if isinstance(self.item, Const) and self.item.is_int:
            kind = "_integer"
        return kind, [str(LiteralText(self.public)), self.public, domain]

    def documentation(self, width: int) -> list[str]:
        """Lines for the section "Args" of a docstring."""
        notes = " A plain number." if isinstance(self.item, Const) else ""
        if not isinstance(self.item, Flag):
            notes += f" In {interval(self.item.domain).replace(' ', _UNBROKEN)}."
        if self.item.name != self.public:
            notes += f" `{self.item.name}` in the equations."
        text = f"{self.public}: {' '.join(self.item.doc.split())}{notes}"
        return [
            line.replace(_UNBROKEN, " ")
            for line in textwrap.wrap(text, width, subsequent_indent="    ")
        ]


def arguments(program: Program, settings: Settings) -> tuple[Argument, ...]:
    """The arguments that the spec declares, in the order of their declaration."""
    items: list[Hyper | Const | Flag] = [*program.hypers, *program.consts, *program.flags]
    public = spelled(
        (settings.public.get(i.name, i.public) for i in items),
        {*TAKEN, *OWN_ARGUMENTS, *CLIPPING},
    )
    attributes = spelled((i.name for i in items), MEMBERS)
    return tuple(
        Argument(item, argument, attribute, *_default(item, settings))
        for item, argument, attribute in zip(items, public, attributes, strict=True)
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
    spoken = {settings.public.get(a.item.name, a.item.public): a.public for a in declared}
    order = [spoken.get(p, p) for p in settings.order]
    ranked = sorted(texts, key=lambda p: order.index(p) if p in order else len(order))
    required = {a.public for a in declared if a.is_required}
    ranked.sort(key=lambda p: p not in required)
    return [texts[p] for p in ranked] + ["*"] + [f"{name}=None" for name in CLIPPING]


def _optimizer_name(class_name: str) -> str:
    """The default of the argument `name`: Adam for AdamOptimizer, as in tf.train."""
    return class_name.removesuffix("Optimizer") or class_name


def spelled(names: Iterable[str], taken: Collection[str]) -> list[str]:
    """Each name as an identifier of its own that is not taken and does not look private."""
    result: list[str] = []
    for name in names:
        identifier = name.lstrip("_") or "x"
        while identifier in taken or identifier in result:
            identifier += "_"
        result.append(identifier)
    return result


def _default(
    item: Hyper | Const | Flag, settings: Settings
) -> tuple[float | bool | None, Expr | None]:
    """The default as a value, or as an expression over earlier constants."""
    if isinstance(item, Const):
        if item.name not in settings.defaults and not isinstance(item.default, Literal_):
            return None, item.default
        value = settings.defaults.get(item.name, item.default_value)
        return (int(value) if item.is_int else value), None
    return settings.defaults.get(item.name, item.default), None


def interval(domain: Interval) -> str:
    """A domain with all the digits of its ends."""
    low, high = map(_end, (domain.low, domain.high))
    return f"{'[' if domain.low_closed else '('}{low}, {high}{']' if domain.high_closed else ')'}"


def _end(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
