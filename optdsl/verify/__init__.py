"""The proof: a generated class and the oracle side by side, measured against an error bound."""

from __future__ import annotations

from os import PathLike

from optdsl.verify.compare import Measured
from optdsl.verify.report import Report, Row
from optdsl.verify.run import MODES, Task, measure

__all__ = ["Report", "verify"]


def verify(spec: str | PathLike[str], target: str, python: str | None = None) -> Report:
    """Drive every optimizer of a spec, as generated for a target, through all its cases.

    `spec` is a path or a text, `python` an interpreter that has the target's framework (None: the
    one that runs this). Raises SpecError where the spec has errors, RuntimeError where the
    framework does not run.
    """
    from optdsl import api
    from optdsl.diagnostics import Diagnostics, SpecError
    from optdsl.verify.cases import cases

    diagnostics = Diagnostics()
    source = api.read(spec, diagnostics)
    optimizers = api.resolve_source(source, diagnostics) if source else ()
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    modes = MODES[target]
    tasks = [
        Task(optimizer, api.generate(spec, target, optimizer.name), case, modes[i % len(modes)])
        for optimizer in optimizers
        for i, case in enumerate(cases(optimizer))
    ]
    results = measure(tasks, target, python)
    return Report(tuple(_row(t, target, r) for t, r in zip(tasks, results, strict=True)))


def _row(task: Task, target: str, measured: Measured) -> Row:
    case = task.case
    name = f"{case.name} ({task.mode})"
    return Row(task.optimizer.name, target, case.stream, name, len(case.gradients), measured)
