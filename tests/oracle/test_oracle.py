"""The oracle against steps worked out by hand, from the definitions in the language reference."""

from __future__ import annotations

import numpy as np
import pytest

from optdsl.oracle import FLOAT64, Oracle
from tests.oracle.helpers import oracle, resolved, rows, rule, steps

ADAM = """
optimizer Adam {
  hyper lr = 0.1
  hyper b1 = 0.5
  hyper b2 = 0.75
  hyper eps = 1
  flag amsgrad = false
  slot m, v
  slot vhat if amsgrad
  POLICY
  update {
    m = b1*m + (1-b1)*g
    v = b2*v + (1-b2)*g^2
    let d = v / (1 - b2^t)
    if amsgrad {
      vhat = max(vhat, d)
      d = vhat
    }
    w -= lr * m / (1 - b1^t) / (sqrt(d) + eps)
  }
}
"""


def adam(policy: str = "sparse exact", **arguments: object) -> Oracle:
    return oracle(resolved(ADAM.replace("POLICY", policy)), **arguments)


def test_two_steps_of_adam() -> None:
    first, second = steps(adam(), 10, [4, -2])
    # m = 2, v = 4, unbiased 4 and 16: 10 - 0.1*4/(4 + 1)
    assert (first["m"], first["v"], first["w"]) == (2, 4, pytest.approx(10 - 0.4 / 5))
    # m = 1 - 1, v = 3 + 1 over 1 - 0.5625
    assert (second["m"], second["v"], second["w"]) == (0, 4, first["w"])


def test_a_flag_adds_its_slot_and_its_branch() -> None:
    first, second = steps(adam(amsgrad=True), 10, [4, 0])
    assert first["vhat"] == 16
    assert second["vhat"] == 16  # v/(1 - b2^2) = 3/0.4375 is less
    assert second["w"] == pytest.approx(first["w"] - 0.1 * (1 / 0.75) / (4 + 1))
    assert "vhat" not in steps(adam(), 10, [4])[0]


def test_sgd_and_adagrad() -> None:
    assert steps(oracle(rule("w -= lr*g")), [1, 2], [[1, 0], [2, 2]])[-1]["w"].tolist() == [-0.5, 1]
    adagrad = rule("a += g^2\nw -= lr*g/sqrt(a)", "slot a = 16")
    (first,) = steps(oracle(adagrad), 1, [3])
    assert (first["a"], first["w"]) == (25, pytest.approx(1 - 0.5 * 3 / 5))


def test_exact_is_the_dense_step_of_the_summed_rows() -> None:
    w, g = np.arange(8.0).reshape(4, 2), np.array([[0, 0], [3, 1], [0, 0], [-1, 0.5]])
    sparse = rows([3, 1, 3], [[-2, 0.25], [3, 1], [1, 0.25]])
    (dense,), (found,) = steps(adam(), w, [g]), steps(adam(), w, [sparse])
    assert all(np.array_equal(dense[x], found[x]) for x in dense)


@pytest.mark.parametrize("empty", [False, True])
def test_hybrid_moves_slots_everywhere_and_w_on_the_rows(empty: bool) -> None:
    w, first = np.ones((3, 1)), [[2.0], [2], [2]]
    second = rows([], np.zeros((0, 1))) if empty else rows([1], [[4.0]])
    before, after = steps(adam("sparse hybrid"), w, [first, second])
    dense = steps(adam(), w, [first, [[0.0], [0 if empty else 4], [0]]])[-1]
    assert np.array_equal(after["m"], dense["m"]) and np.array_equal(after["v"], dense["v"])
    moved = [False, not empty, False]
    assert ((after["w"] != before["w"])[:, 0] == moved).all()
    assert np.array_equal(after["w"][moved], dense["w"][moved])


def test_hybrid_holds_for_each_assignment_to_w() -> None:
    twice = rule("w -= lr*g\nm = w\nw = 0", "slot m\n sparse hybrid")
    (after,) = steps(oracle(twice), [5.0, 6.0], [rows([0], [2.0])])
    assert after["m"].tolist() == [4, 6]
    assert after["w"].tolist() == [0, 6]


def test_lazy_sees_a_variable_of_just_the_rows() -> None:
    norm = rule(
        "n += 1\nm = m/2 + g\nw -= lr*norm(w)*size(w)*m", "slot m = 1\nslot n: scalar\nsparse lazy"
    )
    start = [[3.0, 4], [7, 7], [0, 0]]
    after, empty = steps(
        oracle(norm), start, [rows([0, 0], [[1.0, 0], [0, 1]]), rows([], np.zeros((0, 2)))]
    )
    assert after["m"].tolist() == [[1.5, 1.5], [1, 1], [1, 1]]
    assert after["w"].tolist() == [[3 - 0.5 * 5 * 2 * 1.5, 4 - 0.5 * 5 * 2 * 1.5], [7, 7], [0, 0]]
    assert np.array_equal(empty["w"], after["w"])
    assert (after["n"], empty["n"]) == (1, 2)  # a scalar slot advances without rows, too


def test_a_shared_has_its_old_value_until_its_line_and_advances_once() -> None:
    twice = rule("m = p\np = 2*p\nw -= p", "shared p = 1\nslot m")
    machine = oracle(twice)
    state = machine.start({"a": np.zeros(2), "b": np.zeros(())})
    for expected in (1, 2):
        state = machine.step(state, {"a": np.ones(2), "b": np.ones(())})
        assert state.shared["p"] == 2 * expected
        assert state.variables["a"]["m"].tolist() == [expected] * 2
        assert state.variables["b"]["m"] == expected
    assert state.variables["b"]["w"] == -6


