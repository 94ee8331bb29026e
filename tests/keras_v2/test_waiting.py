"""Rows that wait: their slots decay when they are next used, to what they would be anyway."""

import copy
import sys

import numpy as np
import pytest
import tensorflow.compat.v2 as tf

from tests.keras_v2.helpers import TF1, generated, keras, scaled

pytestmark = pytest.mark.tf

HEIGHT, WIDTH, STEPS = 12, 3, 25
#: Of a slot in a step at most: the sweep rounds a product, catching up two powers and two products.
ROUNDINGS = 1 + 4
MODULES = {
    "RAdam": "radam",
    "Nadam": "nadam",
    "Yogi": "yogi",
    "RMSprop": "rmsprop",
    "AddSign": "add_sign",
    "Adam": "adam",
    "AdamW": "adamw",
}


def gradients(seed=0, steps=STEPS):
    """Of each step the rows, some of them twice, and their values; most rows are seldom there."""
    rng = np.random.RandomState(seed)
    for _ in range(steps):
        indices = rng.randint(0, rng.randint(2, HEIGHT + 1), 3)
        yield indices, rng.randn(3, WIDTH).astype("float32")


def slices(indices, values):
    return tf.IndexedSlices(tf.constant(values), tf.constant(indices), tf.constant([HEIGHT, WIDTH]))


def made(name, waits, dtype="float32", **arguments):
    """An optimizer, whose rows wait or which sweeps them all, and a variable."""
    if TF1 and name in ("Adam", "AdamW"):
        pytest.skip("slots wait alone where XLA compiles the sweep of the others: not in TF 1.15")
    optimizer = generated(MODULES[name], name)(0.1, **arguments)
    optimizer._waits = optimizer._waits and waits
    if not waits:
        optimizer._apply_rows = by_rule(optimizer, optimizer._apply_rows)
    return optimizer, tf.Variable(np.ones((HEIGHT, WIDTH)), dtype=dtype)


def by_rule(optimizer, apply_rows):
    """`_apply_rows` without a kernel, which rounds otherwise."""

    def apply(*args):
        optimizer._kernel_for = lambda *args: None
        try:
            return apply_rows(*args)
        finally:
            del optimizer._kernel_for

    return apply


def pair(name, **arguments):
    return [made(name, waits, **arguments) for waits in (True, False)]


def waits(optimizer, variable):
    return optimizer._waiting[variable._unique_id] is not None


def step(optimizer, variable, function):
    def apply(gradient):
        optimizer.apply_gradients([(gradient, variable)])

    return tf.function(apply) if function else apply


def assert_same(waiting, sweeping):
    """The weights and slots, to the rounding of what a step multiplies slots by."""
    (a, w), (b, x) = waiting, sweeping
    np.testing.assert_allclose(w.numpy(), x.numpy(), rtol=STEPS * 2.0**-23, atol=1e-7)
    found, expected = a.get_weights(), b.get_weights()
    assert len(found) == len(expected)
    for y, z in zip(found, expected):
        np.testing.assert_allclose(y, z, rtol=ROUNDINGS * STEPS * 2.0**-24, atol=0)


@pytest.mark.parametrize("function", [False, True])
@pytest.mark.parametrize("name", list(MODULES))
def test_rows_catch_up_with_the_sweep(name, function):
    """Seen at the end only, after steps in which most rows were not used."""
    both = pair(name)
    steps = [step(*one, function=function) for one in both]
    for gradient in gradients():
        for take in steps:
            take(slices(*gradient))
    assert waits(*both[0]) and not waits(*both[1])
    assert_same(*both)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(dtype):
    both = pair("RAdam", dtype=dtype)
    for indices, values in gradients():
        for optimizer, variable in both:
            optimizer.apply_gradients([(slices(indices, values.astype(dtype)), variable)])
    (a, w), (b, x) = both
    unit = 2.0**-53 if dtype == "float64" else 2.0**-24
    for y, z in zip(a.get_weights(), b.get_weights()):
        np.testing.assert_allclose(y, z, rtol=ROUNDINGS * STEPS * unit, atol=0)
    np.testing.assert_allclose(w.numpy(), x.numpy(), rtol=1e-12 if dtype == "float64" else 1e-2)


