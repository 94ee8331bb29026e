"""What a target is, and the template machinery that all of them share.

A target is data (names, reserved words, what it supports), a table of its framework's functions
for the printer, and a template. It turns a program into a view, an object that holds nothing but
finished text and lists of it, and renders the template with that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from optdsl.cache import folder as cache_folder
from optdsl.diagnostics import Diagnostics
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule
from optdsl.resources import TEMPLATES
from optdsl.targets.text import SafeText

if TYPE_CHECKING:
    import jinja2


@dataclass(frozen=True)
class Spelling:
    """Names in the generated class, by the names of the spec: the constructor's arguments, and
    slots as users ask for them.
    """

    arguments: Mapping[str, str]
    slots: Mapping[str, str]


class Target(Protocol):
    """One framework to generate code for. `allowed_imports` are the modules that its files use."""

    name: str
    allowed_imports: frozenset[str]

    def check(self, program: Program, diagnostics: Diagnostics) -> None:
        """Report what the target cannot express, with its place, before anything is rendered."""

    def spelling(self, program: Program) -> Spelling:
        """What users of the class call what the spec declares."""

    def render(self, program: Program) -> str:
        """The module for one optimizer, without the header that `emit` puts in front."""

    def render_schedule(self, schedule: Schedule) -> str:
        """The module for one schedule, likewise."""

    def schedule_arguments(self, schedule: Schedule) -> Mapping[str, str]:
        """What users of the class call the arguments of the spec."""


class UnsafeText(TypeError):
    """A template was given text that no printer made: a fault of a target, never of a spec."""


def render_template(target: str, view: object, kind: str = "optimizer") -> str:
    """The template of a target for a `kind`, optimizer or schedule, filled with `view`.

    Raises UnsafeText where the view holds a bare str.
    """
    return _environment(target).get_template(f"{kind}.py.jinja").render(v=view)


@cache
def _environment(target: str) -> jinja2.Environment:
    """One for each target, so that a template is compiled once."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES / target, TEMPLATES / "common"]),
        bytecode_cache=_compiled_templates(),
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def _compiled_templates() -> jinja2.BytecodeCache | None:
    """Where templates are kept compiled, by the hash of their text and, as the first part of the
    file's name, of this file, which says how they are compiled.
    """
    import jinja2

    if (folder := cache_folder()) is None:
        return None
    digest = sha256(Path(__file__).read_bytes()).hexdigest()
    return jinja2.FileSystemBytecodeCache(str(folder), f"template-{digest[:16]}-%s")


def _finalize(value: object) -> object:
    if not isinstance(value, SafeText):
        raise UnsafeText(f"a template may not print a {type(value).__name__}: {value!r}")
    return value


def get_target(name: str) -> Target:
    """The target of this name. Raises KeyError where there is none."""
    return _LOADERS[name]()


def _numpy() -> Target:
    from optdsl.targets.numpy.target import NumpyTarget

    return NumpyTarget()


def _tf1() -> Target:
    from optdsl.targets.tf1.target import Tf1Target

    return Tf1Target()


def _keras_v2() -> Target:
    from optdsl.targets.keras_v2.target import KerasV2Target

    return KerasV2Target()


#: By name; a target is imported when it is asked for.
_LOADERS: dict[str, Callable[[], Target]] = {
    "numpy": _numpy,
    "tf1": _tf1,
    "keras_v2": _keras_v2,
}
