"""Rows that wait: their slots decay when they are next used, to what they would be anyway."""

import copy
import pickle

import numpy as np
import pytest

from tests.numpy.helpers import make, sparse

HEIGHT, WIDTH, STEPS = 12, 3, 40
NAMES = ["add_sign", "nadam", "nadam_simple", "power_sign", "radam", "rmsprop", "yogi"]


def gradients(seed=0, steps=STEPS):
    """Of each step the rows, some of them twice, and their values; most rows are seldom there."""
    rng = np.random.RandomState(seed)
    for _ in range(steps):
        yield rng.randint(0, rng.randint(2, HEIGHT + 1), 3), rng.randn(3, WIDTH)


def made(name, waits=True, dtype="float32", **arguments):
    """An optimizer, whose rows wait or which sweeps them all, and its array."""
    optimizer = make(name, **arguments)
    optimizer._waits = optimizer._waits and waits
    return optimizer, {"w": np.ones((HEIGHT, WIDTH), dtype)}


def pair(name, dtype="float32", **arguments):
    return [made(name, waits, dtype, **arguments) for waits in (True, False)]


def step(name, optimizer, params, indices, values):
    values = np.asarray(values, params["w"].dtype)
    optimizer.update(params, {"w": sparse(name, indices, values)})


def assert_same(waiting, sweeping):
    """The state to a rounding a step, of the power and of the product; the array likewise."""
    (a, w), (b, x) = waiting, sweeping
    found, expected = a.get_weights(), b.get_weights()
    assert len(found) == len(expected)
    unit = max(np.finfo(z.dtype).eps for z in expected[1:])
    for y, z in zip(found, expected):
        np.testing.assert_allclose(y, z, rtol=2 * STEPS * unit, atol=0)
    unit = np.finfo(x["w"].dtype).eps
    np.testing.assert_allclose(w["w"], x["w"], rtol=2 * STEPS * unit, atol=STEPS * unit)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize("name", NAMES)
def test_rows_catch_up_with_the_sweep(name, dtype):
    """Seen at the end only, after steps in which most rows were not used."""
    both = pair(name, dtype)
    for gradient in gradients():
        for one in both:
            step(name, *one, *gradient)
    assert both[0][0]._waiting and not both[1][0]._waiting
    assert_same(*both)


@pytest.mark.parametrize("arguments", [{"mg": True}, {"momentum": 0.9}], ids=str)
def test_settings(arguments):
    arguments = {"centered": True} if "mg" in arguments else arguments
    both = pair("rmsprop", **arguments)
    for gradient in gradients():
        for one in both:
            step("rmsprop", *one, *gradient)
    assert bool(both[0][0]._waiting) == ("centered" in arguments)  # with momentum it is lazy
    assert_same(*both)


def test_a_hyperparameter_that_changes():
    """What rows have missed, they missed with the old factor."""
    both = pair("radam")
    for number, gradient in enumerate(gradients()):
        for one in both:
            one[0].beta_1 = 0.9 if number < 15 else 0.0 if number < 25 else 0.7
            step("radam", *one, *gradient)
    assert_same(*both)


def test_other_gradients_in_between():
    """Dense ones move all rows; where there is none, the slots do not decay."""
    both = pair("radam", overrides={"w": {"beta_1": 0.5}})
    for number, (indices, values) in enumerate(gradients()):
        for optimizer, params in both:
            dense = np.zeros((HEIGHT, WIDTH), "float32")
            dense[indices] = values
            given = sparse("radam", indices, values.astype("float32"))
            given = dense if number % 5 == 3 else None if number % 5 == 4 else given
            optimizer.update(params, {"w": given})
    assert_same(*both)


def test_rows_under_a_constraint_and_in_arrays_with_gaps():
    both = pair("radam")
    for _, params in both:
        params["v"] = np.ones((HEIGHT, 2 * WIDTH), "float32")[:, ::2]
    for indices, values in gradients():
        for optimizer, params in both:
            given = {key: sparse("radam", indices, values.astype("float32")) for key in "wv"}
            optimizer.update(params, given, {"w": lambda w: np.clip(w, 0.9, 1.1)})
    assert_same(*both)
    np.testing.assert_allclose(both[0][1]["v"], both[1][1]["v"], rtol=1e-5)


def test_the_state_is_up_to_date_whenever_it_is_read():
    both = pair("nadam")
    for gradient in gradients():
        for one in both:
            step("nadam", *one, *gradient)
        a, b = (one[0].state_dict() for one in both)
        for slot in ("m", "v"):
            x, y = a["slots"]["w"][slot], b["slots"]["w"][slot]
            np.testing.assert_allclose(x, y, rtol=STEPS * 2.0**-22, atol=0)
        assert_same(*both)


@pytest.mark.parametrize("way", ["weights", "state_dict", "file", "pickle", "deepcopy"])
def test_going_on_from_the_middle(way, tmp_path):
    optimizer, params = made("radam")
    steps = list(gradients())
    for gradient in steps[:20]:
        step("radam", optimizer, params, *gradient)
    twin, same = made("radam")[0], {"w": params["w"].copy()}
    step("radam", twin, {"w": params["w"].copy()}, *steps[0])  # it has gone astray
    if way == "weights":
        twin.set_weights(optimizer.get_weights())
    elif way == "state_dict":
        twin.load_state_dict(optimizer.state_dict())
    elif way == "file":
        optimizer.save(tmp_path / "state.npz")
        twin.load(tmp_path / "state.npz")
    else:
        twin = (
            pickle.loads(pickle.dumps(optimizer)) if way == "pickle" else copy.deepcopy(optimizer)
        )
    for gradient in steps[20:]:
        step("radam", optimizer, params, *gradient)
        step("radam", twin, same, *gradient)
    assert_same((optimizer, params), (twin, same))


def test_an_error_leaves_the_state_as_it_was():
    both = pair("radam")
    for number, gradient in enumerate(gradients()):
        for optimizer, params in both:
            if number % 4 == 3:
                optimizer.beta_1 = 0.9 - number / 100
                with pytest.raises(ZeroDivisionError):
                    given = {"w": sparse("radam", gradient[0], gradient[1].astype("float32"))}
                    optimizer.update(params, given, {"w": lambda w: 1 / 0})
                optimizer.beta_1 = 0.9
            step("radam", optimizer, params, *gradient)
    assert_same(*both)


def test_a_large_slot_decays_where_its_power_is_0_in_float32():
    """0.5^200 is 6e-61; what that makes of 1e38 is a number."""
    for name in ("radam",):
        both = pair(name, b1=0.5)
        for optimizer, params in both:
            step(name, optimizer, params, [0, 1], np.ones((2, WIDTH)))
            optimizer._slots["w"]["m"][0] = 1e38
            for _ in range(200):
                step(name, optimizer, params, [1], np.ones((1, WIDTH)))
        found, expected = (one[0].state_dict()["slots"]["w"]["m"][0] for one in both)
        assert expected.min() > 0
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_work_is_done_where_rows_are_used():
    """A million rows of which a few are used are not looked at."""
    optimizer, _ = made("radam")
    params = {"w": np.ones((1000, 2), "float32")}
    step("radam", optimizer, params, [1, 2], np.ones((2, 2)))
    optimizer._slots["w"]["m"][5] = 7  # nobody may do that: it shows that nobody looks
    step("radam", optimizer, params, [1, 2], np.ones((2, 2)))
    assert (optimizer._slots["w"]["m"][5] == 7).all()
