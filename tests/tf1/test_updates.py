"""Dense updates: every mode, dtype and shape, and every kind of hyperparameter."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import (
    GRAPH,
    MODES,
    eager_mode,
    generated,
    graph_session,
    train,
    variable,
)

pytestmark = pytest.mark.tf

HYPERS = {"learning_rate": 0.125, "beta1": 0.875, "beta2": 0.9375, "epsilon": 0.03125}


def adam(w, grads, learning_rate, beta1, beta2, epsilon):
    """Adam by its definition, in float64."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        alpha = learning_rate * np.sqrt(1 - beta2**t) / (1 - beta1**t)
        w = w - alpha * m / (np.sqrt(v) + epsilon)
    return w, m, v


def stream(shape, steps=10, seed=0):
    rng = np.random.RandomState(seed)
    return rng.randn(*shape), [rng.randn(*shape) for _ in range(steps)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype, bound", [("float32", 2e-6), ("float64", 1e-14)])
def test_adam_is_its_equations(mode, dtype, bound):
    w0, grads = stream((3, 2))
    (w,), (slots,) = train(
        generated("adam")(**HYPERS), [w0], [[g] for g in grads], mode, tf.as_dtype(dtype)
    )
    expected, m, v = adam(w0.astype(dtype).astype("float64"), grads, **HYPERS)
    assert w.dtype == dtype
    np.testing.assert_allclose(w, expected, rtol=0, atol=bound * 10)
    np.testing.assert_allclose(slots["m"], m, rtol=0, atol=bound)
    np.testing.assert_allclose(slots["v"], v, rtol=0, atol=bound)


@pytest.mark.parametrize("mode", MODES)
def test_half_precision_keeps_its_state_in_float32(mode):
    # In float16 the square of 1e-4 is 0, and the step would be m / epsilon.
    grads = [[np.full(2, 1e-4)]] * 200
    (w,), (slots,) = train(
        generated("adam")(learning_rate=1e-3), [np.zeros(2)], grads, mode, tf.float16
    )
    assert w.dtype == np.float16
    assert {s.dtype for s in slots.values()} == {np.dtype("float32")}
    np.testing.assert_allclose(w, -0.2, rtol=0.02)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("name", ["adam", "momentum", "lamb", "novograd"])
def test_every_shape(name, shape, mode):
    opt = generated(name)(0.1, 0.5)
    w0, grads = stream(shape, 3)
    (w,), (slots,) = train(opt, [w0], [[g] for g in grads], mode)
    assert w.shape == shape
    assert np.all(np.isfinite(w))
    assert all(np.all(np.isfinite(s)) for s in slots.values())


@pytest.mark.parametrize("mode", MODES)
def test_a_variable_without_a_gradient_is_left_out(mode):
    w0, grads = stream((2,))
    opt = generated("adam")()
    both, slots = train(opt, [w0, w0], [[g, None] for g in grads], mode)
    np.testing.assert_array_equal(both[1], w0.astype("float32"))
    assert slots[1] == {}
    with pytest.raises(ValueError, match="No gradients provided"):
        train(generated("adam")(), [w0], [[None]], mode)


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", ["adam", "momentum", "adagrad_no_eps", "rmsprop_tf", "novograd"])
def test_a_variable_of_unknown_static_shape(name, resource):
    opt = generated(name)(0.1, 0.5)
    with graph_session() as session:
        start = tf.placeholder_with_default([1.0, 2.0], None)
        w = variable(start, None, resource, validate_shape=False)
        update = opt.minimize(tf.reduce_sum(tf.square(w)))
        session.run(tf.global_variables_initializer())
        for _ in range(3):
            session.run(update)
        (expected,), _ = train(
            generated(name)(0.1, 0.5), [[1.0, 2.0]], _gradients_of_square(session, update, w, name)
        )
        np.testing.assert_allclose(session.run(w), expected, rtol=1e-6)


def _gradients_of_square(session, update, w, name):
    """The gradients 2*w that the variable would see in three steps from [1, 2]."""
    grads, start = [], np.array([1.0, 2.0])
    value = start
    for _ in range(3):
        grads.append([2 * value])
        (value,), _ = train(generated(name)(0.1, 0.5), [start], grads)
    return grads


@pytest.mark.parametrize("mode", MODES)
def test_hyperparameters_are_numbers_arrays_or_callables(mode):
    w0, grads = stream((3,), 5)
    steps = [[g] for g in grads]
    (expected,), _ = train(generated("adam")(**HYPERS), [w0], steps, mode, tf.float64)
    for kind in (np.float32, np.float64, np.array, lambda x: lambda: x):
        hypers = {k: kind(v) for k, v in HYPERS.items()}
        (w,), _ = train(generated("adam")(**hypers), [w0], steps, mode, tf.float64)
        np.testing.assert_array_equal(w, expected)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64], ids=["float32", "float64"])
def test_hyperparameters_are_tensors(dtype):
    w0, grads = stream((3,), 5)
    (expected,), _ = train(generated("adam")(**HYPERS), [w0], [[g] for g in grads], "ref")
    with graph_session() as session:
        w = variable(w0)
        p = tf.placeholder(tf.float32, [3])
        hypers = {k: tf.constant(v, dtype) for k, v in HYPERS.items()}
        update = generated("adam")(**hypers).apply_gradients([(p, w)])
        session.run(tf.global_variables_initializer())
        for g in grads:
            session.run(update, {p: g})
        np.testing.assert_array_equal(session.run(w), expected)


