"""Specs in, modules out, and what is to be told about them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from optdsl import api
from optdsl.audit import AuditError
from optdsl.diagnostics import Diagnostics, Source, SpecError
from optdsl.discover import SpecFile
from optdsl.ir.lower import lower
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule, lower_schedule
from optdsl.ir.unsupported import check_supported
from optdsl.names import module_name
from optdsl.output import Findings, Module
from optdsl.semantics.lookup import Library
from optdsl.syntax.parser import read_source
from optdsl.targets.base import get_target

if TYPE_CHECKING:
    from optdsl.verify.report import Row


def read(spec: SpecFile, findings: Findings) -> Source | None:
    """The text of a spec under the name that diagnostics use; None after a report."""
    if spec.text:
        return Source(spec.name, spec.text)
    diagnostics = Diagnostics()
    try:
        source = read_source(spec.path, diagnostics)
    except OSError as error:
        findings.problems.append(f"{spec.name} cannot be read: {error.strerror or error}")
        findings.failed.add(spec.title)
        return None
    findings.add(spec, diagnostics)
    return source and Source(spec.name, source.text)


def resolve(spec: SpecFile, findings: Findings) -> api.Resolved:
    """The resolved optimizers and schedules of a spec; none after a report if it has errors."""
    source = read(spec, findings)
    if source is None:
        return api.Resolved()
    diagnostics = Diagnostics()
    library = findings.libraries.setdefault(spec.library, Library(spec.library))
    resolved = api.resolve_all(source, diagnostics, library)
    findings.add(spec, diagnostics)
    return api.Resolved() if diagnostics.has_errors else resolved


def check(spec: SpecFile, targets: Iterable[str], findings: Findings) -> None:
    """Add to `findings` all that is to be said about a spec, and what a target cannot express."""
    for program in map(lower, resolve(spec, findings).optimizers):
        diagnostics = Diagnostics()
        check_supported(program, diagnostics)
        for target in targets:
            get_target(target).check(program, diagnostics)
        findings.add(spec, diagnostics)


def can_be_run(spec: SpecFile, findings: Findings) -> bool:
    """Whether a spec declares something, and has no errors on the way to any target."""
    resolved, diagnostics = resolve(spec, findings), Diagnostics()
    for program in map(lower, resolved.optimizers):
        check_supported(program, diagnostics)
    findings.add(spec, diagnostics)
    declares = bool(resolved.optimizers or resolved.schedules)
    return declares and not diagnostics.has_errors


def generate(spec: SpecFile, targets: Iterable[str], findings: Findings) -> list[Module]:
    """The modules of a spec, for the targets that can express it."""
    resolved = resolve(spec, findings)
    programs: list[Program | Schedule] = [
        *map(lower, resolved.optimizers),
        *map(lower_schedule, resolved.schedules),
    ]
    return [m for p in programs for t in targets if (m := _module(spec, p, t, findings))]


def _module(
    spec: SpecFile, program: Program | Schedule, target: str, findings: Findings
) -> Module | None:
    titled = replace(program, sources=tuple((spec.title_of(s), d) for s, d in program.sources))
    try:
        text = api.render(titled, target)
    except SpecError as error:
        findings.diagnostics += error.diagnostics
        findings.failed.add(spec.title)
        return None
    except AuditError as error:
        fault = f"{spec.name}: what the target {target} made of {program.name} was refused"
        findings.problems.append(f"{fault}: {error}; this is a fault of optdsl, please report it")
        findings.failed.add(spec.title)
        return None
    imported = {name.partition(".")[0] for name in get_target(target).allowed_imports}
    return Module(target, f"{module_name(program.name, spec.path.stem, imported)}.py", text, spec)


def verify(
    specs: Iterable[SpecFile], target: str, python: str | None, findings: Findings
) -> tuple[Row, ...]:
    """The cases of all the optimizers of some specs, run on a target by an interpreter."""
    from optdsl.verify import verify_all

    try:
        found = [(s.text or s.path, s.library) for s in specs]
        return verify_all(found, target, python).rows
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        findings.problems.append(str(error))
        return ()
