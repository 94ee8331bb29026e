"""What a run hands out: the generated files in their folder, and what is to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from optdsl.diagnostics import Diagnostic, Diagnostics
from optdsl.discover import SpecFile
from optdsl.emit import Drift, WriteError, diff, drift, make_package, specs_of, stale, write

if TYPE_CHECKING:
    from optdsl.semantics.lookup import Library


@dataclass(frozen=True)
class Module:
    """A generated file: `text` belongs at `target`/`file` below the output folder, and None says
    that it stands there already.
    """

    target: str
    file: str
    text: str | None
    spec: SpecFile

    @property
    def path(self) -> str:
        return f"{self.target}/{self.file}"


@dataclass
class Findings:
    """What a run found: diagnostics of specs, and problems with files, as sentences.

    `failed` are the titles of specs with errors, `libraries` what is known of folders of specs.
    """

    diagnostics: list[Diagnostic] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    libraries: dict[tuple[Path, ...], Library] = field(default_factory=dict)

    def add(self, spec: SpecFile, found: Diagnostics) -> None:
        """Take over what was found in a spec."""
        self.diagnostics += found.all
        if found.has_errors:
            self.failed.add(spec.title)

    @property
    def count(self) -> int:
        return len(self.diagnostics) + len(self.problems)

    @property
    def is_clean(self) -> bool:
        return not self.failed and not self.problems


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
        if module.text is None:
            return False
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
        if module.text is None:
            return ""
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