@pytest.mark.parametrize("mode", MODES)
def test_a_number_is_exact_in_float64(mode):
    # 0.1 through float32 would be 0.10000000149.
    (w,), _ = train(generated("gradient_descent")(0.1), [[0.0]], [[[1.0]]], mode, tf.float64)
    assert w[0] == -0.1
    opt = generated("gradient_descent")(lambda: 0.1)
    (w,), _ = train(opt, [[0.0]], [[[1.0]]], mode, tf.float64)
    assert w[0] == -0.1


def test_a_schedule_of_the_global_step():
    with graph_session() as session:
        w, step = variable([0.0]), tf.train.create_global_step()
        rate = tf.train.exponential_decay(1.0, step, 1, 0.5)
        opt = generated("gradient_descent")(rate)
        update = opt.apply_gradients([(tf.constant([1.0]), w)], global_step=step)
        session.run(tf.global_variables_initializer())
        for expected in (-1.0, -1.5, -1.75):
            session.run(update)
            assert session.run(w) == expected
        assert session.run(step) == 3


def test_a_callable_is_called_in_every_eager_step():
    rates = iter([1.0, 0.5, 0.25])
    (w,), _ = train(
        generated("gradient_descent")(lambda: next(rates)), [[0.0]], [[[1.0]]] * 3, "eager"
    )
    assert w[0] == -1.75


def test_one_object_in_several_graphs_and_eagerly():
    opt, expected = generated("adam")(), []
    w0, grads = stream((2,), 3)
    for mode in ("ref", "eager", "resource", "eager", "ref"):
        (w,), _ = train(opt, [w0], [[g] for g in grads[:1]], mode)
        expected.append(w)
    # The eager runs share the counter of steps; each graph has its own.
    np.testing.assert_array_equal(expected[0], expected[1])
    np.testing.assert_array_equal(expected[0], expected[2])
    np.testing.assert_array_equal(expected[0], expected[4])
    assert not np.array_equal(expected[1], expected[3])


def test_variables_are_those_of_the_current_graph():
    opt = generated("adam")()
    with graph_session():
        w = variable([1.0], name="w")
        opt.apply_gradients([(tf.constant([1.0]), w)])
        names = [v.op.name for v in opt.variables()]
        assert names == ["Adam_step", "w/Adam", "w/Adam_1"]
        with tf.Graph().as_default():
            assert opt.variables() == []


def test_no_step_counter_where_the_rule_does_not_read_it():
    for name in ("momentum", "gradient_descent", "adagrad_no_eps", "rmsprop_tf"):
        opt = generated(name)(0.1, 0.9) if name == "momentum" else generated(name)(0.1)
        with graph_session():
            opt.apply_gradients([(tf.constant([1.0]), variable([1.0]))])
            slots = len(opt.get_slot_names())
            assert len(opt.variables()) == slots
            assert len(tf.global_variables()) == 1 + slots


def test_several_lists_of_variables():
    # As with the built-in Adam, every apply_gradients is a step of its own.
    opt = generated("adam")(0.1)
    with graph_session() as session:
        a, b = variable([1.0], name="a"), variable([1.0], name="b")
        one = opt.minimize(tf.reduce_sum(a), var_list=[a])
        two = opt.minimize(tf.reduce_sum(b), var_list=[b])
        session.run(tf.global_variables_initializer())
        session.run(one)
        np.testing.assert_allclose(session.run([a, b]), [[0.9], [1.0]], rtol=1e-6)
        session.run(two)
        assert session.run(next(v for v in opt.variables() if v.op.name == "Adam_step")) == 2
        assert [v.op.name for v in opt.variables()] == [
            "Adam_step", "a/Adam", "a/Adam_1", "b/Adam", "b/Adam_1",
        ]  # fmt: skip


def test_apply_gradients_returns_an_operation_of_the_given_name():
    with graph_session():
        w = variable([1.0])
        opt = generated("adam")()
        plain = opt.apply_gradients([(tf.constant([1.0]), w)])
        named = opt.apply_gradients([(tf.constant([1.0]), w)], name="train")
        step = tf.train.create_global_step()
        counted = opt.apply_gradients([(tf.constant([1.0]), w)], step, name="count")
        assert isinstance(plain, tf.Operation)
        assert plain.name == "Adam"
        assert named.name == "train"
        assert counted.name == "count"
        assert plain in tf.get_collection(tf.GraphKeys.TRAIN_OP)


@pytest.mark.parametrize("mode", GRAPH)
def test_updates_can_be_locked(mode):
    w0, grads = stream((3,), 3)
    steps = [[g] for g in grads]
    (free,), _ = train(generated("adam")(), [w0], steps, mode)
    (locked,), _ = train(generated("adam")(use_locking=True), [w0], steps, mode)
    np.testing.assert_array_equal(free, locked)


def test_minimize_eagerly():
    with eager_mode():
        w = variable([1.0, 2.0])
        opt = generated("momentum")(0.1, 0.5)
        opt.minimize(lambda: tf.reduce_sum(tf.square(w)))
        np.testing.assert_allclose(w.numpy(), [0.8, 1.6], rtol=1e-6)


def test_losses_in_a_while_loop_of_a_function():
    import tensorflow

    with eager_mode():
        w = variable([1.0])
        opt = generated("adam")(0.1)

        @tensorflow.function
        def run():
            for _ in tensorflow.range(3):
                opt.apply_gradients([(tf.constant([1.0]), w)])

        run()
        np.testing.assert_allclose(w.numpy(), [0.7], rtol=1e-5)
