"""Random programs on their way through a target and the oracle."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence

import numpy as np
from hypothesis import HealthCheck, Phase, settings

from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from optdsl.verify.cases import cases
from optdsl.verify.run import MODES, Task, measure
from tests.ir.rules import verify_program

#: Set it to 10 and ten times as many programs are tried, others in every run.
FACTOR = int(os.environ.get("OPTDSL_PROGRAMS", "1"))


def many(count: int, *phases: Phase) -> settings:
    """So many programs, the same ones in every run unless more are asked for."""
    return settings(
        max_examples=count * FACTOR,
        phases=phases or (Phase.generate, Phase.shrink),
        derandomize=FACTOR == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def tasks(text: str, target: str) -> list[Task]:
    """Dense and sparse steps under one setting of the flags, and one case of the other kinds."""
    diagnostics = Diagnostics()
    found = api.resolve_source(Source("random.opt", text), diagnostics)
    errors = {d.code for d in diagnostics.all if d.is_error}
    if errors == {"O401"}:  # a constant that is no number, such as sqrt(-1), is refused
        return []
    assert not errors, text
    optimizer = found[-1]
    rng = np.random.default_rng(zlib.crc32(text.encode()))
    every = cases(optimizer)
    first = 5 + 2 * int(rng.integers(0, (len(every) - 5) // 2))
    chosen = [*every[first : first + 2], every[int(rng.integers(0, 5))]]
    verify_program(api.program(text, optimizer.name))
    generated = api.generate(text, target, optimizer.name)
    modes = rng.permutation(MODES[target])
    return [
        Task(optimizer, generated, case, str(modes[i % len(modes)]))
        for i, case in enumerate(chosen)
    ]


def failures(texts: Sequence[str], target: str, python: str | None = None) -> list[str]:
    """What is wrong, with the spec that it happens to."""
    of = [(text, task) for text in texts for task in tasks(text, target)]
    results = measure([task for _, task in of], target, python)
    return [
        f"{text}\n{task.case.name}, {task.case.stream}, {task.mode}, "
        f"{dict(task.case.arguments)}:\n{result.failures[0]}"
        for (text, task), result in zip(of, results, strict=True)
        if result.failures
    ]
