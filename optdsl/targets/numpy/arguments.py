"""The constructor's arguments: names, defaults and documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from optdsl.ir.nodes import Const, Expr, Flag, Hyper, Literal_, Program
from optdsl.semantics.model import Interval, Settings
from optdsl.targets.numpy import tables


@dataclass(frozen=True)
class Argument:
    """A hyper, const or flag as the constructor takes it.

    `name` is the argument and the attribute, `public` what it may be called too (None: nothing).
    `default` None: it must be given. `computed`: the default is made of earlier arguments.
    """

    item: Hyper | Const | Flag
    name: str
    public: str | None
    default: float | bool | None
    computed: Expr | None = None

    @property
    def is_required(self) -> bool:
        return self.default is None and self.computed is None

    @property
    def title(self) -> str:
        """How documentation calls it."""
        return f"{self.name} ({self.public})" if self.public else self.name

    @property
    def domain(self) -> str | None:
        return None if isinstance(self.item, Flag) else interval(self.item.domain)

    def documentation(self, width: int) -> list[str]:
        """Lines for the section "Args" of a docstring."""
        public = f" Also called {self.public}." if self.public else ""
        domain = f" In {self.domain}." if self.domain else ""
        text = f"{self.name}: {' '.join(self.item.doc.split())}{domain}{public}"
        return textwrap.wrap(text, width, subsequent_indent="    ")


def arguments(program: Program) -> tuple[Argument, ...]:
    """The arguments in their order: as the spec orders them, those without a default first."""
    settings = dict(program.settings).get("numpy", Settings())
    items: tuple[Hyper | Const | Flag, ...] = (*program.hypers, *program.consts, *program.flags)
    names = spelled((i.name for i in items), tables.TAKEN | tables.MEMBERS)
    public = {i.name: settings.public.get(i.name, i.public) for i in items}
    made = [
        Argument(i, names[i.name], _alias(names, i.name, public[i.name]), *_default(i, settings))
        for i in items
    ]
    order = {name: place for place, name in enumerate(settings.order)}
    made.sort(key=lambda a: order.get(public[a.item.name], order.get(a.item.name, len(order))))
    return tuple(sorted(made, key=lambda a: not a.is_required))


def spelled(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Each name as an identifier of its own that is not taken and does not look private."""
    result: dict[str, str] = {}
    for name in names:
        identifier = name.lstrip("_") or "x"
        while identifier in taken or identifier in result.values():
            identifier += "_"
        result[name] = identifier
    return result


def _alias(names: Mapping[str, str], name: str, public: str) -> str | None:
    """The public name where it is another one, and not the name of another argument."""
    (identifier,) = spelled([public], tables.TAKEN | tables.MEMBERS).values()
    return None if identifier in names.values() else identifier


def _default(
    item: Hyper | Const | Flag, settings: Settings
) -> tuple[float | bool | None, Expr | None]:
    """The default as a value, or as an expression."""
    if item.name in settings.defaults:
        return settings.defaults[item.name], None
    if isinstance(item, Const) and not isinstance(item.default, Literal_):
        return None, item.default
    if isinstance(item, Const):
        return (int(item.default_value) if item.is_int else item.default_value), None
    return item.default, None


def interval(domain: Interval) -> str:
    """A domain with all the digits of its ends."""
    low, high = map(_end, (domain.low, domain.high))
    return f"{'[' if domain.low_closed else '('}{low}, {high}{']' if domain.high_closed else ')'}"


def _end(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
