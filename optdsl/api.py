"""The way of a spec through the house; `optdsl` itself offers it to users."""

from __future__ import annotations

import linecache
import sys
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from optdsl.diagnostics import Diagnostic, Diagnostics, Source, SpecError
from optdsl.ir.lower import lower
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule as ScheduleProgram
from optdsl.ir.schedule import lower_schedule
from optdsl.ir.unsupported import check_supported
from optdsl.semantics.lookup import Library
from optdsl.semantics.model import Optimizer
from optdsl.semantics.partial import sure_findings
from optdsl.semantics.resolve import resolve
from optdsl.semantics.resolve_schedule import resolve_schedules
from optdsl.semantics.schedule import Schedule
from optdsl.syntax import parser, tree
from optdsl.targets.base import get_target
from optdsl.targets.names import TARGET_NAMES


def read(spec: str | PathLike[str], diagnostics: Diagnostics) -> Source | None:
    """The source of a spec given as a path or as its text; None, after a report, if it is none."""
    if isinstance(spec, str) and not (spec.endswith(".opt") and "\n" not in spec):
        return Source("<text>", spec)
    return parser.read_source(Path(spec), diagnostics)


def parse(spec: str | PathLike[str]) -> tree.File:
    """See `optdsl.parse`."""
    diagnostics = Diagnostics()
    source = read(spec, diagnostics)
    file = parser.parse(source, diagnostics) if source else None
    if file is None:
        raise SpecError(diagnostics.all)
    return file


def check(spec: str | PathLike[str]) -> tuple[Diagnostic, ...]:
    """See `optdsl.check`."""
    diagnostics = Diagnostics()
    source = read(spec, diagnostics)
    if source is not None:
        programs(source, diagnostics)
    return diagnostics.all


@dataclass(frozen=True)
class Resolved:
    """What a source declares, each without errors."""

    optimizers: tuple[Optimizer, ...] = ()
    schedules: tuple[Schedule, ...] = ()


def resolve_source(
    source: Source, diagnostics: Diagnostics, library: Iterable[str | PathLike[str]] = ()
) -> tuple[Optimizer, ...]:
    """The optimizers of a source that have no errors; none where some line does not read."""
    return resolve_all(source, diagnostics, library).optimizers


def resolve_all(
    source: Source, diagnostics: Diagnostics, library: Library | Iterable[str | PathLike[str]] = ()
) -> Resolved:
    """What a source declares that has no errors; nothing where some line does not read.

    `library` are folders in which parts of compositions are looked up.
    """
    library = library if isinstance(library, Library) else Library(library)
    of_text, of_meaning = Diagnostics(), Diagnostics()
    file = parser.parse_partly(source, of_text)
    found = Resolved()
    if file:
        optimizers = resolve(file, of_meaning, library)
        found = Resolved(optimizers, resolve_schedules(file, of_meaning))
    diagnostics.extend(of_text)
    if of_text.has_errors:
        diagnostics.extend(sure_findings(of_text, of_meaning))
        return Resolved()
    diagnostics.extend(of_meaning)
    return found


def programs(source: Source, diagnostics: Diagnostics) -> tuple[Program, ...]:
    """The IR of the optimizers of a source that have no errors."""
    return _lowered(resolve_all(source, diagnostics), diagnostics)


def _lowered(resolved: Resolved, diagnostics: Diagnostics) -> tuple[Program, ...]:
    programs = tuple(map(lower, resolved.optimizers))
    for found in programs:
        check_supported(found, diagnostics)
    return programs


def program(spec: str | PathLike[str], optimizer: str | None = None) -> Program:
    """The IR of one optimizer of a spec. Raises as `generate` does."""
    diagnostics = Diagnostics()
    source = read(spec, diagnostics)
    found = programs(source, diagnostics) if source else ()
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    return _choose(found, optimizer)


Named = TypeVar("Named", Program, Program | ScheduleProgram)


def _choose(found: Sequence[Named], optimizer: str | None) -> Named:
    names = [p.name for p in found]
    if optimizer is None and len(found) == 1:
        return found[0]
    if optimizer not in names:
        wanted = "give optimizer=" if optimizer is None else f"no optimizer {optimizer!r}; there is"
        raise ValueError(f"{wanted} {' or '.join(map(repr, names)) or 'none'}")
    return found[names.index(optimizer)]


def _definition(spec: str | PathLike[str], name: str | None) -> Program | ScheduleProgram:
    """The IR of one optimizer or schedule of a spec. Raises as `generate` does."""
    diagnostics = Diagnostics()
    source = read(spec, diagnostics)
    resolved = resolve_all(source, diagnostics) if source else Resolved()
    programs = _lowered(resolved, diagnostics)
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    found: list[Program | ScheduleProgram] = [*programs, *map(lower_schedule, resolved.schedules)]
    return _choose(found, name)


def generate(spec: str | PathLike[str], target: str, optimizer: str | None = None) -> str:
    """See `optdsl.generate`."""
    return render(_definition(spec, optimizer), target)


def render(found: Program | ScheduleProgram, target: str) -> str:
    """The module of a program or schedule for a target.

    Raises SpecError where the target cannot express it.
    """
    from optdsl.emit import with_header

    if target not in TARGET_NAMES:
        raise ValueError(f"no target {target!r}; there is {', '.join(TARGET_NAMES)}")
    diagnostics = Diagnostics()
    backend = get_target(target)
    if isinstance(found, ScheduleProgram):
        return with_header(backend.render_schedule(found), found, backend)
    check_supported(found, diagnostics)
    backend.check(found, diagnostics)
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    return with_header(backend.render(found), found, backend)


def load(spec: str | PathLike[str], target: str, optimizer: str | None = None) -> type[Any]:
    """See `optdsl.load`."""
    found = _definition(spec, optimizer)
    text = render(found, target)
    name = f"optdsl_generated.{target}.{found.name}"
    module = types.ModuleType(name)
    filename = f"<optdsl {target} {found.name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    sys.modules[name] = module  # pickle finds the class by its module's name
    exec(compile(text, filename, "exec"), module.__dict__)
    return next(c for c in vars(module).values() if isinstance(c, type) and c.__module__ == name)
