"""What the specs of the kernels say is what the kernels compute.

A kernel's spec is generated as an optimizer, which calls the kernel, as its rule is the kernel's;
that is driven like any other. OPTDSL_FRAMEWORK_PYTHON names another interpreter with TensorFlow.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

import optdsl.kernels
from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from optdsl.kernels import kernel, kernels
from optdsl.kernels.select import with_kernels
from optdsl.verify.cases import Case, cases
from optdsl.verify.run import MODES, Task, measure

PYTHON = os.environ.get("OPTDSL_FRAMEWORK_PYTHON")
SPECS = sorted(Path(optdsl.kernels.__file__).parent.glob("*.opt"))
NAMES = [k.name for k in kernels()]
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.3, np.inf, -np.inf, np.nan, 1e-40, -1e-30, 1e30, -3e38)


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_computes_its_own_spec(name: str) -> None:
    found = with_kernels(kernel(name).program).kernels
    assert {k.kernel for k in found} == {name}
    assert all(k.positive == () for k in found)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_specs_have_no_errors(path: Path) -> None:
    """They are read unchecked when code is generated."""
    diagnostics = Diagnostics()
    (program,) = api.programs(Source(path.name, path.read_text(encoding="utf-8")), diagnostics)
    assert not diagnostics.has_errors
    assert kernel(program.name).program.rule == program.rule


def special(name: str) -> Case:
    """Steps in which everything meets everything that has a case of its own in arithmetic."""
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)))
    variables, gradients = {}, [{} for _ in range(3)]
    for dtype in (np.float32, np.float64):
        key = np.dtype(dtype).name
        variables[key] = pairs[:, 0].astype(dtype)
        for step in range(3):
            gradients[step][key] = np.roll(pairs[:, 1], 5 * step).astype(dtype)
    hypers = {h.name: 0.75 if 0.75 in h.domain else -0.5 for h in kernel(name).optimizer.hypers}
    return Case("special values", "special values", hypers, variables, gradients)


def tasks(name: str) -> list[Task]:
    optimizer, program = kernel(name).optimizer, kernel(name).program
    text = api.render(program, "tf1")
    dense = [case for case in cases(optimizer) if case.stream != "sparse"]
    found = [
        *zip(dense, itertools.cycle(MODES["tf1"])),
        *((special(name), m) for m in MODES["tf1"]),
    ]
    return [Task(optimizer, text, case, mode) for case, mode in found]


@pytest.mark.tf
def test_kernels() -> None:
    work = [task for name in NAMES for task in tasks(name)]
    failed = []
    for task, result in zip(work, measure(work, "tf1", PYTHON)):
        case = f"{task.optimizer.name} {task.case.name} {task.case.stream} {task.mode}"
        failed += [f"{case}: {failure}" for failure in result.failures[:2]]
    assert not failed, "\n".join(failed)
