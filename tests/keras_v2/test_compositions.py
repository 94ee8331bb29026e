"""Rules that do something in some steps only, rules with clocks, and totals over all variables."""

import sys

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    array,
    assert_same,
    composed,
    composed_numpy,
    generated,
    graph_session,
    initialize,
    keras,
    rows,
    scaled,
    steps,
    tf,
    values,
)

pytestmark = pytest.mark.tf

Adam = generated("adam", "Adam")
AccumulatedAdam = generated("accumulated_adam", "AccumulatedAdam")
SlowSteps = composed("SlowSteps")
ClippedMomentum = composed("ClippedMomentum")
MAKERS = [
    pytest.param(lambda: AccumulatedAdam(0.1, steps_per_update=3), id="AccumulatedAdam"),
    pytest.param(lambda: SlowSteps(learning_rate=0.1), id="SlowSteps"),
    pytest.param(lambda: ClippedMomentum(learning_rate=0.1), id="ClippedMomentum"),
]


def variables(dtype="float32"):
    return [tf.Variable(array(4).astype(dtype)), tf.Variable(array(5, 2).astype(dtype))]


def gradients(w, table, seed):
    dense = tf.constant(array(4, seed=seed), w.dtype)
    values = tf.constant(array(3, 2, seed=seed), table.dtype)
    return [(dense, w), (tf.IndexedSlices(values, tf.constant([2, 0, 2])), table)]


def eagerly(maker, count, dtype="float32"):
    pair, optimizer = variables(dtype), maker()
    for seed in range(count):
        optimizer.apply_gradients(gradients(*pair, seed=seed))
    return values(pair) + optimizer.get_weights()


def close(left, right, tolerance=1e-5):
    assert len(left) == len(right)
    for a, b in zip(left, right):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


# -- conditions of the step


def test_slots_are_untouched_in_steps_between():
    """Of a slot that is 0 where nothing moves it, the value is no proof: a NaN would spread."""
    w, optimizer = tf.Variable(array(3)), AccumulatedAdam(0.1, steps_per_update=3)
    optimizer.build([w])
    m, v = optimizer.get_slot(w, "m"), optimizer.get_slot(w, "v")
    m.assign([np.nan] * 3)
    before = w.numpy()
    for _ in range(2):
        optimizer.apply_gradients([(tf.ones(3), w)])
    assert_same([w.numpy(), v.numpy()], [before, np.zeros(3)])
    m.assign(np.zeros(3))
    optimizer.apply_gradients([(tf.ones(3), w)])
    assert (w.numpy() != before).all() and (m.numpy() != 0).all()


@pytest.mark.parametrize("sparse", [False, True])
def test_what_does_not_change_is_not_written(sparse):
    """In a graph every assignment is in one side of a conditional."""
    w, optimizer = tf.Variable(array(3, 2)), AccumulatedAdam(0.1, steps_per_update=8)
    optimizer.build([w])

    def step(gradient):
        gradient = tf.IndexedSlices(gradient, tf.constant([0, 1, 2])) if sparse else gradient
        optimizer.apply_gradients([(gradient, w)])

    function = tf.function(step).get_concrete_function(tf.TensorSpec([3, 2], tf.float32))
    kinds = [node.op for node in function.graph.as_graph_def().node]
    assert sum("If" in kind for kind in kinds) == 1
    writes = [k for k in kinds if k.startswith(("AssignVariable", "ResourceScatter"))]
    assert len(writes) == 2  # the counters, which move in every step


def data(count):
    random = np.random.RandomState(3)
    return random.standard_normal((count, 5)), random.standard_normal((count, 1))


def trained(optimizer, size):
    """A small network in float64 after 4 passes over 64 examples, in batches of this size."""
    weights = [tf.Variable(array(5, 4) * 0.5), tf.Variable(array(4, 1, seed=1) * 0.5)]
    weights = [tf.Variable(tf.cast(w, tf.float64)) for w in weights]
    x, y = data(64)
    for _ in range(4):
        for i in range(0, 64, size):

            def loss(x=x[i : i + size], y=y[i : i + size]):
                hidden = tf.tanh(tf.matmul(tf.constant(x), weights[0]))
                return tf.reduce_mean(tf.square(tf.matmul(hidden, weights[1]) - y))

            optimizer.minimize(loss, weights)
    return values(weights)


def test_accumulating_is_as_large_batches():
    small = trained(AccumulatedAdam(0.05, epsilon=1e-3, steps_per_update=8), 8)
    close(small, trained(Adam(0.05, epsilon=1e-3), 64), 1e-13)


def test_a_schedule_sees_the_steps_of_its_part():
    def make(cls, **arguments):
        steps = keras.optimizers.schedules.PiecewiseConstantDecay
        return cls(steps([0, 1, 2], [0.1, 0.2, 0.05, 1.0]), epsilon=1e-3, **arguments)

    small = trained(make(AccumulatedAdam, steps_per_update=8), 8)
    close(small, trained(make(Adam), 64), 1e-13)


def test_decay_goes_by_the_steps_of_its_part():
    small = trained(AccumulatedAdam(0.05, decay=0.5, epsilon=1e-3, steps_per_update=8), 8)
    close(small, trained(Adam(0.05, decay=0.5, epsilon=1e-3), 64), 1e-13)


@pytest.mark.parametrize("maker", MAKERS)
def test_function(maker):
    pair, optimizer = variables(), maker()

    @tf.function
    def step(dense, part):
        sparse = tf.IndexedSlices(part, tf.constant([2, 0, 2]))
        optimizer.apply_gradients([(dense, pair[0]), (sparse, pair[1])])

    for seed in range(7):
        step(tf.constant(array(4, seed=seed)), tf.constant(array(3, 2, seed=seed)))
    close(values(pair) + optimizer.get_weights(), eagerly(maker, 7))


