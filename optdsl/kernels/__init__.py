"""Fused kernels of frameworks: what each computes, as a spec of its own, and which rules they are.

A spec here is no optimizer of the library. Its name is that of the operation, its slots and
hyperparameters are called as the operation's arguments; `w` is `var`, `g` the gradient. A const is
an argument that is given its default in every call, a flag an attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from optdsl.diagnostics import Diagnostics, Source
from optdsl.ir.lower import lower
from optdsl.ir.nodes import Program
from optdsl.semantics.model import Optimizer
from optdsl.semantics.resolve import resolve_checked
from optdsl.syntax import parser

#: The operations in whose calls the gradient is not called `grad`.
_GRADIENTS = {"ApplyGradientDescent": "delta"}
#: What the name of an operation begins with that takes resource variables only. Of the others
#: there are two, and that for resource variables has this before its name.
RESOURCE = "Resource"
#: The operation that is linear in the gradient, and changes nothing but the variable.
LINEAR = "ApplyGradientDescent"


@dataclass(frozen=True, eq=False)
class Kernel:
    """An operation, and what it computes: as its spec is resolved, and in the IR."""

    optimizer: Optimizer
    program: Program

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def gradient(self) -> str:
        return _GRADIENTS.get(self.name, "grad")


def kernels() -> tuple[Kernel, ...]:
    """All the kernels."""
    return tuple(kernel(name) for name in _slots())


def kernel(name: str) -> Kernel:
    """The kernel of this name."""
    return _load(_path(name))


def kernels_with(slots: int) -> tuple[Kernel, ...]:
    """The kernels that have so many slots; only their specs are read."""
    return tuple(kernel(name) for name, count in _slots().items() if count == slots)


@cache
def _slots() -> dict[str, int]:
    """How many slots each kernel has."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.opt")):
        text = path.read_text(encoding="utf-8")
        (name,) = re.findall(r"^optimizer (\w+)", text)
        slots = re.findall(r"^  slot (.*)$", text, re.MULTILINE)
        found[name] = sum(len(line.split(",")) for line in slots)
    return found


def _path(name: str) -> Path:
    words = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z][a-z]+|V\d", name)
    return Path(__file__).parent / ("_".join(words).lower() + ".opt")


@cache
def _load(path: Path) -> Kernel:
    diagnostics = Diagnostics()
    file = parser.parse(Source(path.name, path.read_text(encoding="utf-8")), diagnostics)
    assert file is not None, diagnostics.all
    (optimizer,) = resolve_checked(file)
    return Kernel(optimizer, lower(optimizer))
