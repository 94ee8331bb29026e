"""Clipping of gradients, and constraints of variables."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import MODES, dense_of, eager_mode, generated, rows, train, variable

pytestmark = pytest.mark.tf


def descent(**clipping):
    return generated("gradient_descent")(1.0, **clipping)


def clipped(g, mode="resource", shape=None, dtype=tf.float32, **clipping):
    """What gradient descent takes for the gradient `g`."""
    shape = np.shape(g) if shape is None else shape
    (w,), _ = train(descent(**clipping), [np.zeros(shape)], [[g]], mode, dtype)
    return -w


@pytest.mark.parametrize("mode", MODES)
def test_by_value(mode):
    found = clipped([-3.0, 0.5, 2.0], mode, clipvalue=1.0)
    np.testing.assert_array_equal(found, [-1, 0.5, 1])


@pytest.mark.parametrize("mode", MODES)
def test_by_norm(mode):
    np.testing.assert_allclose(clipped([3.0, 4.0], mode, clipnorm=1.0), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(clipped([3.0, 4.0], mode, clipnorm=5.5), [3, 4])
    np.testing.assert_array_equal(clipped([0.0, 0.0], mode, clipnorm=1.0), [0, 0])


@pytest.mark.parametrize("mode", MODES)
def test_by_value_and_then_by_norm(mode):
    found = clipped([30.0, 4.0, 3.0], mode, clipvalue=4.0, clipnorm=1.0)
    np.testing.assert_allclose(found, np.array([4, 4, 3]) / np.sqrt(41), rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_by_norm_each_variable_for_itself(mode):
    grads = [[3.0, 4.0], [0.3, 0.4]]
    found, _ = train(descent(clipnorm=1.0), np.zeros((2, 2)), [grads], mode)
    np.testing.assert_allclose(found, [[-0.6, -0.8], [-0.3, -0.4]], rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_by_the_norm_of_all(mode):
    for limit, factor in ((1.0, 1 / 13.0), (20.0, 1.0)):
        twice = (np.array([[5.0], [7.0]]), np.array([1, 1]))
        found, _ = train(
            descent(global_clipnorm=limit),
            [np.zeros(2), np.zeros((3, 1)), np.zeros(1)],
            [[[3.0, 4.0], twice, None]],
            mode,
        )
        np.testing.assert_allclose(found[0], -factor * np.array([3, 4]), rtol=1e-6)
        np.testing.assert_allclose(found[1], -factor * np.array([[0], [12], [0]]), rtol=1e-6)
        np.testing.assert_array_equal(found[2], [0])


@pytest.mark.parametrize("mode", MODES)
def test_by_value_then_by_norm_then_by_the_norm_of_all(mode):
    rows = (np.array([[30.0], [-1.0]]), np.array([0, 0]))
    limits = {"clipvalue": 4.0, "clipnorm": 3.0, "global_clipnorm": 1.0}
    grads = [[3.0, 40.0], rows]  # by value [3, 4], [4]; by norm [1.8, 2.4], [3]; of all sqrt(18)
    found, _ = train(descent(**limits), [np.zeros(2), np.zeros((3, 1))], [grads], mode)
    np.testing.assert_allclose(found[0], -np.array([1.8, 2.4]) / np.sqrt(18), rtol=1e-6)
    np.testing.assert_allclose(found[1], [[-3 / np.sqrt(18)], [0], [0]], rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_rows_that_come_twice_are_summed_before(mode):
    # The norm of the rows as they come would be sqrt(2), and of their sum it is 2.
    twice = (np.array([[1.0], [1.0]]), np.array([1, 1]))
    found = clipped(twice, mode, (3, 1), clipnorm=1.0)
    np.testing.assert_allclose(found, [[0], [1], [0]], rtol=1e-6)
    found = clipped(twice, mode, (3, 1), clipvalue=1.5)
    np.testing.assert_array_equal(found, [[0], [1.5], [0]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adam", "lamb", "nadam"])
@pytest.mark.parametrize(
    "clipping", [{"clipnorm": 0.5}, {"clipvalue": 0.25}, {"global_clipnorm": 0.5}], ids=str
)
def test_sparse_as_dense(name, clipping, mode):
    rng = np.random.RandomState(0)
    grads = [(rng.randn(3, 2), rng.randint(0, 4, 3)) for _ in range(4)]
    w0 = rng.randn(4, 2)
    _, (slots,) = train(generated(name)(0.1, **clipping), [w0], [[g] for g in grads], mode)
    dense = [[dense_of(g, w0.shape)] for g in grads]
    _, (expected,) = train(generated(name)(0.1, **clipping), [w0], dense, mode)
    for slot, value in slots.items():
        np.testing.assert_allclose(value, expected[slot], rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", [tf.float16, tf.float64], ids=["float16", "float64"])
@pytest.mark.parametrize("how", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_in_every_dtype(how, dtype, mode):
    # In float16 the square of 300 is infinite.
    found = clipped([300.0], mode, dtype=dtype, **{how: 0.1})
    assert found.dtype == dtype.as_numpy_dtype
    np.testing.assert_allclose(found, [0.1], rtol=1e-3 if dtype == tf.float16 else 1e-15)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("name", ["gradient_descent", "adam"])
def test_a_constraint_holds_after_every_step(name, sparse, mode):
    dense = np.array([[1.0], [0.0], [-2.0]])
    g = (np.array([[1.0], [-2.0]]), np.array([0, 2])) if sparse else dense

    def constraint(w):
        return tf.clip_by_value(w, -0.5, 0.75)

    opt = generated(name)(1.0)
    (w,), _ = train(opt, [np.full((3, 1), 0.25)], [[g]] * 2, mode, constraint=constraint)
    np.testing.assert_array_equal(w, [[-0.5], [0.25], [0.75]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_constraint_is_applied_once_in_a_step(sparse, mode):
    g = (np.array([[2.0]]), np.array([1])) if sparse else np.array([[0.0], [2.0]])
    (w,), _ = train(descent(), [np.full((2, 1), 8.0)], [[g]] * 2, mode, constraint=lambda w: w / 2)
    np.testing.assert_array_equal(w, [[2.0], [0.5]])


@pytest.mark.parametrize("mode", MODES)
def test_a_constraint_does_not_make_a_lazy_rule_dense(mode):
    g = (np.array([[2.0]]), np.array([1]))
    opt = generated("momentum")(1.0, 0.5)
    steps = [[(np.array([[4.0], [4.0]]), np.array([0, 1]))], [g]]
    _, (slots,) = train(opt, [np.zeros((3, 1))], steps, mode, constraint=lambda w: w / 2)
    np.testing.assert_array_equal(slots["momentum"], [[4.0], [4.0], [0.0]])


def test_a_step_that_failed_leaves_nothing_behind():
    """A sparse gradient that was refused is not used for the next, dense one."""
    with eager_mode():
        w = variable(np.zeros((2, 1)), constraint=lambda w: w)
        opt = descent()
        with pytest.raises(tf.errors.InvalidArgumentError):
            opt.apply_gradients([(rows([[1.0]], [5]), w)])
        opt.apply_gradients([(tf.constant([[1.0], [2.0]]), w)])
        np.testing.assert_array_equal(w.numpy(), [[-1], [-2]])
