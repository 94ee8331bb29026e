"""The commands. Each calls the library and prints; what it needs is imported when it runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from optdsl.version import __version__

if TYPE_CHECKING:
    from optdsl.config import Config
    from optdsl.diagnostics import Diagnostic
    from optdsl.discover import SpecFile
    from optdsl.memory import Memory
    from optdsl.output import Findings, Module

T = TypeVar("T")

_specs_argument = click.argument("specs", metavar="[SPEC]...", nargs=-1)
_target_option = click.option(
    "-t", "--target", "targets", metavar="TARGET", multiple=True,
    help="Only this target: numpy, tf1 or keras_v2; may be given several times.",
)  # fmt: skip

_library_option = click.option(
    "--library", "library", multiple=True, metavar="DIR",
    help="A folder in which the parts of compositions are looked up; may be given several times.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="optdsl")
def commands() -> None:
    """From one spec of an optimizer to classes for TF1, Keras V2 and NumPy.

    A SPEC is a file, a folder of .opt files, the name of an optimizer of the library, such as
    adam, or a composition, such as 'Accumulate(k=4) of Lookahead of AdamW'. Where none is given,
    [tool.optdsl] in the nearest pyproject.toml says which.
    """


@commands.command()
@_specs_argument
@_target_option
@_library_option
@click.option("-o", "--output", metavar="DIR", help="The folder to write to.")
@click.option("--check", is_flag=True, help="Write nothing; show what would change, and exit 1.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand, too.")
def gen(
    specs: tuple[str, ...],
    targets: tuple[str, ...],
    library: tuple[str, ...],
    output: str | None,
    check: bool,
    force: bool,
) -> int:
    """Generate DIR/TARGET/OPTIMIZER.py for each spec and target.

    A spec of which nothing has changed since the last run, nor of its files, is left alone, but
    not with --check or --force.
    """
    from optdsl.memory import Memory
    from optdsl.output import Findings, Output, without_clashes

    start = time.monotonic()
    config = _config(targets)
    files = _find(specs, config, library)
    findings = Findings()
    folder = Path(output) if output is not None else config.root / config.output
    memory = None if check or force else Memory(folder, config.targets)
    modules = _modules(files, config.targets, memory, findings)
    modules = without_clashes(modules, findings)
    place = Output(folder, os.path.relpath(folder))
    stale = [] if specs else place.stale(modules, config.targets, findings.failed)
    if check:
        click.echo(place.compare(modules, findings), nl=False)
        findings.problems += [f"{name} comes from no spec any more; delete it" for name in stale]
        summary = f"{_count(len(modules), 'file')} compared"
    else:
        written = place.write(modules, force, findings)
        for name in stale:
            click.echo(f"note: {name} comes from no spec any more; delete it", err=True)
        summary = f"{_count(len(modules), 'file')} in {place.name}: {written} written"
    if memory is not None:
        memory.save()
    return _finish(findings, f"{summary} ({time.monotonic() - start:.1f} s)")


def _modules(
    files: Sequence[SpecFile], targets: Sequence[str], memory: Memory | None, findings: Findings
) -> list[Module]:
    """The modules of some specs; those that the memory is sure of are not generated again."""
    modules: list[Module] = []
    for file in _progress(files):
        known = memory.recall(file) if memory else None
        if known is None:
            from optdsl import generation  # it takes most of the time of a run that has no need

            told = findings.count
            known = generation.generate(file, targets, findings)
            if memory and findings.count == told:
                memory.keep(file, known)
        modules += known
    return modules


@commands.command()
@_specs_argument
@_library_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="What the findings are printed as.",
)  # fmt: skip
def check(specs: tuple[str, ...], library: tuple[str, ...], form: str) -> int:
    """Report errors and warnings in specs; write nothing."""
    from optdsl import generation
    from optdsl.output import Findings

    config = _config(())
    files = _find(specs, config, library)
    findings = Findings()
    for file in _progress(files):
        generation.check(file, config.targets, findings)
    if form == "json":
        from optdsl.render import render_json

        click.echo(json.dumps(render_json(findings.diagnostics), indent=2))
        _print_problems(findings)
        return int(not findings.is_clean)
    errors = sum(d.is_error for d in findings.diagnostics)
    warnings = len(findings.diagnostics) - errors
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    return _finish(findings, f"{_count(len(files), 'spec')} checked: {counts}", err=False)


@commands.command()
@click.argument("spec")
@_library_option
def explain(spec: str, library: tuple[str, ...]) -> int:
    """Show what the compiler found out about a spec.

    Per statement its level; per slot what a row does that a sparse gradient does not touch, and
    why; the bytes of state per parameter; the path that each sparse policy takes.
    """
    from optdsl import generation
    from optdsl.explain import explain as explanation
    from optdsl.explain_schedule import explain as schedule_explanation
    from optdsl.output import Findings

    findings = Findings()
    config = _config(())
    for file in _find((spec,), config, library):
        resolved = generation.resolve(file, findings)
        for optimizer in resolved.optimizers:
            click.echo(explanation(optimizer))
        for schedule in resolved.schedules:
            click.echo(schedule_explanation(schedule))
    _print_diagnostics(findings.diagnostics, err=True)
    _print_problems(findings)
    return int(not findings.is_clean)


@commands.command()
@_specs_argument
@_target_option
@_library_option
@click.option(
    "--python", metavar="PATH",
    help="An interpreter that has the target's framework; this one where none is given.",
)  # fmt: skip
def verify(
    specs: tuple[str, ...],
    targets: tuple[str, ...],
    library: tuple[str, ...],
    python: str | None,
) -> int:
    """Compare generated code with the reference interpreter, and print the errors in ulp."""
    from optdsl import generation
    from optdsl.output import Findings
    from optdsl.verify import Report

    config = _config(targets)
    files = _find(specs, config, library)
    if python is not None and shutil.which(python) is None:
        raise click.UsageError(f"there is no program '{python}'")
    findings = Findings()
    sound = [file for file in files if generation.can_be_run(file, findings)]
    rows = [
        row
        for target in _progress(config.targets if sound else ())
        for row in generation.verify(sound, target, python, findings)
    ]
    report = Report(tuple(rows))
    _print_diagnostics(findings.diagnostics, err=True)
    click.echo(report.table())
    _print_problems(findings)
    return int(not (findings.is_clean and report.ok and report.rows))


def _config(targets: Sequence[str]) -> Config:
    """The project's settings, with `targets` in place of its own where any are given."""
    from dataclasses import replace

    from optdsl.config import ConfigError, check_targets, load_config

    try:
        config = load_config(Path.cwd())
        check_targets(targets)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    return replace(config, targets=tuple(dict.fromkeys(targets))) if targets else config


