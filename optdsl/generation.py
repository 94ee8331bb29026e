"""One run of the generator: specs in, modules out, and what is to be told about them."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from optdsl import api
from optdsl.audit import AuditError
from optdsl.diagnostics import Diagnostic, Diagnostics, Source, SpecError
from optdsl.discover import SpecFile
from optdsl.emit import Drift, WriteError, diff, drift, make_package, specs_of, stale, write
from optdsl.ir.lower import lower
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule, lower_schedule
from optdsl.ir.unsupported import check_supported
from optdsl.names import module_name
from optdsl.syntax.parser import read_source
from optdsl.targets.base import get_target

if TYPE_CHECKING:
    from optdsl.verify.report import Row


@dataclass(frozen=True)
class Module:
    """A generated file: `text` belongs at `target`/`file` below the output folder."""

    target: str
    file: str
    text: str
    spec: SpecFile

    @property
    def path(self) -> str:
        return f"{self.target}/{self.file}"


@dataclass
class Findings:
    """What a run found: diagnostics of specs, and problems with files, as sentences."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def add(self, spec: SpecFile, found: Diagnostics) -> None:
        """Take over what was found in a spec."""
        self.diagnostics += found.all
        if found.has_errors:
            self.failed.add(spec.title)

    @property
    def is_clean(self) -> bool:
        return not self.failed and not self.problems


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
    resolved = api.resolve_all(source, diagnostics, spec.library)
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


def without_clashes(modules: Sequence[Module], findings: Findings) -> list[Module]:
    """The modules that have their path for themselves; the others are reported."""
    times = Counter(m.path for m in modules)
    for path in [p for p, n in times.items() if n > 1]:
        names = list(dict.fromkeys(m.spec.name for m in modules if m.path == path))
        findings.problems.append(f"{path} would come from two optimizers: {' and '.join(names)}")
    return [m for m in modules if times[m.path] == 1]


@dataclass
class Output:
    """The folder of the generated files, `folder` on the disk and `name` in messages."""

    folder: Path
    name: str

    def write(self, modules: Sequence[Module], force: bool, findings: Findings) -> int:
        """Write what is not up to date; the answer is how many files were written."""
        usable = self._make_packages(modules, findings)
        return sum(self._write(m, force, findings) for m in modules if m.target in usable)

    def _make_packages(self, modules: Sequence[Module], findings: Findings) -> set[str]:
        """Make the packages; the answer is the targets whose folder can be used."""
        usable = set()
        for target in sorted({m.target for m in modules}):
            try:
                make_package(self.folder)
                make_package(self.folder / target)
                usable.add(target)
            except WriteError as error:
                findings.problems.append(str(error))
        return usable

    def _write(self, module: Module, force: bool, findings: Findings) -> bool:
        try:
            found = write(self.folder / module.path, module.text, force=force)
        except WriteError as error:
            findings.problems.append(str(error))
            return False
        if force or found.is_safe_to_write:
            return found is not Drift.SAME
        kept = f"{self.name}/{module.path} is {found.value} and was kept"
        findings.problems.append(f"{kept}; --force overwrites it")
        return False

    def compare(self, modules: Sequence[Module], findings: Findings) -> str:
        """The unified diff from the disk to the modules; what differs is a problem each."""
        folders = dict.fromkeys(f for m in modules for f in ("", f"{m.target}/"))
        for path in (f"{folder}__init__.py" for folder in folders):
            if not (self.folder / path).exists():
                findings.problems.append(f"{self.name}/{path} is missing")
        return "".join(self._compare(m, findings) for m in modules)

    def _compare(self, module: Module, findings: Findings) -> str:
        path, name = self.folder / module.path, f"{self.name}/{module.path}"
        try:
            found = drift(path, module.text)
        except OSError as error:
            findings.problems.append(f"{name} cannot be read: {error.strerror or error}")
            return ""
        if found is Drift.SAME:
            return ""
        findings.problems.append(f"{name} is {found.value}")
        return "" if found is Drift.BLOCKED else diff(path, module.text, name)

    def stale(
        self, modules: Sequence[Module], targets: Iterable[str], failed: set[str]
    ) -> list[str]:
        """Files of optdsl that no spec gives any more; those of a spec with errors do not count."""
        found = []
        for target in targets:
            expected = [m.file for m in modules if m.target == target]
            for path in stale(self.folder / target, expected):
                if not failed.intersection(specs_of(path.read_text(encoding="utf-8")) or ()):
                    found.append(f"{self.name}/{target}/{path.name}")
        return found
