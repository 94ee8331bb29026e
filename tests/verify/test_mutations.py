"""A generated file with a fault in it does not pass: each of these is broken in one place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from optdsl.semantics.model import Optimizer
from optdsl.verify.cases import cases
from optdsl.verify.run import MODES, Task, measure

pytestmark = pytest.mark.long

SPECS = Path(__file__).parents[2] / "specs"

#: What is wrong, the spec, and what stands in the place of what.
MUTATIONS = [
    ("another operator", "adam", "one_minus_b1 * g", "one_minus_b1 + g"),
    ("another sign", "adam", "w = w - alpha", "w = w + alpha"),
    ("no square", "adam", "one_minus_b2 * g**2", "one_minus_b2 * g"),
    ("epsilon inside the root", "adam", "np.sqrt(d) + eps", "np.sqrt(d + eps)"),
    ("the old value", "adam", "alpha * m /", "alpha * ((m - one_minus_b1 * g) / b1) /"),
    ("the minimum", "adam", "np.maximum(vhat, v)", "np.minimum(vhat, v)"),
    ("a flag that does nothing", "adam", "d = vhat", "d = v"),
    ("the step before", "adam", "1 - b1**t", "1 - b1**(t + 1)"),
    ("steps are not counted", "adam", '"t", self.t + 1)', '"t", self.t + 0)'),
    ("a float32 coefficient", "adam", '_b2": 1 - b2', '_b2": 1 - np.float64(np.float32(b2))'),
    ("a coefficient 1e-9 off", "adam", '"eps": eps', '"eps": eps + 1e-15'),
    ("an ulp of float32 in float64", "adam", "m = b1 * m +", "m = (b1 + 1e-8) * m +"),
    ("a slot that starts elsewhere", "adam", '"v": 0', '"v": 1e-12'),
    ("no sum of duplicates", "adam", "] += np.add.reduceat(", "] += 0 * np.add.reduceat("),
    ("other rows do not decay", "adam", "        m = b1 * m\n", ""),
    ("lazy for exact", "adam", '_policy = "exact"', '_policy = "lazy"'),
    ("exact for lazy", "lazy_adam", '_policy = "lazy"', '_policy = "exact"'),
    ("lazy for hybrid", "nadam", "_waits = True", '_waits, self._policy = False, "lazy"'),
    ("rows that wait forget a step", "nadam", "missed = self.steps -", "missed = self.steps - 1 -"),
    ("rows wait for one step at most", "nadam", "[_raised(x, n) ", "[_raised(x, n > 0) "),
    ("rows that wait do not decay", "nadam", "for factor in factors or ():", "for factor in ():"),
    ("a record that stands still", "nadam", "self._done[rows] = self.steps", "pass"),
    ("waiting rows are read", "nadam", "        self._catch_up()\n", ""),
    ("a shared that stands still", "nadam", 'shared = {"p": p}', "shared = {}"),
    ("a shared a step behind", "nadam", "        p = p * mu\n", ""),
    ("half precision", "adam", "np.dtype(np.float32) if array", "array.dtype if array"),
    ("float32 for float64", "adam", "array.dtype.newbyteorder", "np.dtype('f4').newbyteorder"),
    ("a schedule that is late", "adam", "value(self.t)", "value(max(self.t - 1, 0))"),
    ("a momentum of 0 that counts", "sgd", "_uses_mu = _is_used(self.mu)", "_uses_mu = True"),
]  # fmt: skip
#: What may be written in more than one way.
VARIATIONS = [
    ("adam", "one_minus_b2 * g**2", "one_minus_b2 * (g * g)"),
    ("adam", "alpha * m /", "m * alpha /"),
    ("sgd", "mu * v - lr_g", "-lr_g + mu * v"),
]


@cache
def optimizer(name: str) -> Optimizer:
    diagnostics = Diagnostics()
    source = Source(name, (SPECS / f"{name}.opt").read_text(encoding="utf-8"))
    (found,) = api.resolve_source(source, diagnostics)
    return found


@cache
def generated(name: str, target: str) -> str:
    return api.generate(SPECS / f"{name}.opt", target)


def tasks(name: str, target: str, old: str, new: str, count: int = -1) -> list[Task]:
    text = generated(name, target)
    assert old in text, f"the generated {name} has changed; mutate it elsewhere"
    mutated = text.replace(old, new)
    return [
        Task(optimizer(name), mutated, case, MODES[target][0])
        for case in cases(optimizer(name))[:count]
        if case.stream != "huge and tiny"
    ]


def is_caught(of: Sequence[Task], target: str) -> bool:
    return any(result.failures for result in measure(of, target))


@pytest.mark.parametrize(("what", "name", "old", "new"), MUTATIONS, ids=[m[0] for m in MUTATIONS])
def test_a_fault_is_found(what: str, name: str, old: str, new: str) -> None:
    assert is_caught(tasks(name, "numpy", old, new), "numpy"), what


@pytest.mark.parametrize(("name", "old", "new"), VARIATIONS)
def test_another_way_of_writing_is_none(name: str, old: str, new: str) -> None:
    assert not is_caught(tasks(name, "numpy", old, new), "numpy")


@pytest.mark.tf
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_faults_in_tensorflow(target: str) -> None:
    check_faults(target, "adam", [
        ("one_minus_b1 * g", "one_minus_b1 + g"),
        ("unsorted_segment_sum", "unsorted_segment_max"),
        ("        m = b1 * m\n", ""),
    ])  # fmt: skip


@pytest.mark.tf
def test_faults_of_rows_that_wait_in_keras() -> None:
    check_faults("keras_v2", "nadam", [
        ("tf.exp(steps * ", "tf.exp(tf.minimum(steps, 1.0) * "),
        ("tf.fill(tf.shape(indices), steps + 1)", "tf.fill(tf.shape(indices), steps)"),
        ("missed = steps - tf.cast(behind", "missed = 0 * steps - 0 * tf.cast(behind"),
    ])  # fmt: skip


@pytest.mark.tf
def test_faults_of_rows_that_wait_in_tf1() -> None:
    check_faults("tf1", "nadam", [
        ("tf.maximum(steps, 0.0)", "tf.clip_by_value(steps, 0.0, 1.0)"),
        ("tf.fill(tf.shape(rows), now[0] + 1)", "tf.fill(tf.shape(rows), now[0])"),
    ])  # fmt: skip


def check_faults(target: str, name: str, faults: list[tuple[str, str]]) -> None:
    """Each fault is found by one of two cases, of which the second has sparse gradients."""
    groups = [tasks(name, target, old, new, count=2) for old, new in faults]
    results = iter(measure([task for group in groups for task in group], target))
    for fault, group in zip(faults, groups, strict=True):
        assert any(failures for failures in [next(results).failures for _ in group]), fault
