"""Sparse gradients: the three policies, duplicate rows, and rows that do not exist."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import (
    GRAPH,
    MODES,
    dense_of,
    eager_mode,
    generated,
    graph_session,
    rows,
    train,
    variable,
)

pytestmark = pytest.mark.tf

SHAPE = (6, 2)
EXACT = {"adam": (), "lamb": (0.1,), "adagrad_no_eps": (0.1,), "gradient_descent": (0.1,)}
HYBRID = {"nadam": (0.1,), "radam": (0.1,)}
LAZY = {"lazy_adam": (0.1,), "momentum": (0.1, 0.5), "rmsprop_tf": (0.1,), "adadelta": (1.0,)}


def sparse_stream(steps=6, seed=0, dtype="int32"):
    """Gradients whose rows come twice, once or not at all; one of them has no rows."""
    rng = np.random.RandomState(seed)
    grads = [(rng.randn(4, 2), rng.randint(0, 5, 4).astype(dtype)) for _ in range(steps)]
    grads[2] = (np.zeros((0, 2)), np.zeros(0, dtype))
    return rng.randn(*SHAPE), grads


def assert_same_state(one, other, rtol=1e-5):
    (w, slots), (w_other, slots_other) = one, other
    np.testing.assert_allclose(w, w_other, rtol=rtol, atol=1e-6)
    for name in slots[0]:
        np.testing.assert_allclose(slots[0][name], slots_other[0][name], rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", EXACT)
def test_exact_is_the_dense_step(name, mode):
    w0, grads = sparse_stream()
    sparse = train(generated(name)(*EXACT[name]), [w0], [[g] for g in grads], mode)
    dense = [[dense_of(g, SHAPE)] for g in grads]
    assert_same_state(sparse, train(generated(name)(*EXACT[name]), [w0], dense, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HYBRID)
def test_hybrid_is_the_dense_step_of_the_slots_and_of_touched_rows(name, mode):
    w0, grads = sparse_stream()
    opt, dense_opt = generated(name)(*HYBRID[name]), generated(name)(*HYBRID[name])
    (w,), (slots,) = train(opt, [w0], [[g] for g in grads], mode)
    dense = [[dense_of(g, SHAPE)] for g in grads]
    _, (dense_slots,) = train(dense_opt, [w0], dense, mode)
    for slot, value in slots.items():
        np.testing.assert_allclose(value, dense_slots[slot], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(w[5], w0[5].astype("float32"))  # row 5 is in no gradient
    assert np.all(w[:5] != w0[:5])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LAZY)
def test_lazy_is_the_dense_step_of_the_touched_rows(name, mode):
    w0, grads = sparse_stream()
    (w,), (slots,) = train(generated(name)(*LAZY[name]), [w0], [[g] for g in grads], mode)
    np.testing.assert_array_equal(w[5], w0[5].astype("float32"))
    # A row that is in every gradient moves as a dense variable of that row alone.
    always = [(g[0], np.where(np.arange(len(g[1])) == 0, 3, g[1])) for g in grads if len(g[1])]
    (w,), (slots,) = train(generated(name)(*LAZY[name]), [w0], [[g] for g in always], mode)
    alone = [[dense_of(g, SHAPE)[3]] for g in always]
    (row,), (row_slots,) = train(generated(name)(*LAZY[name]), [w0[3]], alone, mode)
    np.testing.assert_allclose(w[3], row, rtol=1e-5, atol=1e-6)
    for slot, value in slots.items():
        np.testing.assert_allclose(value[3], row_slots[slot], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_scalar_slots_advance_without_rows(mode):
    # NovoGrad: v is the mean of squared norms; without rows the norm is 0.
    empty = (np.zeros((0, 2)), np.zeros(0, "int64"))
    full = (np.array([[3.0, 4.0]]), np.array([1]))
    opt = generated("novograd")(0.1, 0.5, 0.25)
    (w,), (slots,) = train(opt, [np.zeros(SHAPE)], [[full], [empty], [empty]], mode)
    assert slots["v"] == 25.0 * 0.25**2
    np.testing.assert_allclose(w[1], -0.1 * np.array([0.6, 0.8]), rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adam", "lamb", "nadam", "momentum", "novograd"])
def test_rows_that_come_twice_are_summed(name, mode):
    twice = (np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.5]]), np.array([2, 2, 0]))
    once = (np.array([[4.0, 6.0], [0.5, 0.5]]), np.array([2, 0]))
    w0 = np.ones(SHAPE)
    args = (0.1, 0.5)
    one = train(generated(name)(*args), [w0], [[twice]] * 3, mode)
    other = train(generated(name)(*args), [w0], [[once]] * 3, mode)
    np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adam", "nadam", "lamb", "momentum"])
def test_a_row_whose_values_cancel_is_a_row_of_the_gradient(name, mode):
    opt = generated(name)(0.1, 0.5)
    first = (np.ones((6, 2)), np.arange(6))
    nothing = (np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([4, 4]))
    (before,), _ = train(generated(name)(0.1, 0.5), [np.zeros(SHAPE)], [[first]], mode)
    (w,), _ = train(opt, [np.zeros(SHAPE)], [[first], [nothing]], mode)
    assert np.all(w[4] != before[4])  # the momentum of the first step moves it
    if name not in ("adam", "lamb"):
        np.testing.assert_array_equal(w[:4], before[:4])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("wrong", [-1, 6])
@pytest.mark.parametrize("name", ["adam", "lamb", "momentum"])
def test_rows_outside_of_the_variable_are_an_error(name, wrong, dtype, mode):
    w0 = np.zeros(SHAPE)
    bad = (np.ones((2, 2)), np.array([1, wrong], dtype))
    with pytest.raises(tf.errors.InvalidArgumentError, match="sparse gradient"):
        train(generated(name)(0.1, 0.5), [w0], [[bad]], mode)


@pytest.mark.parametrize("resource", [False, True])
def test_an_error_leaves_the_state_as_it_was(resource):
    with graph_session() as session:
        w = variable(np.zeros(SHAPE), resource=resource)
        indices = tf.placeholder(tf.int32, [None])
        opt = generated("adam")()
        update = opt.apply_gradients([(tf.IndexedSlices(tf.ones([1, 2]), indices), w)])
        session.run(tf.global_variables_initializer())
        session.run(update, {indices: [3]})
        state = [w, *opt.variables()]
        before = session.run(state)
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(update, {indices: [6]})
        for old, new in zip(before, session.run(state)):
            np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_rows_of_either_type_of_index(dtype, mode):
    w0, grads = sparse_stream(dtype=dtype)
    (w,), _ = train(generated("adam")(), [w0], [[g] for g in grads], mode)
    (expected,), _ = train(generated("adam")(), [w0], [[dense_of(g, SHAPE)] for g in grads], mode)
    np.testing.assert_allclose(w, expected, rtol=1e-5)


def operations_of_a_step(optimizer, dtype="float32", resource=True):
    with graph_session() as session:
        w = variable(np.zeros(SHAPE), getattr(tf, dtype), resource)
        optimizer.apply_gradients([(rows(np.ones((3, 2), dtype), [0, 0, 1]), w)])
        return {operation.type for operation in session.graph.get_operations()}


@pytest.mark.parametrize("resource", [True, False])
@pytest.mark.parametrize("name", ["sgd", "gradient_descent"])
def test_rows_are_not_summed_where_the_rule_is_linear_in_them(name, resource):
    assert "Unique" not in operations_of_a_step(generated(name)(0.1), resource=resource)


@pytest.mark.parametrize(
    "name, kwargs, dtype",
    [
        ("sgd", {"momentum": 0.9}, "float32"),
        ("sgd", {"clipvalue": 1.0}, "float32"),
        ("sgd", {"global_clipnorm": 1.0}, "float32"),
        ("sgd", {}, "float16"),
    ],
)
def test_rows_are_summed_where_it_is_not(name, kwargs, dtype):
    found = operations_of_a_step(generated(name)(0.1, **kwargs), dtype)
    assert "Unique" in found and "ResourceScatterSub" not in found


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("clip", [{}, {"clipvalue": 2.5}])
def test_rows_that_come_twice_under_a_linear_rule(clip, mode):
    twice = (np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 0.5]]), np.array([2, 2, 0]))
    (w,), _ = train(generated("sgd")(0.5, **clip), [np.zeros(SHAPE)], [[twice]], mode)
    np.testing.assert_array_equal(w[2], [-1.25, -1.25] if clip else [-2.0, -3.0])
    np.testing.assert_array_equal(w[0], [-0.25, -0.25])


@pytest.mark.parametrize("mode", MODES)
def test_half_precision_sums_rows_in_float32(mode):
    # In float16, 2048 + 1 is 2048.
    g = (np.array([[2048.0]] + [[1.0]] * 8), np.zeros(9, "int32"))
    opt = generated("momentum")(2.0**-6, 0.0)
    _, (slots,) = train(opt, [[[0.0]]], [[g]], mode, tf.float16)
    assert slots["momentum"] == 2056.0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adam", "momentum", "nadam", "lamb"])
def test_float64_rows_of_more_dimensions(name, mode):
    rng = np.random.RandomState(1)
    w0 = rng.randn(4, 2, 3)
    g = (rng.randn(3, 2, 3), np.array([1, 3, 1]))
    (w,), _ = train(generated(name)(0.1, 0.5), [w0], [[g]] * 3, mode, tf.float64)
    assert w.dtype == np.float64
    dense = dense_of(g, w0.shape)
    (expected,), _ = train(generated(name)(0.1, 0.5), [w0], [[dense]] * 3, mode, tf.float64)
    np.testing.assert_allclose(w[[1, 3]], expected[[1, 3]], rtol=1e-12)


@pytest.mark.parametrize("mode", GRAPH)
def test_an_embedding_is_trained(mode):
    with graph_session() as session:
        table = variable(np.ones(SHAPE), resource=mode == "resource")
        words = tf.constant([1, 1, 4])
        loss = tf.reduce_sum(tf.square(tf.nn.embedding_lookup(table, words)))
        update = generated("adam")(0.1).minimize(loss)
        session.run(tf.global_variables_initializer())
        losses = [session.run([loss, update])[0] for _ in range(20)]
        assert losses[-1] < 0.1 * losses[0]
        np.testing.assert_array_equal(session.run(table)[0], [1, 1])


def test_a_sparse_gradient_of_a_table_of_unknown_height():
    for resource in (False, True):
        with graph_session() as session:
            start = tf.placeholder_with_default(np.ones(SHAPE, "float32"), [None, 2])
            w = variable(start, None, resource, validate_shape=False)
            update = generated("adam")(0.1).apply_gradients([(rows([[1.0, 1.0]], [2]), w)])
            session.run(tf.global_variables_initializer())
            session.run(update)
            expected = np.ones(SHAPE)
            expected[2] = 0.9
            np.testing.assert_allclose(session.run(w), expected, rtol=1e-5)


def test_gradients_and_rows_of_several_variables_eagerly():
    with eager_mode():
        a, b = variable(np.ones(SHAPE)), variable([1.0, 1.0])
        opt = generated("adam")(0.1)
        opt.minimize(
            lambda: tf.reduce_sum(tf.gather(a, [1, 1])) + tf.reduce_sum(b), var_list=[a, b]
        )
        expected = np.ones(SHAPE)
        expected[1] = 0.9
        np.testing.assert_allclose(a.numpy(), expected, rtol=1e-5)
        np.testing.assert_allclose(b.numpy(), [0.9, 0.9], rtol=1e-5)
        assert len(opt.variables()) == 5