@pytest.mark.parametrize("maker", MAKERS)
def test_session(maker):
    with graph_session() as session:
        pair, optimizer = variables(), maker()
        dense = tf.compat.v1.placeholder(tf.float32, [4])
        part = tf.compat.v1.placeholder(tf.float32, [None, 2])
        sparse = tf.IndexedSlices(part, tf.constant([2, 0, 2]))
        update = optimizer.apply_gradients([(dense, pair[0]), (sparse, pair[1])])
        initialize(session)
        for seed in range(7):
            session.run(update, {dense: array(4, seed=seed), part: array(3, 2, seed=seed)})
        found = session.run(pair + optimizer.weights)
    close(found, eagerly(maker, 7))


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("maker", MAKERS)
def test_fit(maker, run_eagerly):
    """As steps by hand with the same gradients."""
    x, y = (part.astype("float32") for part in data(32))
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(5,))])
    model.compile(maker(), "mse", run_eagerly=run_eagerly)
    model.set_weights([array(5, 1), array(1)])
    model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)

    w, optimizer = [tf.Variable(array(5, 1)), tf.Variable(array(1))], maker()
    for i in range(0, 32, 4):
        part, target = x[i : i + 4], y[i : i + 4]
        optimizer.minimize(
            lambda: tf.reduce_mean(tf.square(tf.matmul(part, w[0]) + w[1] - target)), w
        )
    close(model.get_weights(), values(w))


# -- saving


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("done", range(5))
@pytest.mark.parametrize("maker", MAKERS)
def test_saved_at_any_step_of_a_cycle(maker, done, dtype, tmp_path):
    w, optimizer = variables(dtype), maker()
    optimizer.build(w)
    steps(optimizer, w, done)
    path = tf.train.Checkpoint(optimizer=optimizer, a=w[0], b=w[1]).save(str(tmp_path / "c"))
    weights, arrays = optimizer.get_weights(), values(w)
    steps(optimizer, w, 5, seed=7)

    other, restored = variables(dtype), maker()
    tf.train.Checkpoint(optimizer=restored, a=other[0], b=other[1]).restore(path)
    steps(restored, other, 5, seed=7)
    assert_same(values(other) + restored.get_weights(), values(w) + optimizer.get_weights())

    given, third = [tf.Variable(a) for a in arrays], maker()
    third.set_weights(weights)
    steps(third, given, 5, seed=7)
    assert_same(values(given) + third.get_weights(), values(w) + optimizer.get_weights())


# -- loss scaling


@pytest.mark.parametrize("in_function", [False, True])
def test_a_step_that_loss_scaling_skips_does_not_count(in_function):
    optimizer, plain = scaled(AccumulatedAdam(0.1, steps_per_update=2)), Adam(0.1)
    plain._kernel_for = lambda *args: None  # which rounds in other places
    w, copy = tf.Variable(array(4)), tf.Variable(array(4))

    def step(factor):
        optimizer.minimize(lambda: tf.reduce_sum(factor * w), [w])

    step = tf.function(step) if in_function else step
    for factor in (1.0, float("inf"), 3.0, float("inf"), float("inf"), 2.0, 4.0):
        step(tf.constant(factor))
    for mean in (2.0, 3.0):
        plain.apply_gradients([(tf.fill([4], mean), copy)])
    np.testing.assert_allclose(w.numpy(), copy.numpy(), rtol=1e-6)


# -- totals


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_totals_are_those_of_numpy(dtype):
    found = eagerly(lambda: ClippedMomentum(learning_rate=0.1, max_norm=0.5), 5, dtype)[:2]
    numpy = composed_numpy("ClippedMomentum")
    params = {"w": array(4).astype(dtype), "table": array(5, 2).astype(dtype)}
    optimizer = numpy(c=0.5, lr=0.1)
    sparse = sys.modules[numpy.__module__].SparseGrad
    for seed in range(5):
        part = array(3, 2, seed=seed).astype(dtype)
        optimizer.update(
            params,
            {"w": array(4, seed=seed).astype(dtype), "table": sparse([2, 0, 2], part, (5, 2))},
        )
    close(found, [params["w"], params["table"]], 1e-6 if dtype == "float32" else 1e-14)


def test_totals_come_after_clipping():
    pair, optimizer = variables(), ClippedMomentum(learning_rate=1.0, max_norm=1e9, clipvalue=0.01)
    before = values(pair)
    optimizer.apply_gradients([(tf.ones_like(w), w) for w in pair])
    optimizer.apply_gradients([(tf.ones_like(w), w) for w in pair])
    close(values(pair), [w - 0.01 for w in before])


def test_a_variable_by_itself_is_refused():
    w, optimizer = tf.Variable(array(3, 2)), ClippedMomentum(learning_rate=0.1)
    optimizer.build([w])
    with pytest.raises(RuntimeError, match="all variables at once"):
        optimizer._resource_apply_dense(tf.ones([3, 2]), w)
    with pytest.raises(RuntimeError, match="all variables at once"):
        optimizer._resource_apply_sparse(tf.ones([1, 2]), w, tf.constant([0]))


def test_a_constraint_and_rows():
    table = tf.Variable(np.ones((3, 1), "float32"), constraint=keras.constraints.NonNeg())
    optimizer = ClippedMomentum(learning_rate=1.0, max_norm=1e9, steps_per_update=1)
    optimizer.apply_gradients([(rows([[5.0], [0.25]], [1, 2]), table)])
    assert table.numpy().tolist() == [[1.0], [0.0], [0.75]]
