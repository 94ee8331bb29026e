"""Steps in eager mode, each of which is one call of a function."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1, array, assert_same, generated, keras, rows, tf, values

pytestmark = [pytest.mark.tf, pytest.mark.skipif(TF1, reason="TF 1.15 makes no functions")]

Adam, AdaBelief = generated("adam", "Adam"), generated("adabelief", "AdaBelief")


ALIVE = []  # a function is forgotten with its variables


class Plain(Adam):
    """Takes its steps operation by operation, as all subclasses do."""


def train(optimizer, count=4, change=lambda optimizer, i: None):
    w, table = tf.Variable(array(4)), tf.Variable(array(5, 2))
    ALIVE.append((w, table))
    for i in range(count):
        change(optimizer, i)
        part = rows(array(i, 2, seed=i), np.arange(i) % 3)
        optimizer.apply_gradients([(tf.constant(array(4, seed=i)), w), (part, table)])
    return values([w, table]) + optimizer.get_weights()


def test_a_function_is_made_once_for_any_number_of_rows():
    optimizer = Adam()
    assert_same(train(optimizer), train(Plain()))
    assert len(optimizer._functions) == 1
    assert not Plain()._functions


def test_numbers_are_those_of_every_step():
    def change(optimizer, i):
        optimizer.learning_rate = 0.1 * (i + 1)
        optimizer.beta_2 = 0.9 - 0.1 * i
        optimizer.epsilon = 10.0**-i

    optimizer = Adam()
    assert_same(train(optimizer, change=change), train(Plain(), change=change))
    assert len(optimizer._functions) == 1


def test_functions_for_numbers_are_called_in_every_step():
    def rates(cls):
        given = iter([0.1, 0.2, 0.3, 0.4])
        return cls(learning_rate=lambda: next(given), decay=0.1)

    assert_same(train(rates(Adam)), train(rates(Plain)))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    assert_same(train(Adam(schedule)), train(Plain(schedule)))


def test_a_schedule_in_place_of_a_number():
    def change(optimizer, i):
        if i == 2:
            optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)

    assert_same(train(Adam(0.5), change=change), train(Plain(0.5), change=change))


def test_settings_that_change_make_another_function():
    def change(optimizer, i):
        optimizer.clipnorm = 0.1 if i > 1 else None

    optimizer = Adam()
    assert_same(train(optimizer, change=change), train(Plain(), change=change))
    assert len(optimizer._functions) == 2


def test_a_function_goes_with_its_variables():
    optimizer, w = Adam(), tf.Variable(array(4))
    optimizer.apply_gradients([(tf.ones(4), w)])
    gone = weakref.ref(w)
    assert len(optimizer._functions) == 1
    del w
    gc.collect()
    assert gone() is None
    assert not optimizer._functions


def test_copies_make_functions_of_their_own():
    optimizer = Adam(0.1)
    train(optimizer, 2)
    twins = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    assert [twin._functions for twin in twins] == [{}, {}]
    assert optimizer._functions
    assert_same(twins[0].get_weights(), optimizer.get_weights())


def test_gradients_of_another_shape_are_an_error_as_ever():
    optimizer, w = Adam(), tf.Variable(array(4))
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        optimizer.apply_gradients([(tf.ones(3), w)])
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply_gradients([(None, w)])
    assert not optimizer._functions
    assert_same([w.numpy()], [array(4)])


def test_a_row_that_is_none_of_the_variable():
    optimizer, table = Adam(), tf.Variable(array(5, 2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="no row of it"):
        optimizer.apply_gradients([(rows(array(1, 2), [5]), table)])
    assert_same([table.numpy()], [array(5, 2)])


def test_functions_of_the_user_run_in_every_step():
    seen = []

    def transform(pairs):
        seen.append(len(pairs))
        return pairs

    optimizer = Adam(gradient_transformers=[transform])
    train(optimizer, 3)
    assert len(seen) == 3


def test_debugging_runs_python():
    optimizer = AdaBelief()
    tf.config.run_functions_eagerly(True)
    try:
        train(optimizer, 2)
    finally:
        tf.config.run_functions_eagerly(False)
    assert not optimizer._functions


def test_large_steps_are_compiled():
    def run(optimizer):
        optimizer._SPLIT_FROM = 1
        w = tf.Variable(array(70000))
        for seed in range(3):
            optimizer.apply_gradients([(tf.constant(array(70000, seed=seed)), w)])
        return values([w]) + optimizer.get_weights()

    plain = AdaBelief()
    plain._COMPILE_FROM = None
    for a, b in zip(run(AdaBelief()), run(plain)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
