"""optdsl: optimizers declared as equations, generated for the framework that you train with.

    import optdsl

    text = optdsl.generate("adam.opt", "numpy")   # the module, as text
    Adam = optdsl.load("adam.opt", "numpy")       # the class, ready to use

A spec is given as a path (`pathlib.Path`, or a `str` that ends in `.opt`) or as its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optdsl.version import __version__

if TYPE_CHECKING:
    from os import PathLike

    from optdsl.diagnostics import Diagnostic
    from optdsl.syntax import tree

__all__ = ["__version__", "check", "generate", "load", "parse"]


def parse(spec: str | PathLike[str]) -> tree.File:
    """The tree of a spec: what was written, nothing resolved.

    Raises `optdsl.diagnostics.SpecError` where it does not read as a spec, OSError where the file
    cannot be read.
    """
    from optdsl import api

    return api.parse(spec)


def check(spec: str | PathLike[str]) -> tuple[Diagnostic, ...]:
    """Everything that is wrong or doubtful in a spec, errors and warnings, by place.

    Raises OSError where the file cannot be read; never because of what stands in it.
    """
    from optdsl import api

    return api.check(spec)


def generate(spec: str | PathLike[str], target: str, optimizer: str | None = None) -> str:
    """The Python module of one optimizer for one target: numpy, tf1 or keras_v2.

    `optimizer` names the one that is meant where the spec holds several. Raises
    `optdsl.diagnostics.SpecError` where the spec has errors, ValueError for an unknown target or
    optimizer, OSError where the file cannot be read.
    """
    from optdsl import api

    return api.generate(spec, target, optimizer)


def load(spec: str | PathLike[str], target: str, optimizer: str | None = None) -> type[Any]:
    """The generated class of one optimizer, imported. Raises as `generate` does, and ImportError
    where the target's framework is not installed.
    """
    from optdsl import api

    return api.load(spec, target, optimizer)