@pytest.mark.skipif(TF1, reason="TF 1.15 compiles nothing here")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_sweeps_that_are_compiled(amsgrad, dtype):
    """Of the variable, and of the largest v; m and v wait."""
    both = pair("Adam", amsgrad=amsgrad, dtype=dtype)
    both[0][0]._COMPILE_FROM, both[1][0]._COMPILE_FROM = 1, None
    steps = [step(*one, function=True) for one in both]
    for indices, values in gradients():
        for take in steps:
            take(slices(indices, values.astype(dtype)))
    assert waits(*both[0])
    for a, b in zip(both[0][0].get_weights(), both[1][0].get_weights()):
        np.testing.assert_allclose(a, b, rtol=ROUNDINGS * STEPS * 2.0**-24, atol=0)
    rtol = 1e-2 if dtype == "float16" else STEPS * 2.0**-23
    np.testing.assert_allclose(both[0][1].numpy(), both[1][1].numpy(), rtol=rtol, atol=1e-7)


@pytest.mark.parametrize("function", [False, True])
@pytest.mark.parametrize("beta_1", [0.9, 0.0, 1e-12])
def test_powers_that_a_sweep_does_not_have(beta_1, function, monkeypatch):
    """Of a row that is too far behind, or that are too small."""
    both = pair("Adam", beta_1=beta_1)
    monkeypatch.setattr(sys.modules[type(both[0][0]).__module__], "_POWERS", 4)
    steps = [step(*one, function=function) for one in both]
    for gradient in gradients():
        for take in steps:
            take(slices(*gradient))
    assert waits(*both[0])
    assert_same(*both)


@pytest.mark.parametrize("name", ["RAdam", "Adam"])
def test_a_hyperparameter_that_changes(name):
    """What rows have missed, they missed with the old factor."""
    both = pair(name)
    for number, gradient in enumerate(gradients()):
        for optimizer, variable in both:
            optimizer.beta_1 = 0.9 if number < 10 else 0.0 if number < 15 else 0.7
            optimizer.apply_gradients([(slices(*gradient), variable)])
    assert_same(*both)


@pytest.mark.parametrize("name", ["RAdam", "Adam"])
def test_other_gradients_in_between(name):
    """Dense ones move all rows; where there is none, the slots do not decay."""
    both = pair(name, overrides={"nothing": {"beta_1": 0.5}})
    others = [tf.Variable([1.0]) for _ in both]
    for number, (indices, values) in enumerate(gradients()):
        gradient = slices(indices, values)
        if number % 5 == 3:
            gradient = tf.convert_to_tensor(gradient)
        for (optimizer, variable), other in zip(both, others):
            given = None if number % 5 == 4 else gradient
            optimizer.apply_gradients([(given, variable), (tf.constant([1.0]), other)])
    assert_same(*both)
    assert not waits(both[0][0], others[0])


@pytest.mark.parametrize("name", ["RAdam", "Adam"])
@pytest.mark.parametrize("size", [1, None])
def test_dense_gradients_in_functions(size, name):
    """Also where the steps of all variables are compiled together."""
    both = pair(name)
    for optimizer, _ in both:
        optimizer._COMPILE_FROM = size
    steps = [step(*one, function=True) for one in both]
    for number, (indices, values) in enumerate(gradients()):
        gradient = slices(indices, values)
        if number % 5 == 3:
            gradient = tf.convert_to_tensor(gradient)
        for take in steps:
            take(gradient)
    assert waits(*both[0])
    assert_same(*both)


def test_a_variable_whose_first_gradient_is_dense_sweeps():
    """A function that was traced for dense gradients knows nothing of rows that wait."""
    optimizer, variable = made("RAdam", waits=True)
    optimizer.apply_gradients([(tf.ones((HEIGHT, WIDTH)), variable)])
    optimizer.apply_gradients([(slices(*next(gradients())), variable)])
    assert not waits(optimizer, variable)


