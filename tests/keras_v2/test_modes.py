"""Where a step is taken: eager, tf.function, a session, fit, loss scaling, XLA."""

import threading

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    TF1,
    VERSION,
    array,
    assert_same,
    builtin,
    generated,
    graph_session,
    initialize,
    keras,
    rows,
    steps,
    tf,
    values,
)

pytestmark = pytest.mark.tf

Adam, SGD, Nadam = generated("adam", "Adam"), generated("sgd", "SGD"), generated("nadam", "Nadam")
LazyAdam, LAMB = generated("lazy_adam", "LazyAdam"), generated("lamb", "LAMB")

MAKERS = [
    pytest.param(lambda: Adam(0.1), id="Adam"),
    pytest.param(lambda: SGD(0.01, momentum=0.9), id="SGD"),
    pytest.param(lambda: Nadam(0.1), id="Nadam"),
    pytest.param(lambda: LazyAdam(0.1), id="LazyAdam"),
    pytest.param(lambda: LAMB(0.1), id="LAMB"),
    pytest.param(lambda: Adam(0.1, clipnorm=0.5), id="clipped"),
]


def gradients(w, table, seed):
    return [(tf.constant(array(4, seed=seed)), w), (rows(array(3, 2, seed=seed), [2, 0, 2]), table)]


def in_eager(maker, count=4):
    w, table = tf.Variable(array(4)), tf.Variable(array(5, 2))
    optimizer = maker()
    for seed in range(count):
        optimizer.apply_gradients(gradients(w, table, seed))
    return values([w, table]) + optimizer.get_weights()


