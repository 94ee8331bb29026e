"""Weights for evaluation: what they are, and that training goes on as if they had never been."""

import numpy as np
import pytest

from tests.numpy.helpers import bits, make, train

NAMES = ["ema_sgd", "averaged_sgd", "schedule_free_sgd", "schedule_free_adamw"]


def start(dtype="float64"):
    random = np.random.RandomState(7)
    shapes = {"matrix": (3, 2), "number": (), "nothing": (0, 2)}
    return {key: np.asarray(random.standard_normal(s), dtype) for key, s in shapes.items()}


def averages(decay, iterates, first=None):
    """The moving average of some arrays by its definition."""
    total = 0.0 if first is None else first
    for w in iterates:
        total = decay * total + (1 - decay) * w
    return total


def iterates(optimizer, params, count=5):
    seen = []
    for _ in range(count):
        train(optimizer, params, 1)
        seen.append(params["matrix"].copy())
    return seen


def test_the_moving_average():
    params = start()
    first = params["matrix"].copy()
    optimizer = make("ema_sgd", lr=0.1, decay=0.75)
    seen = iterates(optimizer, params)
    found = optimizer.evaluation_params(params)["matrix"]
    np.testing.assert_allclose(found, averages(0.75, seen, first), rtol=1e-14)


def test_the_moving_average_without_its_start():
    params = start()
    optimizer = make("ema_sgd", lr=0.1, decay=0.75, zero_debias=True)
    seen = iterates(optimizer, params)
    weights = [0.75 ** (4 - i) for i in range(5)]
    expected = sum(c * w for c, w in zip(weights, seen)) / sum(weights)
    np.testing.assert_allclose(optimizer.evaluation_params(params)["matrix"], expected, rtol=1e-14)


def test_the_mean_of_the_iterates():
    params = start()
    optimizer = make("averaged_sgd", start=2)
    seen = iterates(optimizer, params)
    found = optimizer.evaluation_params(params)["matrix"]
    np.testing.assert_allclose(found, np.mean(seen[2:], axis=0), rtol=1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_new_arrays_of_the_same_kind(name, dtype):
    params = start(dtype)
    optimizer = make(name)
    train(optimizer, params, 3)
    before = bits(params), bits(optimizer.state_dict())
    found = optimizer.evaluation_params(params)
    assert list(found) == list(params)
    for key, param in params.items():
        assert (found[key].dtype, found[key].shape) == (param.dtype, param.shape)
        assert not np.shares_memory(found[key], param)
    assert (bits(params), bits(optimizer.state_dict())) == before
    assert not np.array_equal(found["matrix"], params["matrix"])


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_and_tuples(kind):
    params = kind([np.ones(3), np.ones(2)])
    optimizer = make("ema_sgd")
    optimizer.update(params, kind([np.ones(3), np.ones(2)]))
    found = optimizer.evaluation_params(params)
    assert type(found) is kind
    with optimizer.evaluation(params):
        np.testing.assert_array_equal(params[1], found[1])
    assert not np.array_equal(params[1], found[1])


@pytest.mark.parametrize("name", NAMES)
def test_what_has_taken_part_in_no_step_keeps_its_value(name):
    params = start()
    optimizer = make(name)
    assert bits(optimizer.evaluation_params(params)) == bits(params)
    optimizer.set_weights(make(name).get_weights())
    assert bits(optimizer.evaluation_params(params)) == bits(params)
    optimizer = make(name)
    optimizer.update(params, {"number": np.array(1.0)})
    found = optimizer.evaluation_params(params)
    assert bits(found["matrix"]) == bits(params["matrix"])
    assert not np.shares_memory(found["matrix"], params["matrix"])


@pytest.mark.parametrize("name", NAMES)
def test_inside_are_the_weights_for_evaluation_and_behind_those_of_training(name):
    params = start()
    arrays = dict(params)
    optimizer = make(name)
    train(optimizer, params, 3)
    before, expected = bits(params), bits(optimizer.evaluation_params(params))
    assert before != expected
    with optimizer.evaluation(params):
        assert bits(params) == expected
    assert bits(params) == before
    assert all(params[key] is arrays[key] for key in params)


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_as_if_nothing_had_been(name):
    params, others = start(), start()
    optimizer, other = make(name), make(name)
    for _ in range(3):
        train(optimizer, params, 2)
        with optimizer.evaluation(params):
            pass
        train(other, others, 2)
    assert bits(params) == bits(others)


def test_overrides_hold_at_evaluation():
    """They do what a second optimizer would do for these variables."""
    changed = make("schedule_free_sgd", overrides={"matrix": {"b1": 0.5}})
    params, others = start(), start()
    second = make("schedule_free_sgd", b1=0.5)
    train(changed, params, 3)
    train(second, others, 3)
    assert bits(params["matrix"]) == bits(others["matrix"])
    found, expected = changed.evaluation_params(params), second.evaluation_params(others)
    assert bits(found["matrix"]) == bits(expected["matrix"])
    assert any(bits(found[key]) != bits(expected[key]) for key in params if key != "matrix")


def test_training_weights_come_back_after_an_exception():
    params = start()
    optimizer = make("ema_sgd")
    train(optimizer, params, 3)
    before = bits(params)
    with pytest.raises(ZeroDivisionError), optimizer.evaluation(params):
        params["matrix"][...] = 5
        raise ZeroDivisionError
    assert bits(params) == before
    train(optimizer, params, 1)


def test_neither_a_step_nor_another_evaluation_inside():
    params = start()
    optimizer = make("schedule_free_sgd")
    train(optimizer, params, 3)
    before, state = bits(params), bits(optimizer.state_dict())
    with optimizer.evaluation(params):
        with pytest.raises(RuntimeError, match="evaluation"):
            train(optimizer, params, 1)
        with pytest.raises(RuntimeError, match="evaluation"):
            optimizer.evaluation_params(params)
        with pytest.raises(RuntimeError, match="evaluation"), optimizer.evaluation(params):
            pass
    assert (bits(params), bits(optimizer.state_dict())) == (before, state)


def test_arrays_that_share_memory_are_refused():
    array = np.ones(4)
    evaluation = make("ema_sgd").evaluation([array, array[1:]])
    with pytest.raises(ValueError, match="share memory"), evaluation:
        pass


def test_arrays_that_do_not_fit_the_state_are_refused():
    optimizer = make("ema_sgd")
    optimizer.update([np.ones(3)], [np.ones(3)])
    with pytest.raises(ValueError, match="ema of 0"):
        optimizer.evaluation_params([np.ones(4)])


@pytest.mark.parametrize("name", NAMES)
def test_after_save_and_load(name, tmp_path):
    params = start()
    optimizer, other, third = make(name), make(name), make(name)
    train(optimizer, params, 3)
    expected = bits(optimizer.evaluation_params(params))
    optimizer.save(tmp_path / "state.npz")
    other.load(tmp_path / "state.npz")
    assert bits(other.evaluation_params(params)) == expected
    third.set_weights(optimizer.get_weights())
    assert bits(third.evaluation_params(params)) == expected
    with third.evaluation(params):
        assert bits(params) == expected


def test_hyperparameters_are_those_of_the_next_step():
    params = start()
    optimizer = make("schedule_free_sgd", b1=lambda step: 0.5 + 0.1 * step)
    train(optimizer, params, 3)
    z = optimizer.state_dict()["slots"]["matrix"]["z"]
    expected = (params["matrix"] - 0.2 * z) / 0.8
    np.testing.assert_allclose(optimizer.evaluation_params(params)["matrix"], expected, rtol=1e-12)
