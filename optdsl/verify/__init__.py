"""The proof: a generated class and the oracle side by side, measured against an error bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from os import PathLike

from optdsl.verify.compare import Measured
from optdsl.verify.report import Report, Row
from optdsl.verify.run import MODES, Task, measure

__all__ = ["Report", "verify", "verify_all"]


def verify(spec: str | PathLike[str], target: str, python: str | None = None) -> Report:
    """Drive every optimizer of a spec, as generated for a target, through all its cases.

    `spec` is a path or a text, `python` an interpreter that has the target's framework (None: the
    one that runs this). Raises SpecError where the spec has errors, RuntimeError where the
    framework does not run.
    """
    return verify_all([(spec, ())], target, python)


def verify_all(
    specs: Iterable[tuple[str | PathLike[str], Sequence[PathLike[str]]]],
    target: str,
    python: str | None = None,
    most: int | None = None,
) -> Report:
    """As `verify`, for many specs, each with the folders in which the parts of its compositions are
    looked up; the framework is started once. `most`: so many cases of each.
    """
    specs = list(specs)
    tasks = [task for spec in specs for task in islice(_tasks(*spec, target), most)]
    results = measure(tasks, target, python) if tasks else []
    rows = [_row(t, target, r) for t, r in zip(tasks, results, strict=True)]
    return Report((*rows, *_schedule_rows([spec for spec, _ in specs], target, python)))


def _schedule_rows(
    specs: Iterable[str | PathLike[str]], target: str, python: str | None
) -> Iterator[Row]:
    """The rows of the schedules that the specs declare."""
    from optdsl import api
    from optdsl.diagnostics import Diagnostics
    from optdsl.ir.schedule import lower_schedule
    from optdsl.targets.base import get_target
    from optdsl.verify import schedules

    tasks: list[schedules.Task] = []
    for spec in specs:
        source = api.read(spec, Diagnostics())
        for schedule in api.resolve_all(source, Diagnostics()).schedules if source else ():
            text = api.generate(spec, target, schedule.name)
            names = get_target(target).schedule_arguments(lower_schedule(schedule))
            tasks += schedules.tasks(schedule, text, names, target)
    results = schedules.measure(tasks, target, python) if tasks else []
    for task, found in zip(tasks, results, strict=True):
        name = f"{task.name} ({task.mode})"
        yield Row(task.schedule.name, target, "schedule", name, len(task.steps), found)


def _tasks(
    spec: str | PathLike[str], library: Sequence[PathLike[str]], target: str
) -> Iterator[Task]:
    from optdsl import api
    from optdsl.diagnostics import Diagnostics, SpecError
    from optdsl.ir.lower import lower
    from optdsl.verify.cases import cases

    diagnostics = Diagnostics()
    source = api.read(spec, diagnostics)
    optimizers = api.resolve_source(source, diagnostics, library) if source else ()
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    for optimizer in optimizers:
        text = api.render(lower(optimizer), target)
        for case, mode in zip(cases(optimizer), cycle(MODES[target])):
            yield Task(optimizer, text, case, mode)


def _row(task: Task, target: str, measured: Measured) -> Row:
    case = task.case
    name = f"{case.name} ({task.mode})"
    return Row(task.optimizer.name, target, case.stream, name, len(case.gradients), measured)