def test_a_variable_without_gradient_takes_no_part() -> None:
    machine = adam()
    state = machine.start({"a": np.ones(1), "b": np.ones(1)})
    state = machine.step(state, {"a": np.ones(1), "b": None})
    assert state.t == 1 and state.variables["b"]["w"] == 1
    late = machine.step(state, {"b": np.ones(1)}).variables["b"]
    assert late["w"] == pytest.approx(1 - 0.1 * (0.5 / 0.75) / (np.sqrt(0.25 / 0.4375) + 1))


def test_initial_values_of_slots() -> None:
    kept = rule(
        "m -= lr*g\nw = m", "const c = 3\nslot m = w\nslot n: scalar = norm(w) + c\nslot k = c"
    )
    (after,) = steps(oracle(kept, c=1), [3.0, 4.0], [[0, 2]])
    assert after["w"].tolist() == [3, 3]
    assert after["n"] == 6 and after["k"].tolist() == [1, 1]


def test_a_const_given_changes_the_defaults_made_of_it() -> None:
    text = rule("w -= k*g", "const c = 3\nconst k = c + 1")
    assert steps(oracle(text), 0, [1])[0]["w"] == -4
    assert steps(oracle(text, c=5), 0, [1])[0]["w"] == -6
    assert steps(oracle(text, c=5, k=1), 0, [1])[0]["w"] == -1


def test_uses_asks_for_anything_but_0() -> None:
    momentum = rule(
        "if uses(mu) {\nm = mu*m + g\nw -= lr*m\n} else {\nw -= lr*g\n}",
        "hyper mu = 0\nslot m if uses(mu)\nsparse lazy if uses(mu)",
    )
    assert [oracle(momentum, mu=x).policy for x in (0, 0.5, lambda t: 0)] == [
        "exact",
        "lazy",
        "lazy",
    ]
    assert [len(oracle(momentum, mu=x).slots) for x in (0, 0.5)] == [0, 1]


def test_schedules_see_the_steps_from_0_and_rules_from_1() -> None:
    seen = []
    machine = oracle(rule("w -= lr*g*t"), lr=lambda step: seen.append(step) or 10.0**step)
    assert [s["w"].item() for s in steps(machine, 0, [1, 1, 1])] == [-1, -21, -321]
    assert seen == [0, 1, 2]


def test_defaults_are_those_of_the_target() -> None:
    text = rule("w -= lr*g", "for tf1 {\nlr = 2\n}")
    for target, lr in (("numpy", 0.5), ("tf1", 2)):
        machine = Oracle(text, {}, target, FLOAT64)
        assert steps(machine, 0, [1])[0]["w"] == -lr


def test_conditions_of_every_level() -> None:
    body = """
    let a = 0
    if t % 2 == 0 { a = 10 }
    if norm(w) > 4 {
      a += 1
    } else if norm(w) > 2 {
      a += 2
    } else {
      a += 3
    }
    w = where(g > 0, a, w)
    """
    start = {"x": np.array([3.0, 4]), "y": np.array([3.0, 0]), "z": np.zeros(2)}
    machine = oracle(rule(body))
    state = machine.step(machine.start(start), {key: np.array([1.0, 0]) for key in start})
    assert [state.variables[k]["w"].tolist() for k in start] == [[1, 4], [2, 0], [3, 0]]
    state = machine.step(state, {key: np.array([1.0, 0]) for key in start})
    assert [state.variables[k]["w"][0] for k in start] == [11, 13, 12]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("-2^2", -4), ("2^3^2", 512), ("7 % -3", -2), ("-7 % 3", 2), ("round(2.5)", 2),
        ("round(3.5)", 4), ("sign(-3)", -1), ("clip(5, 7, 6)", 6), ("min(3, 1, 2)", 1),
        ("max(3, 1, 2)", 3), ("where(1 < 2 and not false, 5, 6)", 5), ("sigmoid(0)", 0.5),
        ("sum(w)", 7), ("mean(w)", 3.5), ("norm(w)", 5), ("rms(w)", np.sqrt(12.5)),
        ("amax(w)", 4), ("amin(w)", 3), ("dot(w, w)", 25), ("size(w)", 2), ("rank(w)", 1),
        ("where(isfinite(1/(w - w)), 1, 2)", 2), ("floor(-0.5) + ceil(0.5)", 0),
        ("cbrt(-8)", -2), ("atan2(1, -1)", 3 * np.pi / 4), ("log1p(0) + expm1(0)", 0),
        ("2*pi/pi", 2), ("exp(log(3))", pytest.approx(3)), ("abs(-1) + sqrt(4)", 3), ("tanh(0)", 0),
    ],
)  # fmt: skip
def test_operators(expression: str, value: float) -> None:
    (after,) = steps(oracle(rule(f"m = {expression}", "slot m")), [3.0, 4.0], [[0, 0]])
    assert after["m"].tolist() == [value, value]


@pytest.mark.parametrize("reduction", ["sum", "mean", "norm", "rms", "amax", "amin"])
def test_a_reduction_over_nothing_is_0(reduction: str) -> None:
    (after,) = steps(oracle(rule(f"n = {reduction}(w)", "slot n: scalar = 1")), np.zeros(0), [[]])
    assert after["n"] == 0


def test_what_is_assigned_has_the_shape_of_its_place() -> None:
    (after,) = steps(oracle(rule("g = 0.5\nm = sum(g)\nw = m", "slot m")), [1.0, 1, 1], [[9, 9, 9]])
    assert after["w"].tolist() == [1.5] * 3