def close(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("maker", MAKERS)
def test_function(maker):
    w, table = tf.Variable(array(4)), tf.Variable(array(5, 2))
    optimizer = maker()

    @tf.function
    def step(dense, part, indices):
        optimizer.apply_gradients([(dense, w), (tf.IndexedSlices(part, indices), table)])

    for seed in range(4):
        part = tf.constant(array(3, 2, seed=seed))
        step(tf.constant(array(4, seed=seed)), part, tf.constant([2, 0, 2]))
    close(values([w, table]) + optimizer.get_weights(), in_eager(maker))


@pytest.mark.parametrize("maker", MAKERS)
def test_loop_in_a_function(maker):
    w, table = tf.Variable(array(4)), tf.Variable(array(5, 2))
    optimizer = maker()
    optimizer.build([w, table])
    dense = tf.stack([array(4, seed=s) for s in range(4)])
    parts = tf.stack([array(3, 2, seed=s) for s in range(4)])

    @tf.function
    def train():
        for i in tf.range(4):
            gradient = tf.IndexedSlices(parts[i], tf.constant([2, 0, 2]))
            optimizer.apply_gradients([(dense[i], w), (gradient, table)])

    train()
    close(values([w, table]) + optimizer.get_weights(), in_eager(maker))


@pytest.mark.parametrize("maker", MAKERS)
def test_session(maker):
    with graph_session() as session:
        w, table = tf.Variable(array(4)), tf.Variable(array(5, 2))
        dense = tf.compat.v1.placeholder(tf.float32, [4])
        part = tf.compat.v1.placeholder(tf.float32, [None, 2])
        optimizer = maker()
        gradient = tf.IndexedSlices(part, tf.constant([2, 0, 2]))
        update = optimizer.apply_gradients([(dense, w), (gradient, table)])
        initialize(session)
        for seed in range(4):
            session.run(update, {dense: array(4, seed=seed), part: array(3, 2, seed=seed)})
        result = session.run([w, table] + optimizer.weights)
    close(result, in_eager(maker))


def test_reads_come_before_writes_in_a_graph():
    """Whatever order the session takes, 30 times."""
    with graph_session() as session:
        table = tf.Variable(np.ones((50, 40), "float32"))
        optimizer = Adam(0.1)
        gradient = tf.IndexedSlices(tf.ones([20, 40]), tf.range(20))
        update = optimizer.apply_gradients([(gradient, table)])
        initialize(session)
        for _ in range(30):
            session.run(update)
        found = session.run(table)
    assert len(np.unique(found[:20])) == len(np.unique(found[20:])) == 1
    np.testing.assert_allclose(found[0, 0], 1 - 30 * 0.1, rtol=1e-4)  # constant gradient: lr a step
    assert found[20, 0] == 1


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("maker", MAKERS)
def test_fit(maker, eagerly):
    def trained(optimizer):
        keras.backend.clear_session()
        model = keras.Sequential(
            [
                keras.layers.Embedding(7, 3, input_length=2),
                keras.layers.Flatten(),
                keras.layers.Dense(1),
            ]
        )
        model.compile(optimizer, "mse", run_eagerly=eagerly)
        model.build((None, 2))
        model.set_weights([array(*w.shape) for w in model.get_weights()])
        x = np.arange(16).reshape(8, 2) % 7
        history = model.fit(x, array(8, 1), epochs=3, batch_size=4, shuffle=False, verbose=0)
        return history.history["loss"], model

    losses, model = trained(maker())
    assert losses[-1] < losses[0]
    assert int(keras.backend.get_value(model.optimizer.iterations)) == 6
    if type(model.optimizer) in (Adam, Nadam, SGD) and not model.optimizer.get_config().get(
        "clipnorm"
    ):
        config = model.optimizer.get_config()
        theirs = getattr(builtin, type(model.optimizer).__name__).from_config(config)
        np.testing.assert_allclose(losses, trained(theirs)[0], rtol=1e-4)


# -- loss scaling


def scaled(optimizer):
    if TF1:
        scale = tf.compat.v1.train.experimental.DynamicLossScale(2.0**4, increment_period=2)
        return keras.mixed_precision.experimental.LossScaleOptimizer(optimizer, scale)
    return keras.mixed_precision.LossScaleOptimizer(optimizer, initial_scale=2.0**4)


@pytest.mark.parametrize("maker", MAKERS)
def test_loss_scale_optimizer(maker):
    optimizer = scaled(maker())
    plain = maker()
    w, copy = tf.Variable(array(4)), tf.Variable(array(4))

    def loss(variable, factor):
        return lambda: tf.reduce_sum(factor * variable**2)

    for factor in (1.0, float("inf"), 2.0):  # the second step overflows and is skipped
        before = w.numpy()
        optimizer.minimize(loss(w, factor), [w])
        if factor != float("inf"):
            plain.minimize(loss(copy, factor), [copy])
            continue
        assert_same([w.numpy()], [before])
        if not TF1:  # later versions count the skipped step
            plain.iterations.assign_add(1)
    assert int(optimizer.iterations.numpy()) == int(plain.iterations.numpy())
    np.testing.assert_allclose(w.numpy(), copy.numpy(), rtol=1e-4)


def test_loss_scaling_in_fit_with_mixed_precision():
    if TF1:
        policy = keras.mixed_precision.experimental.Policy("mixed_float16")
        set_policy = keras.mixed_precision.experimental.set_policy
        plain = "float32"
    else:
        policy, plain = "mixed_float16", "float32"
        set_policy = keras.mixed_precision.set_global_policy
    set_policy(policy)
    try:
        model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,)), keras.layers.Dense(1)])
        model.compile(Adam(0.05), "mse")
        history = model.fit(array(8, 4), array(8, 1), epochs=5, verbose=0)
    finally:
        set_policy(plain)
    assert history.history["loss"][-1] < history.history["loss"][0]
    kernel = model.layers[0].kernel
    inner = getattr(model.optimizer, "inner_optimizer", None) or model.optimizer._optimizer
    assert kernel.dtype.base_dtype == tf.float32
    assert inner.get_slot(kernel, "m").dtype.base_dtype == tf.float32


# -- XLA: two `unique` in a row, with gather and scatter, give wrong rows without a word

