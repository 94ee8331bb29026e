"""Runs cases on generated classes, in this process or in the interpreter of their framework."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from optdsl.ir.lower import lower
from optdsl.oracle import Gradient, Sparse
from optdsl.semantics import model
from optdsl.targets.base import Spelling, get_target
from optdsl.verify import drive, drive_numpy
from optdsl.verify.accuracy import accuracy
from optdsl.verify.cases import Case, Schedule
from optdsl.verify.compare import Measured, compare

#: The ways in which a target can run a case.
MODES = {
    "numpy": ("numpy",),
    "tf1": ("resource", "ref", "eager", "xla"),
    "keras_v2": ("function", "eager", "xla"),
}
#: Seconds that starting a framework may take, and one case.
STARTUP, PER_CASE = 120, 60


@dataclass(frozen=True)
class Task:
    """A case of an optimizer, on the generated module `text`, in a mode of the target."""

    optimizer: model.Optimizer
    text: str
    case: Case
    mode: str


def measure(tasks: Sequence[Task], target: str, python: str | None = None) -> list[Measured]:
    """The result of each task. `python` is an interpreter that has the framework; None: this one.

    Raises RuntimeError where the interpreter cannot run at all, TimeoutExpired where it hangs.
    """
    with TemporaryDirectory(prefix="optdsl-verify-") as directory:
        optimizers = {id(task.optimizer): task.optimizer for task in tasks}
        spelling = {i: get_target(target).spelling(lower(o)) for i, o in optimizers.items()}
        cases = [_case(t, spelling[id(t.optimizer)], Path(directory)) for t in tasks]
        job = {"cases": cases}
        if target == "numpy" and python is None:
            done = drive.run_all(drive_numpy, job)
        else:
            done = elsewhere(job, target, python, Path(directory))
    results = zip(tasks, done["results"], strict=True)
    return [_judge(task, target, result, done["framework"]) for task, result in results]


def _judge(task: Task, target: str, result: dict[str, Any], framework: str) -> Measured:
    if not task.case.variables:
        return Measured(failures=["no variable of up to three dimensions has the axes of the rule"])
    if "error" in result:
        return Measured(failures=[result["error"]])
    known = accuracy(framework, task.mode)
    return compare(task.optimizer, target, task.case, result["states"], known, task.mode)


def elsewhere(
    job: dict[str, Any], driver: str, python: str | None, directory: Path
) -> dict[str, Any]:
    """What `drive_<driver>.py` makes of a job in another process, of this interpreter or `python`.

    Raises as `measure` does.
    """
    paths = str(directory / "job"), str(directory / "result")
    drive.save(paths[0], job)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [python or sys.executable, drive.__file__, driver, *paths],
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=STARTUP + PER_CASE * len(job["cases"]),
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"{python or sys.executable} cannot run {driver}:\n{run.stderr[-1500:]}")
    done: dict[str, Any] = drive.load(paths[1])
    return done


def _case(task: Task, spelling: Spelling, directory: Path) -> dict[str, Any]:
    """A task as `drive` reads it; the module lies in the directory, once."""
    entries = {c.name for c in task.optimizer.consts if c.entry_of}
    return {
        "module": str(write_module(task.text, directory)),
        "class": class_of(task.text),
        "mode": task.mode,
        "arguments": {
            spelling.arguments[name]: list(x.values) if isinstance(x, Schedule) else x
            for name, x in task.case.arguments.items()
            if name not in entries
        },
        "lists": _lists(task, spelling),
        "variables": dict(task.case.variables),
        "slots": dict(spelling.slots),
        "stages": task.optimizer.stages,
        "gradients": [
            {key: _gradient(g) for key, g in step.items() if g is not None}
            for step in task.case.gradients
        ],
    }


def _lists(task: Task, spelling: Spelling) -> dict[str, list[Any]]:
    """The constants that are given together."""
    found: dict[str, list[Any]] = {}
    for const in task.optimizer.consts:
        if const.entry_of and const.name in task.case.arguments:
            value = task.case.arguments[const.name]
            found.setdefault(spelling.arguments[const.entry_of], []).append(value)
    return found


def _gradient(gradient: Gradient) -> Any:
    if isinstance(gradient, Sparse):
        return {"indices": gradient.indices, "values": np.asarray(gradient.values)}
    return gradient


def write_module(text: str, directory: Path) -> Path:
    """The file with this text, one for each text."""
    path = directory / f"generated_{abs(hash(text))}.py"
    path.write_text(text, encoding="utf-8")
    return path


@cache
def class_of(text: str) -> str:
    """The class of a generated module: the first."""
    return next(node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
