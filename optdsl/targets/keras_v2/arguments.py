"""The constructor's arguments: names, defaults, order, checks and documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optdsl.ir.nodes import Flag, Hyper, Program
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
from optdsl.targets.keras_v2 import tables
from optdsl.targets.layout import call
from optdsl.targets.text import Identifier, LiteralText


@dataclass(frozen=True)
class Argument:
    """A hyperparameter, constant or flag as Keras' users see it.

    `default` None: it must be given. `computed`: its default is made of earlier constants.
    """

    item: Item
    public: Identifier
    default: Value
    computed: Computed = None

    @property
    def is_required(self) -> bool:
        """Whether there is no default."""
        return self.default is None and self.computed is None

    @property
    def signature(self) -> str:
        """How it stands in the head of the constructor."""
        return self.public if self.is_required else f"{self.public}={LiteralText(self.default)}"

    @property
    def quoted(self) -> str:
        """The public name as a string."""
        return LiteralText(str(self.public))

    def assignment(self, indent: int) -> list[str]:
        """The lines that check it and keep it."""
        item = self.item
        if isinstance(item, Flag):
            return [f"{' ' * indent}self.{self.public} = bool({self.public})"]
        checked = [self.quoted, self.public]
        if isinstance(item, Hyper) and self.public not in tables.PLAIN:
            return call("self._set_checked", checked, "", indent)
        checked.append(LiteralText(str(item.domain)))
        kind = "_checked"
        if not isinstance(item, Hyper):
            kind = "_integer" if item.is_int else "_constant"
        if isinstance(item, ConstList):
            checked += [str(len(item.entries)), kind]
            kind = "_list"
        return call(f"self.{self.public} = {kind}", checked, "", indent)

    def documentation(self, width: int) -> list[str]:
        """Lines for the section "Args" of a docstring."""
        own = f"In the equations: {self.item.name}." if self.item.name != self.public else ""
        own = entries(self.item) or own
        return described(self.public, self.item, own, width)


def arguments(program: Program, settings: Settings) -> tuple[Argument, ...]:
    """The arguments that the spec declares, in the order of their declaration."""
    declared = items(program)
    names = spelled(
        _conventional(declared, settings), tables.MEMBERS | tables.OWN_ARGUMENTS | tables.TAKEN
    )
    return tuple(
        Argument(item, Identifier(name), *default(item, settings))
        for item, name in zip(declared, names, strict=True)
    )


def _conventional(declared: Sequence[Item], settings: Settings) -> list[str]:
    """The public names as the spec has them; where it has none, those of Keras' conventions."""
    names = [public_name(i, settings) for i in declared]
    for place, item in enumerate(declared):
        convention = tables.CONVENTIONS.get(item.name, item.name)
        if names[place] == item.name and convention not in names:
            names[place] = convention
    return names


def signature(declared: Iterable[Argument], settings: Settings, class_name: str) -> list[str]:
    """The arguments of the constructor as they stand in its head.

    The spec's `order` comes first, then the others as declared, then `name`; what must be given
    stands before all.
    """
    declared = list(declared)
    texts = {str(a.public): a.signature for a in declared}
    texts["name"] = f"name={LiteralText(class_name)}"
    spoken = {public_name(a.item, settings): str(a.public) for a in declared}
    order = [spoken.get(p, p) for p in settings.order]
    required = {a.public for a in declared if a.is_required}
    return ["self", *(texts[p] for p in ranked(texts, order, required)), "**kwargs"]
