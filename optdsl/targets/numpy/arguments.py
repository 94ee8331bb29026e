"""The constructor's arguments: names, defaults and documentation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from optdsl.ir.nodes import Flag, Program
from optdsl.semantics.model import Settings
from optdsl.targets.arguments import (
    Computed,
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
from optdsl.targets.numpy import tables


@dataclass(frozen=True)
class Argument:
    """A hyper, const or flag as the constructor takes it.

    `name` is the argument and the attribute, `public` what it may be called too (None: nothing).
    `default` None: it must be given. `computed`: the default is made of earlier arguments.
    """

    item: Item
    name: str
    public: str | None
    default: Value
    computed: Computed = None

    @property
    def is_required(self) -> bool:
        return self.default is None and self.computed is None

    @property
    def domain(self) -> str | None:
        return None if isinstance(self.item, Flag) else str(self.item.domain)

    def documentation(self, width: int) -> list[str]:
        """Lines for the section "Args" of a docstring."""
        public = f"Also called {self.public}." if self.public else ""
        notes = " ".join(filter(None, [public, entries(self.item)]))
        return described(self.name, self.item, notes, width)


def arguments(program: Program, settings: Settings) -> tuple[Argument, ...]:
    """The arguments in their order: as the spec orders them, those without a default first."""
    declared = items(program)
    taken = tables.TAKEN | tables.MEMBERS
    names = spelled((i.name for i in declared), taken)
    publics = [public_name(i, settings) for i in declared]
    made = {
        public: Argument(item, name, _alias(names, public, taken), *default(item, settings))
        for item, name, public in zip(declared, names, publics, strict=True)
    }
    required = {public for public, a in made.items() if a.is_required}
    return tuple(made[public] for public in ranked(publics, settings.order, required))


def _alias(names: Collection[str], public: str, taken: Collection[str]) -> str | None:
    """The public name where it is another one, and not the name of another argument."""
    (identifier,) = spelled([public], taken)
    return None if identifier in names else identifier
