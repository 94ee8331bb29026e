"""The constructor's arguments, as far as all targets see them alike."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Sequence
from typing import TypeAlias

from optdsl.ir.nodes import Const, Expr, Flag, Hyper, Literal_, Program
from optdsl.ir.schedule import Numbers
from optdsl.semantics.model import Interval, Settings

#: What the constructor takes.
Item: TypeAlias = Hyper | Const | Flag


def items(program: Program) -> tuple[Item, ...]:
    """The arguments that a spec declares: hyperparameters, constants, flags."""
    return (*program.hypers, *program.consts, *program.flags)


def default(item: Item, settings: Settings) -> tuple[float | bool | None, Expr | None]:
    """The default as a value, or as an expression over earlier constants; both None: no default."""
    if not isinstance(item, Const):
        return settings.defaults.get(item.name, item.default), None
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
    domain = "" if isinstance(item, Flag) else f"In {interval(item.domain)}."
    text = " ".join(filter(None, [f"{name}:", *item.doc.split(), domain, note]))
    whole = text.replace(domain, domain.replace(" ", _UNBROKEN)) if domain else text
    lines = textwrap.wrap(whole, width, subsequent_indent="    ")
    return [line.replace(_UNBROKEN, " ") for line in lines]


#: Stands for a space at which no line may be broken.
_UNBROKEN = "\x00"


def interval(domain: Interval) -> str:
    """A domain with all the digits of its ends."""
    low, high = map(_digits, (domain.low, domain.high))
    return f"{'[' if domain.low_closed else '('}{low}, {high}{']' if domain.high_closed else ')'}"


def _digits(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
