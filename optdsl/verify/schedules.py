"""Schedules as generated beside the oracle: many steps, each setting of the flags, other numbers.

A value has to lie where the enclosure of the spec's equations says that rounding in float64 can
lead. Where a jump (`floor`, a comparison) is that near, both its sides are allowed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from optdsl.oracle.schedules import Given, evaluate, evaluate_in
from optdsl.semantics.model import Const, Flag
from optdsl.semantics.schedule import Numbers, Schedule
from optdsl.verify import drive, drive_schedules_numpy
from optdsl.verify.accuracy import accuracy
from optdsl.verify.cases import inside
from optdsl.verify.compare import Measured
from optdsl.verify.enclosure import Enclosure
from optdsl.verify.run import class_of, elsewhere, write_module
from optdsl.verify.sets import Enclosed

#: How a target is called with a step.
MODES = {
    "numpy": ("numpy",),
    "tf1": ("resource", "ref", "eager"),
    "keras_v2": ("function", "eager"),
}
#: As many random steps are tried beside those that the arguments single out.
RANDOM = 8
#: Of more combinations of flags than this, only the first ones are tried.
MAX_SETTINGS = 32


@dataclass(frozen=True)
class Task:
    """A schedule, its generated module, arguments by the spec's and by the module's names."""

    schedule: Schedule
    text: str
    name: str
    given: Given
    arguments: Mapping[str, float | bool | Sequence[float]]
    steps: tuple[int, ...]
    mode: str


def tasks(schedule: Schedule, text: str, spelled: Mapping[str, str], target: str) -> Iterator[Task]:
    """The same ones in every run. `spelled` are the arguments' names in the module."""
    rng = np.random.default_rng(zlib.crc32(schedule.name.encode()))
    for number, (name, given) in enumerate(_settings(schedule, rng)):
        arguments = {spelled[key]: value for key, value in given.items()}
        mode = MODES[target][number % len(MODES[target])]
        yield Task(schedule, text, name, given, arguments, _steps(schedule, given, rng), mode)


def _settings(schedule: Schedule, rng: np.random.Generator) -> Iterator[tuple[str, Given]]:
    yield "defaults", {}
    flags = [f.name for f in schedule.flags]
    for values in list(product((False, True), repeat=len(flags)))[:MAX_SETTINGS]:
        setting = dict(zip(flags, values, strict=True))
        label = ", ".join(f"{name}={str(x).lower()}" for name, x in setting.items())
        yield label or "other numbers", {**_numbers(schedule, rng), **setting}
    for const in schedule.consts:
        for end in (const.domain.low, const.domain.high):
            if np.isfinite(end) and end in const.domain:
                yield f"{const.name}={end:g}", {const.name: int(end) if const.is_int else end}


def _numbers(schedule: Schedule, rng: np.random.Generator) -> dict[str, float | tuple[float, ...]]:
    consts = {
        c.name: inside(rng, c.domain, c.default_value or 0.1)
        for c in schedule.consts
        if not c.is_int
    }
    return {**consts, **_lists(schedule, rng)}


def _lists(schedule: Schedule, rng: np.random.Generator) -> dict[str, tuple[float, ...]]:
    """Lists of three boundaries that rise, and of four values."""
    found: dict[str, tuple[float, ...]] = {}
    lists = {x.name: x for x in schedule.lists}
    for boundaries, values in schedule.pieces:
        found[boundaries] = tuple(sorted(float(x) for x in rng.integers(1, 5000, 3)))
        found[values] = tuple(inside(rng, lists[values].domain, 0.1) for _ in range(4))
    return found


def _steps(schedule: Schedule, given: Given, rng: np.random.Generator) -> tuple[int, ...]:
    """0, 1, 2, steps around every argument and its multiples, and some at random."""
    marks = [x for a in schedule.arguments for x in _marks(a, given)]
    near = {round(k * x) + d for x in marks for k in (1, 2, 3) for d in (-1, 0, 1)}
    spread = {int(x) for x in rng.uniform(0, 3 * max([100.0, *marks]), RANDOM)}
    return tuple(sorted(s for s in {0, 1, 2, 10**7} | near | spread if 0 <= s <= 10**9))


def _marks(argument: Const | Flag | Numbers, given: Given) -> Sequence[float]:
    if isinstance(argument, Flag):
        return ()
    value: Any = given.get(argument.name)
    if isinstance(argument, Numbers):
        return argument.default if value is None else value
    return (argument.default_value if value is None else value,)


def measure(found: Sequence[Task], target: str, python: str | None = None) -> list[Measured]:
    """The result of each task; raises as `run.measure` does."""
    with TemporaryDirectory(prefix="optdsl-verify-") as directory:
        job = {"cases": [_case(task, Path(directory)) for task in found]}
        if target == "numpy" and python is None:
            done = drive.run_all(drive_schedules_numpy, job)
        else:
            done = elsewhere(job, f"schedules_{target}", python, Path(directory))
    results = zip(found, done["results"], strict=True)
    return [_judge(task, result, done["framework"]) for task, result in results]


def _case(task: Task, directory: Path) -> dict[str, Any]:
    return {
        "module": str(write_module(task.text, directory)),
        "class": class_of(task.text),
        "mode": task.mode,
        "arguments": dict(task.arguments),
        "steps": list(task.steps),
    }


def _judge(task: Task, result: dict[str, Any], framework: str) -> Measured:
    if "error" in result:
        return Measured(failures=[result["error"]])
    sets, measured = Enclosure(accuracy(framework, task.mode)), Measured()
    for t, x in zip(task.steps, result["states"], strict=True):
        limits: Any = evaluate_in(sets, task.schedule, t, task.given)
        _compare(t, float(x), evaluate(task.schedule, t, task.given), limits, measured)
    return measured


def _compare(t: int, x: float, value: float, limits: Enclosed, measured: Measured) -> None:
    low, high = float(limits.low), float(limits.high)
    if not (low <= x <= high or (np.isnan(x) and limits.nan)):
        nan = " or NaN" if limits.nan else ""
        measured.failures.append(
            f"after {t} steps it is {x!r}, should be {value!r}: {low!r} to {high!r}{nan}"
        )
    error, bound = abs(x - value), high - value if x > value else value - low
    if np.isfinite(error) and error > 0 and bound < abs(value):
        ulps = error / float(np.spacing(abs(value)))
        measured.ulps["float64"] = max(measured.ulps.get("float64", 0.0), ulps)
        measured.use = max(measured.use, error / bound if bound > 0 else np.inf)
