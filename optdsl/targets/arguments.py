"""The constructor's arguments, as far as all targets see them alike."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from optdsl.ir.nodes import Const, Expr, Flag, Hyper, Literal_, Program
from optdsl.ir.schedule import Numbers
from optdsl.semantics.model import Interval, Settings
from optdsl.targets.printer import Printer


@dataclass(frozen=True)
class ConstList:
    """Several constants that are given together. They differ in their names and defaults alone."""

    name: str
    entries: tuple[Const, ...]

    @property
    def public(self) -> str:
        return self.entries[0].public

    @property
    def is_int(self) -> bool:
        return self.entries[0].is_int

    @property
    def domain(self) -> Interval:
        return self.entries[0].domain

    @property
    def doc(self) -> str:
        return self.entries[0].doc


#: What the constructor takes.
Item: TypeAlias = Hyper | Const | ConstList | Flag

#: A default that is a value, and one that is made of earlier constants. None: there is no such.
Value: TypeAlias = float | bool | tuple[float, ...] | None
Computed: TypeAlias = Expr | tuple[Expr, ...] | None


def items(program: Program) -> tuple[Item, ...]:
    """The arguments that a spec declares: hyperparameters, constants and their lists, flags."""
    return (*program.hypers, *_constants(program.consts), *program.flags)


def _constants(consts: Sequence[Const]) -> Iterable[Const | ConstList]:
    for name, group in groupby(consts, lambda c: c.entry_of):
        if name:
            yield ConstList(name, tuple(group))
        else:
            yield from group


def public_name(item: Item, settings: Settings) -> str:
    """What users of a target call an argument."""
    first = item.entries[0] if isinstance(item, ConstList) else item
    return settings.public.get(first.name, item.public)


def attributes(named: Iterable[tuple[Item, str]]) -> dict[str, str]:
    """The attribute of each hyperparameter, constant and flag: `self.` stands in front."""
    found = {}
    for item, name in named:
        found[item.name] = name
        if isinstance(item, ConstList):
            found |= {entry.name: f"{name}[{i}]" for i, entry in enumerate(item.entries)}
    return found


def entries(item: Item) -> str:
    """For a docstring: what the equations call the entries of a list."""
    if not isinstance(item, ConstList):
        return ""
    return f"In the equations: {', '.join(c.name for c in item.entries)}."


def computed_text(computed: Computed, printer: Printer) -> str:
    """A default that is made of earlier constants."""
    assert computed is not None
    if not isinstance(computed, tuple):
        return printer.expr(computed)
    return f"({', '.join(map(printer.expr, computed))}{',' if len(computed) == 1 else ''})"


def default(item: Item, settings: Settings) -> tuple[Value, Computed]:
    """The default as a value, or as an expression over earlier constants; both None: no default."""
    if isinstance(item, ConstList):
        found = [_constant(entry, settings) for entry in item.entries]
        values = tuple(value for value, _ in found if value is not None)
        if len(values) == len(found):
            return values, None
        return None, tuple(
            entry.default if value is None else Literal_(value)
            for entry, (value, _) in zip(item.entries, found, strict=True)
        )
    if isinstance(item, Const):
        return _constant(item, settings)
    return settings.defaults.get(item.name, item.default), None


def _constant(item: Const, settings: Settings) -> tuple[float | None, Expr | None]:
    if item.name not in settings.defaults and not isinstance(item.default, Literal_):
        return None, item.default
    value = settings.defaults.get(item.name, item.default_value)
    return (int(value) if item.is_int else value), None


def spelled(names: Iterable[str], taken: Collection[str]) -> list[str]:
    """Each name as an identifier of its own that is not taken and does not look private."""
    result: list[str] = []
    for name in names:
        identifier = name.lstrip("_") or "x"
        while identifier in taken or identifier in result:
            identifier += "_"
        result.append(identifier)
    return result


def ranked(publics: Iterable[str], order: Sequence[str], required: Collection[str]) -> list[str]:
    """The arguments as the spec orders them, the others behind; what must be given stands first."""
    found = sorted(publics, key=lambda p: order.index(p) if p in order else len(order))
    return sorted(found, key=lambda p: p not in required)


def described(name: str, item: Item | Numbers, note: str, width: int) -> list[str]:
    """Lines for the section "Args" of a docstring: documentation, domain, and a note."""
    domain = "" if isinstance(item, Flag) else f"In {item.domain}."
    if isinstance(item, ConstList):
        domain = f"{len(item.entries)} numbers in {item.domain}."
    text = " ".join(filter(None, [f"{name}:", *item.doc.split(), domain, note]))
    whole = text.replace(domain, domain.replace(" ", _UNBROKEN)) if domain else text
    lines = textwrap.wrap(whole, width, subsequent_indent="    ")
    return [line.replace(_UNBROKEN, " ") for line in lines]


#: Stands for a space at which no line may be broken.
_UNBROKEN = "\x00"