INDICES = [[2, 0, 2, 4], [1, 1, 1, 1], [3, 0, 4, 3]]


@pytest.mark.parametrize("maker", MAKERS + [pytest.param(lambda: SGD(0.1), id="plain")])
def test_xla(maker):
    if VERSION < (2, 10):
        assert not hasattr(tf.function(lambda: 0), "jit_compile")  # 1.15 has no jit_compile
        return
    results = []
    for jit in (False, True):
        table, w = tf.Variable(array(5, 2)), tf.Variable(array(4))
        optimizer = maker()
        optimizer.build([table, w])

        @tf.function(jit_compile=jit)
        def step(part, indices, dense):
            gradient = tf.IndexedSlices(part, indices)
            optimizer.apply_gradients([(gradient, table), (dense, w)])

        for seed, indices in enumerate(INDICES):
            part, dense = array(4, 2, seed=seed), array(4, seed=seed)
            step(tf.constant(part), tf.constant(indices), tf.constant(dense))
        results.append(values([table, w]) + optimizer.get_weights())
    close(*results)


@pytest.mark.skipif(VERSION < (2, 10), reason="TF 1.15 has no jit_compile")
def test_xla_with_a_constraint():
    table = tf.Variable(np.ones((3, 1), "float32"), constraint=keras.constraints.NonNeg())
    optimizer = SGD(1.0, clipnorm=10.0)
    optimizer.build([table])

    @tf.function(jit_compile=True)
    def step(indices):
        optimizer.apply_gradients([(tf.IndexedSlices(tf.fill([3, 1], 0.75), indices), table)])

    step(tf.constant([1, 1, 2]))
    assert table.numpy().tolist() == [[1.0], [0.0], [0.25]]


# -- one optimizer, several places


def test_one_model_after_the_other():
    optimizer = Adam(0.1)
    first, second = [tf.Variable(array(3))], [tf.Variable(array(2, 2))]
    steps(optimizer, first, 2)
    steps(optimizer, second, 2)
    steps(optimizer, first + second, 1)
    assert len(optimizer.weights) == 1 + 2 * 2 and optimizer.iterations.numpy() == 5


def test_two_optimizers_of_one_name():
    w = tf.Variable(array(3))
    one, two = Adam(0.1), Adam(0.1)
    steps(one, [w], 2)
    steps(two, [w], 2)
    assert one.get_slot(w, "m") is not two.get_slot(w, "m")


def test_a_step_that_waits_for_its_gradient_keeps_what_others_did_meanwhile():
    """Asynchronous workers: none works with a variable or a slot from before its gradient."""
    waits, goes_on = threading.Event(), threading.Event()
    w, table = tf.Variable(array(2)), tf.Variable(array(5, 2))
    optimizer = SGD(0.5, momentum=0.0)
    optimizer.build([w, table])

    def slow_gradient():
        waits.set()
        assert goes_on.wait(60)
        return np.float32(1)

    @tf.function
    def slow_step():
        one = tf.numpy_function(slow_gradient, [], tf.float32)
        one.set_shape([])
        sparse = tf.IndexedSlices(one * tf.ones([2, 2]), tf.constant([1, 3]), tf.constant([5, 2]))
        optimizer.apply_gradients([(one * tf.ones([2]), w), (sparse, table)])

    other = threading.Thread(target=slow_step)
    other.start()
    assert waits.wait(60)
    for _ in range(5):
        optimizer.apply_gradients([(tf.ones([2]), w), (tf.ones([5, 2]), table)])
    goes_on.set()
    other.join()
    assert optimizer.iterations.numpy() == 6
    moved = np.full((5, 2), 2.5)
    moved[[1, 3]] = 3.0
    np.testing.assert_allclose(w.numpy(), array(2) - 3.0, rtol=1e-6)
    np.testing.assert_allclose(table.numpy(), array(5, 2) - moved, rtol=1e-5)
