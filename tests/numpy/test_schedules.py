"""Generated NumPy schedules: their values, their arguments, and use in generated optimizers."""

import copy
import json
import pickle

import numpy as np
import pytest

from tests.support import load_generated

Exponential = load_generated("numpy", "exponential_decay").ExponentialDecay
Piecewise = load_generated("numpy", "piecewise_constant").PiecewiseConstant
Restarts = load_generated("numpy", "cosine_decay_restarts").CosineDecayRestarts
OneCycle = load_generated("numpy", "one_cycle").OneCycle
GradientDescent = load_generated("numpy", "gradient_descent").GradientDescent


def test_values_are_plain_floats():
    schedule = Exponential(0.1, decay_steps=10, decay_rate=0.5)
    for step in (10, np.int64(10), np.float32(10), 10.0):
        assert type(schedule(step)) is float
        assert schedule(step) == 0.05


def test_staircase():
    stairs = Exponential(1.0, 10, 0.5, staircase=True)
    assert [stairs(step) for step in (0, 9, 10, 19, 20)] == [1, 1, 0.5, 0.5, 0.25]


def test_the_number_of_boundaries_is_free():
    assert [Piecewise([], [0.5])(step) for step in (0, 10**6)] == [0.5, 0.5]
    four = Piecewise((1, 2, 3), (4, 3, 2, 1))
    assert [four(step) for step in range(5)] == [4, 4, 3, 2, 1]


def test_restarts_begin_anew():
    schedule = Restarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    for number, start in enumerate((0, 10, 30, 70, 150, 310)):
        assert schedule(start) == 0.5**number
        assert schedule(start + 1) < 0.5**number


def test_an_optimizer_calls_it_with_the_steps_done():
    schedule = Piecewise([1], [0.5, 0.25])
    w = np.ones(1)
    optimizer = GradientDescent(schedule)
    for _ in range(4):
        optimizer.update({"w": w}, {"w": np.ones(1)})
    assert w[0] == 1 - 0.5 - 0.5 - 0.25 - 0.25
    assert GradientDescent.from_config(optimizer.get_config()).get_config()["lr"] is schedule


def test_config():
    schedule = Piecewise((1, 2), (np.float32(0.5), 2, 1))
    config = schedule.get_config()
    assert config == {"boundaries": [1.0, 2.0], "values": [0.5, 2.0, 1.0]}
    assert json.loads(json.dumps(config)) == config
    assert Piecewise.from_config(config).get_config() == config
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert [twin(step) for step in range(4)] == [0.5, 0.5, 2, 1]


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: Exponential("0.1"), TypeError, "initial_learning_rate must be a number"),
        (lambda: Exponential(True), TypeError, "initial_learning_rate must be a number"),
        (lambda: Exponential(None), TypeError, "initial_learning_rate must be a number"),
        (lambda: Exponential(-0.1), ValueError, r"must be in \[0, inf\), not -0.1"),
        (lambda: Exponential(float("nan")), ValueError, "must be in"),
        (lambda: Exponential(float("inf")), ValueError, "must be in"),
        (lambda: Exponential(decay_steps=0), ValueError, r"decay_steps must be in \(0, inf\)"),
        (lambda: OneCycle(pct_start=1), ValueError, r"pct_start must be in \(0, 1\)"),
        (lambda: Piecewise([2, 1], [1, 2, 3]), ValueError, "boundaries must rise"),
        (lambda: Piecewise([1, 1], [1, 2, 3]), ValueError, "boundaries must rise"),
        (lambda: Piecewise([1], [1, 2, 3]), ValueError, "values must have one number more"),
        (lambda: Piecewise([1], [1, "2"]), TypeError, "values must be a number"),
    ],
)
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
