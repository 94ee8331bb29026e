"""The way of the numbers: from cases to a class, back, and into a table."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from optdsl.diagnostics import SpecError
from optdsl.oracle import Sparse
from optdsl.semantics.model import Optimizer
from optdsl.verify import Report, drive, kernels, verify
from optdsl.verify.accuracy import NUMPY
from optdsl.verify.cases import Case, cases
from optdsl.verify.compare import Measured, compare, ulp
from optdsl.verify.enclosure import Enclosure
from optdsl.verify.report import Row
from optdsl.verify.run import Task, measure
from optdsl.verify.sets import Enclosed
from tests.oracle.helpers import resolved

SPEC = """
optimizer Descent {
  hyper lr = 0.5 as learning_rate
  slot m as momentum
  update {
    m = m/2 + g
    w -= lr*m
  }
}
"""


def descent(params: dict[str, np.ndarray], rounds: Callable[[float], float] = float) -> Case:
    gradients = [{key: np.ones_like(x) for key, x in params.items()}] * 2
    return Case("by hand", "dense", {}, params, gradients)


def judged(states: list[dict[str, dict[str, np.ndarray]]]) -> Measured:
    case = descent({"x": np.array([1, 2], np.float32)})
    return compare(resolved(SPEC), "numpy", case, states, NUMPY)


def state(
    w: list[float], m: list[float], dtype: type = np.float32
) -> dict[str, dict[str, np.ndarray]]:
    return {"x": {"w": np.array(w, np.float32), "m": np.array(m, dtype)}}


def test_right_states_pass() -> None:
    measured = judged([state([0.5, 1.5], [1, 1]), state([-0.25, 0.75], [1.5, 1.5])])
    assert measured.failures == [] and measured.ulps == {"float32": 0} and measured.open == 0


def test_each_step_is_judged_from_the_state_before_it() -> None:
    near = np.nextafter(np.float32(0.5), np.float32(1))
    after = np.float32(near - np.float32(0.75))
    measured = judged([state([near, 1.5], [1, 1]), state([after, 0.75], [1.5, 1.5])])
    assert measured.failures == [] and measured.ulps["float32"] == 0.5


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (state([-0.25, 0.7500004], [1.5, 1.5]), "step 2: w of x[1] is 0.750000"),
        (state([-0.25, np.nan], [1.5, 1.5]), "step 2: w of x[1] is nan, should be 0.75"),
        (state([-0.25, 0.75], [1.5]), "step 2: m of x is float32[1], should be float32[2]"),
        (state([-0.25, 0.75], [1.5, 1.5], np.float64), "is float64[2], should be float32[2]"),
        ({"x": {"w": np.array([-0.25, 0.75], np.float32)}}, "step 2: m of x is missing"),
    ],
)
def test_wrong_states_do_not(second: dict[str, dict[str, np.ndarray]], message: str) -> None:
    (failure,) = judged([state([0.5, 1.5], [1, 1]), second]).failures
    assert message in failure


def test_ulp() -> None:
    assert ulp(np.array([1.0, 2.0]), np.float16).tolist() == [2**-10, 2**-9]
    assert ulp(np.array(0.0), np.float32) == 2**-149


def test_trees_of_arrays_come_back_as_they_were(tmp_path: object) -> None:
    tree = {"a": [np.float16(1.5), None, {"b": np.zeros((0, 3))}], "c": np.arange(3), "d": "text"}
    drive.save(f"{tmp_path}/tree", tree)
    back = drive.load(f"{tmp_path}/tree")
    assert back["a"][0].dtype == np.float16 and back["a"][0] == 1.5 and back["a"][1] is None
    assert back["a"][2]["b"].shape == (0, 3)
    assert back["c"].tolist() == [0, 1, 2] and back["d"] == "text"


def test_a_spec_is_proved_here_and_in_another_process() -> None:
    here, there = verify(SPEC, "numpy"), verify(SPEC, "numpy", sys.executable)
    assert here.ok and there.table() == here.table()
    assert "Descent  numpy   dense" in here.table() and "7 cases, 0 failed" in here.table()


def test_errors_of_a_spec_are_raised() -> None:
    with pytest.raises(SpecError):
        verify(SPEC.replace("g\n", "gradient\n"), "numpy")


def test_an_interpreter_without_the_framework_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="cannot run numpy"):
        verify(SPEC, "numpy", "false")


def test_what_a_class_raises_is_a_failure_of_its_case() -> None:
    optimizer = resolved(SPEC)
    text = "class Descent:\n    def __init__(self):\n        raise OSError('no luck')\n"
    task = Task(optimizer, text, descent({"x": np.ones(1)}), "numpy")
    (measured,) = measure([task], "numpy")
    assert "OSError: no luck" in measured.failures[0]


def test_failures_stand_below_the_table() -> None:
    rows = [
        Row("A", "numpy", "dense", "defaults", 7, Measured({"float32": 1.25}, 0.5)),
        Row("A", "numpy", "dense", "schedules", 7, Measured({"float64": 3}, failures=["x"] * 5)),
    ]
    table = Report(tuple(rows)).table().splitlines()
    assert table[1].split() == "A numpy dense 2 14 0.00 1.25 3.00 50% FAILED".split()
    assert table[-6:] == ["  x", "  x", "  x", "  … and 2 more", "", "2 cases, 1 failed"]


def flags(optimizer: Optimizer) -> list[dict[str, object]]:
    names = {f.name for f in optimizer.flags} | {"mu"}
    return [{k: v for k, v in case.arguments.items() if k in names} for case in cases(optimizer)]


def test_every_combination_of_flags_is_tried_and_what_is_asked_for() -> None:
    optimizer = resolved("""
    optimizer X {
      hyper lr = 0.5
      hyper mu = 0.5 in [0, 1)
      flag a = true
      flag b = false
      update {
        if uses(mu) { w -= lr*mu*g }
        if a or b { w -= lr*g }
      }
    }
    """)
    tried = [(x["a"], x["b"], x["mu"] == 0) for x in flags(optimizer) if "a" in x]
    assert len(tried) == 16 and len(set(tried)) == 8


def test_streams_have_what_they_promise() -> None:
    by_name = {(case.name, case.stream): case for case in cases(resolved(SPEC))}
    dense, sparse = by_name["defaults", "dense"], by_name["defaults", "sparse"]
    assert {x.dtype.itemsize for x in dense.variables.values()} == {2, 4, 8}
    assert {x.shape for x in dense.variables.values()} >= {(), (1, 3), (0, 3), (3, 2, 2)}
    assert any(g is None for step in dense.gradients for g in step.values())
    assert not any(np.any(g) for g in dense.gradients[2].values())
    rows = [step["matrix"].indices for step in sparse.gradients[:-1]]
    assert any(len(set(r)) < len(r) for r in rows) and any(not len(r) for r in rows)
    assert any(sorted(r) == [0, 1, 2, 3] for r in rows)
    assert not isinstance(sparse.gradients[-1]["matrix"], Sparse)
    huge = by_name["defaults", "huge and tiny"].gradients[-1]["matrix"]
    assert np.max(np.abs(huge)) > 1e20 and np.min(np.abs(huge)) < 1e-20


CENTRED = """
optimizer Centred {
  hyper lr = 0.1
  update { w -= lr*(g - mean(g, axis=1)) }
}
"""


def test_a_rule_with_axes_is_tried_on_what_has_them() -> None:
    assert set(cases(resolved(CENTRED))[0].variables) == {
        "matrix", "matrix16", "matrix64", "cube", "row16", "empty",
    }  # fmt: skip
    report = verify(CENTRED, "numpy")
    assert report.ok and report.rows, report.table()
    report = verify(CENTRED.replace("axis=1", "axis=3"), "numpy")
    assert report.rows and all("has the axes" in str(r.measured.failures) for r in report.rows)


def test_a_rule_with_axes_and_stages_misses_gradients_too() -> None:
    step = "{ w -= lr*(g - mean(g, axis=1)) }"
    stages = CENTRED.replace(f"update {step}", f"stage one {step}\n  stage two {step}")
    report = verify(stages, "numpy")
    assert report.ok and report.rows, report.table()


@pytest.mark.parametrize(
    "condition, reduced",
    [("sum(log(abs(g))) > 2", "w"), ("rank(w) > 0", "amax(exp(g), axis=-1)")],
)
def test_a_reduction_of_what_is_constant_on_the_other_rows(condition: str, reduced: str) -> None:
    text = CENTRED.replace("w -=", f"if {condition} {{ w -= lr*{reduced} }}\n  w -=")
    report = verify(text.replace("mean(g, axis=1)", "w"), "numpy")
    assert report.ok and report.rows, report.table()


@pytest.mark.parametrize(
    "spec",
    [
        "Lookahead(k=2) of Lookahead(k=3) of Lookahead(k=2) of SGD",
        "Accumulate of Accumulate(k=2) of Accumulate(k=3) of AggMo",
    ],
)
def test_the_same_wrapper_several_times(spec: str) -> None:
    report = verify(f"optimizer Thrice = {spec}", "numpy")
    assert report.ok and report.rows, report.table()


GUARDED = """
optimizer Guarded {
  hyper lr = 0.1
  update {
    let is_matrix = rank(w) == 2
    if size(w) > 3 and rank(w) >= 1 { w -= lr*mean(g, axis=0) }
    if is_matrix { w -= lr*mean(g, axis=1) }
    if rank(w) == 2 and norm(g) > 0 { w -= lr*mean(g, axis=1) }
    w -= lr*g
  }
}
"""


def test_axes_behind_any_guard() -> None:
    report = verify(GUARDED, "numpy")
    assert report.ok and report.rows, report.table()
    assert "scalar" in cases(resolved(GUARDED))[0].variables


@pytest.mark.long
def test_more_flags_than_are_looked_at_together() -> None:
    flags = [f"flag f{i} = false\n  slot s{i} if f{i}" for i in range(7)]
    steps = [f"if f{i} {{\n s{i} = s{i}/2 + g\n w -= s{i}/9\n }}" for i in range(7)]
    text = "\n".join(["optimizer M {", *flags, "update {", *steps, "w -= g", "}", "}"])
    report = verify(text, "numpy")
    assert report.ok and report.rows, report.table()


def test_a_kernel_that_is_called_with_a_number_of_the_spec() -> None:
    found = resolved("optimizer Plain {\n  update {\n    w -= 0.5*g\n  }\n}\n")
    oracle = kernels.bounds(found, {}, "tf1", "resource", Enclosure(NUMPY))
    start = oracle.start({"x": np.ones((3, 1), np.float32)})
    rows = Sparse(np.array([0, 0, 2]), np.ones((3, 1), np.float32))
    for gradient, expected in ((np.ones((3, 1), np.float32), [0.5] * 3), (rows, [0, 1, 0.5])):
        w = oracle.step(start, {"x": gradient}, ()).variables["x"]["w"]
        assert isinstance(w, Enclosed)
        assert np.all(w.low.ravel() <= expected) and np.all(expected <= w.high.ravel())


@pytest.mark.tf
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_a_kernel_that_is_given_sums_over_all_variables(target: str) -> None:
    """Some settings do not ask for some of them."""
    sums = "let s = 1\n    if f { s = 1 + abs(total(sum(g))) }\n    let r = 1 + total(sum(abs(g)))"
    report = verify(
        "optimizer Damped {\n  hyper lr = 0.1 in [0, inf)\n  hyper b = 0.9 in [0, 1)\n"
        f"  flag f = false\n  slot m\n  update {{\n    {sums}\n    m = b*m + g\n"
        "    w -= lr/s/r*m\n  }\n}\n",
        target,
    )
    assert report.ok, report.table()