@pytest.mark.parametrize("name", ["Nadam", "Adam"])
def test_weights_are_those_of_the_sweep_at_any_time(name):
    both = pair(name)
    for gradient in gradients():
        for optimizer, variable in both:
            optimizer.apply_gradients([(slices(*gradient), variable)])
        assert_same(*both)
    assert len(both[0][0].variables()) == len(both[1][0].variables())
    assert both[0][0].get_slot_names() == both[1][0].get_slot_names()


def test_a_slot_that_is_read_is_up_to_date():
    both = pair("RAdam")
    for gradient in gradients():
        for optimizer, variable in both:
            optimizer.apply_gradients([(slices(*gradient), variable)])
        m, n = (optimizer.get_slot(variable, "m").numpy() for optimizer, variable in both)
        np.testing.assert_allclose(m, n, rtol=ROUNDINGS * STEPS * 2.0**-24, atol=0)


@pytest.mark.parametrize("name", ["RAdam", "Adam"])
@pytest.mark.parametrize("way", ["weights", "checkpoint"])
def test_going_on_from_the_middle(way, name, tmp_path):
    optimizer, variable = made(name, waits=True)
    steps = list(gradients())
    for gradient in steps[:10]:
        optimizer.apply_gradients([(slices(*gradient), variable)])
    twin, same = made(name, waits=True)
    if way == "checkpoint":
        path = tf.train.Checkpoint(w=variable, o=optimizer).save(str(tmp_path / "c"))
    if way == "weights":
        twin.set_weights(optimizer.get_weights())
        same.assign(variable)
    for gradient in steps[10:]:
        optimizer.apply_gradients([(slices(*gradient), variable)])
    if way == "checkpoint":  # first into one that has gone astray
        twin.apply_gradients([(slices(*steps[0]), same)])
        tf.train.Checkpoint(w=same, o=twin).restore(path).assert_consumed()
    for gradient in steps[10:]:
        twin.apply_gradients([(slices(*gradient), same)])
    assert waits(twin, same)
    assert_same((twin, same), (optimizer, variable))


def test_a_copy_waits_on_its_own():
    optimizer, variable = made("RAdam", waits=True)
    steps, found = list(gradients()), []
    for gradient in steps[:10]:
        optimizer.apply_gradients([(slices(*gradient), variable)])
    middle = variable.numpy()
    for one in (copy.deepcopy(optimizer), optimizer):
        variable.assign(middle)
        for gradient in steps[10:]:
            one.apply_gradients([(slices(*gradient), variable)])
        found.append([variable.numpy(), *one.get_weights()])
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(TF1, reason="another API")
def test_under_a_loss_scale():
    both = pair("RAdam")
    wrapped = [scaled(optimizer) for optimizer, _ in both]
    for indices, values in gradients():
        for outer, (_, variable) in zip(wrapped, both):
            outer.apply_gradients([(slices(indices, values * 16), variable)])
    assert waits(*both[0])
    assert_same(*both)


@pytest.mark.parametrize("name", ["RAdam", "Adam"])
def test_in_fit(name):
    """An embedding that is trained by Keras, against the sweep."""
    weights = []
    for waiting in (True, False):
        optimizer, _ = made(name, waits=waiting)
        keras.utils.set_random_seed(1) if hasattr(keras.utils, "set_random_seed") else None
        table = keras.layers.Embedding(HEIGHT, WIDTH, embeddings_initializer="ones")
        model = keras.Sequential([table, keras.layers.Flatten()])
        model.compile(optimizer, "mse")
        x = np.random.RandomState(0).randint(0, HEIGHT, (20, 2))
        y = np.random.RandomState(1).randn(20, 2 * WIDTH)
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, shuffle=False)
        weights.append([*model.get_weights(), *optimizer.get_weights()])
    for a, b in zip(*weights):
        np.testing.assert_allclose(a, b, rtol=ROUNDINGS * STEPS * 2.0**-23, atol=1e-7)