def _find(specs: tuple[str, ...], config: Config, library: tuple[str, ...]) -> tuple[SpecFile, ...]:
    """The files that the user means, or else those of the project."""
    from optdsl.config import ConfigError
    from optdsl.discover import find_specs

    if not specs and not config.specs:
        where = "in [tool.optdsl]" if config.is_explicit else "and there is no [tool.optdsl] in"
        raise click.UsageError(f"no SPEC is given, {where} pyproject.toml")
    base = Path() if specs else config.root
    try:
        return find_specs(
            specs or config.specs,
            base=base,
            root=config.root,
            library=(*library, *(str(config.root / folder) for folder in config.library)),
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from None


def _progress(items: Sequence[T]) -> Iterator[T]:
    """The items; what takes longer than a second is told about, on a terminal."""
    start, shows = time.monotonic(), sys.stderr.isatty()
    for number, item in enumerate(items, 1):
        if shows and time.monotonic() - start > 1:
            click.echo(f"\r{number}/{len(items)}", nl=False, err=True)
        yield item
    if shows and time.monotonic() - start > 1:
        click.echo("\r\x1b[K", nl=False, err=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _finish(findings: Findings, summary: str, *, err: bool = True) -> int:
    """Print what was found and the summary; the exit code that belongs to it."""
    _print_diagnostics(findings.diagnostics, err=err)
    _print_problems(findings)
    click.echo(summary)
    return int(not findings.is_clean)


def _print_diagnostics(diagnostics: Sequence[Diagnostic], *, err: bool) -> None:
    from optdsl.render import render_text

    if diagnostics:
        click.echo(render_text(diagnostics), err=err)


def _print_problems(findings: Findings) -> None:
    from optdsl.render import escape

    for problem in findings.problems:
        text = "\n  ".join(map(escape, problem.splitlines()))
        click.echo(f"error: {text}", err=True)


def main() -> NoReturn:
    """Run the command line and exit: 0 fine, 1 findings or drift, 2 wrong use, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may be anything
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line, printing as it goes; the exit code."""
    try:
        code = commands.main(list(arguments), prog_name="optdsl", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
