"""Steps that evaluate the loss more than once: minimize, fit, and what refuses to take them."""

import sys

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    TF1,
    array,
    assert_same,
    composed,
    composed_numpy,
    generated,
    graph_session,
    initialize,
    keras,
    scaled,
    tf,
    values,
)
from tests.support import load_generated

pytestmark = pytest.mark.tf

Heun, SlowHeun = generated("heun", "Heun"), composed("SlowHeun")
IN_NUMPY = {Heun: load_generated("numpy", "heun").Heun, SlowHeun: composed_numpy("SlowHeun")}
in_fit = pytest.mark.skipif(TF1, reason="fit of TF 1.15 takes one gradient: test_attach_refuses")


def variables():
    return [tf.Variable(array(4)), tf.Variable(array(5, 2, seed=1))]


def quartic(w, table):
    """A loss with a dense and a sparse gradient; rows 2, 0, 2."""
    part = tf.gather(table, tf.constant([2, 0, 2]))
    return tf.reduce_sum((w - 0.5) ** 4) + tf.reduce_sum((part + 0.25) ** 4)


def by_numpy(cls, count, **arguments):
    """The variables after some steps of the NumPy class on the gradients of `quartic`."""
    numpy = IN_NUMPY[cls]
    sparse = sys.modules[numpy.__module__].SparseGrad
    params = [w.numpy() for w in variables()]
    optimizer = numpy(**arguments)

    def closure(params):
        w, table = params
        rows = 4 * (table[[2, 0, 2]] + np.float32(0.25)) ** 3
        return [4 * (w - np.float32(0.5)) ** 3, sparse([2, 0, 2], rows, (5, 2))]

    for _ in range(count):
        optimizer.step(params, closure)
    return params


def close(left, right, tolerance=1e-5):
    assert len(left) == len(right)
    for a, b in zip(left, right):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("in_function", [False, True])
@pytest.mark.parametrize("cls", [Heun, SlowHeun])
def test_minimize(cls, in_function):
    pair, optimizer = variables(), cls(learning_rate=0.01)

    def step():
        optimizer.minimize(lambda: quartic(*pair), pair)

    step = tf.function(step) if in_function else step
    for _ in range(3):
        step()
    close(values(pair), by_numpy(cls, 3, lr=0.01))
    assert int(optimizer.iterations.numpy()) == 3


def test_session():
    """Whatever order the session takes, 50 times."""
    with graph_session() as session:
        pair, optimizer = variables(), SlowHeun(learning_rate=0.01)
        update = optimizer.minimize(lambda: quartic(*pair), pair)
        initialize(session)
        for _ in range(50):
            session.run(update)
        found = session.run(pair)
    close(found, by_numpy(SlowHeun, 50, lr=0.01), 1e-4)


def test_clipping_goes_stage_by_stage():
    w, optimizer = tf.Variable([1.0, 1.0]), Heun(learning_rate=1.0, clipvalue=0.25)
    seen = []

    def loss():
        seen.append(w.numpy().tolist())
        return tf.reduce_sum(w * [4.0, 0.125])

    optimizer.minimize(loss, [w])
    assert seen == [[1.0, 1.0], [0.75, 0.875]]
    assert w.numpy().tolist() == [0.75, 0.875]


def test_a_constraint_holds_at_the_end_only():
    w = tf.Variable([1.0], constraint=keras.constraints.NonNeg())
    seen = []

    def loss():
        seen.append(float(w.numpy()[0]))
        return tf.reduce_sum(4.0 * w)

    Heun(learning_rate=1.0).minimize(loss, [w])
    assert seen == [1.0, -3.0] and w.numpy().tolist() == [0.0]


@pytest.mark.parametrize("fails_in", [1, 2])
def test_a_loss_that_raises_changes_nothing(fails_in):
    pair, optimizer = variables(), SlowHeun(learning_rate=0.1)
    optimizer.build(pair)
    before, calls = values(pair) + optimizer.get_weights(), []

    def loss():
        calls.append(0)
        if len(calls) == fails_in:
            raise KeyError("no batch")
        return quartic(*pair)

    with pytest.raises(KeyError):
        optimizer.minimize(loss, pair)
    assert_same(values(pair) + optimizer.get_weights(), before)


def test_gradients_that_are_missing():
    """In the first stage the variable takes no part, in a later one its gradient is 0."""
    w, other, calls = tf.Variable(2.0), tf.Variable(3.0), []

    def loss():
        calls.append(0)
        return 1.0 * w if len(calls) == 1 else 1.0 * other

    Heun(learning_rate=1.0).minimize(loss, [w, other])
    assert (w.numpy(), other.numpy()) == (1.5, 3.0)


def test_one_gradient_is_refused():
    w, optimizer = tf.Variable(2.0), Heun()
    with pytest.raises(RuntimeError, match="attach"):
        optimizer.apply_gradients([(tf.constant(1.0), w)])
    with pytest.raises(RuntimeError, match="Loss scaling is not supported"):
        scaled(Heun()).minimize(lambda: w * w, [w])
    with pytest.raises(RuntimeError, match="attach"):
        optimizer.minimize(tf.constant(1.0), [w])
    assert w.numpy() == 2.0


def network():
    """With BatchNormalization, a metric, and a regularizer."""
    return keras.Sequential(
        [
            keras.layers.Dense(3, input_shape=(4,), kernel_regularizer=keras.regularizers.l2(0.1)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(1),
        ]
    )


def started(model):
    """The same weights for every model of one form; variances are positive."""
    model.set_weights([np.abs(array(*w.shape, seed=i)) for i, w in enumerate(model.get_weights())])
    return model


def test_fit_of_a_model_that_is_not_attached():
    model = network()
    model.compile(Heun(), "mse")
    with pytest.raises(RuntimeError, match="attach"):
        model.fit(array(8, 4), array(8, 1), verbose=0)


def test_attach_refuses():
    model = network()
    model.compile("sgd", "mse")
    if TF1:
        with pytest.raises(NotImplementedError, match="minimize"):
            Heun().attach(model)
        return
    with pytest.raises(ValueError, match="compiled with this Heun"):
        Heun().attach(model)
    optimizer = Heun()
    model.compile(scaled(optimizer), "mse")
    with pytest.raises(ValueError, match="without loss scaling"):
        optimizer.attach(model)


# What is between the start and a weight after two steps of Heun: four gradients, each through three
# layers and back with at most eight roundings in a row (sums of up to four terms, and what a layer
# does with them), and two updates of eight operations. Each rounding is at most 2^-24 of a number
# of the order of the weights.
BOUND = (4 * 6 * 8 + 2 * 8) * 2.0**-24
X, Y, WEIGHTS = array(8, 4), array(8, 1, seed=1), np.abs(array(8, seed=2))


def evaluated(model, x, y, sample_weight):
    """The loss of a batch in training, which also moves the statistics."""
    loss = tf.reduce_mean(sample_weight * tf.square(model(x, training=True) - y)[:, 0])
    return loss + tf.add_n(model.losses)


def by_numpys_heun():
    """Weights after two batches, taken by the NumPy class; statistics move once a step."""
    model = started(network())
    optimizer = IN_NUMPY[Heun](lr=0.1)
    still = model.non_trainable_variables
    for i in (0, 4):
        x, y, weight = X[i : i + 4], Y[i : i + 4], WEIGHTS[i : i + 4]
        params, after = [w.numpy() for w in model.trainable_variables], []

        def closure(params, x=x, y=y, weight=weight, after=after):
            for w, value in zip(model.trainable_variables, params):
                w.assign(value)
            with tf.GradientTape() as tape:
                loss = evaluated(model, x, y, weight)
            after.append(values(still))
            return [g.numpy() for g in tape.gradient(loss, model.trainable_variables)]

        optimizer.step(params, closure)
        for w, value in zip(model.trainable_variables + still, params + after[0]):
            w.assign(value)
    return model.get_weights()


@in_fit
@pytest.mark.parametrize("eagerly", [False, True])
def test_fit(eagerly):
    """Heun in `fit` against NumPy's on the same gradients, sample weights and a regularizer."""
    model, optimizer = started(network()), Heun(learning_rate=0.1)
    model.compile(optimizer, "mse", metrics=["mae"], weighted_metrics=["mae"], run_eagerly=eagerly)
    optimizer.attach(model)
    dataset = tf.data.Dataset.from_tensor_slices((X, Y, WEIGHTS)).batch(4)
    history = model.fit(dataset, verbose=0).history
    close(model.get_weights(), by_numpys_heun(), BOUND)
    assert int(optimizer.iterations.numpy()) == 2
    assert len(history) == 3


@in_fit
@pytest.mark.parametrize("eagerly", [False, True])
def test_metrics_are_those_of_one_evaluation(eagerly):
    """The first step of Heun and of SGD start from the same weights: they report the same."""
    reports = []
    for optimizer in (Heun(learning_rate=0.5), keras.optimizers.legacy.SGD(0.5)):
        model = started(network())
        model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=eagerly)
        if isinstance(optimizer, Heun):
            optimizer.attach(model)
        history = model.fit(X, Y, batch_size=8, class_weight=None, verbose=0).history
        reports.append([history["loss"][0], history["mae"][0], *model.layers[1].get_weights()[2:]])
    close(*reports)


@in_fit
@pytest.mark.parametrize("eagerly", [False, True])
def test_fit_of_a_model_that_is_built_by_its_first_batch(eagerly):
    weights = []
    for shape in ({}, {"input_shape": (4,)}):
        layers = [keras.layers.Dense(3, kernel_initializer="ones", **shape), keras.layers.Dense(1)]
        layers[1].kernel_initializer = keras.initializers.Constant(0.5)
        model = keras.Sequential([*layers[:1], keras.layers.BatchNormalization(), *layers[1:]])
        model.compile(Heun(0.1), "mse", run_eagerly=eagerly)
        model.optimizer.attach(model)
        model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert_same(*weights)


@in_fit
def test_fit_with_several_outputs_and_class_weights():
    found = []
    for optimizer in (Heun(learning_rate=0.0), keras.optimizers.legacy.SGD(0.0)):
        entry = keras.Input((4,))
        outputs = [keras.layers.Dense(1)(entry), keras.layers.Dense(1)(entry)]
        model = started(keras.Model(entry, outputs))
        model.compile(optimizer, ["mse", "mae"], loss_weights=[1.0, 2.0])
        if isinstance(optimizer, Heun):
            optimizer.attach(model)
        history = model.fit(X, [Y, Y], batch_size=4, verbose=0).history
        found.append([history[name][0] for name in sorted(history)])
        single = started(network())
        single.compile(optimizer.from_config(optimizer.get_config()), "binary_crossentropy")
        if isinstance(optimizer, Heun):
            single.optimizer.attach(single)
        labels = (Y > 0).astype("float32")
        history = single.fit(X, labels, batch_size=4, class_weight={0: 1.0, 1: 5.0}, verbose=0)
        found[-1].append(history.history["loss"][0])
    close(*found)


@in_fit
def test_a_model_that_is_compiled_again_is_its_own():
    model, plain = started(network()), started(network())
    model.compile(Heun(), "mse")
    model.optimizer.attach(model)
    for m in (model, plain):
        m.compile(keras.optimizers.legacy.SGD(0.1), "mse")
        m.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
    close(model.get_weights(), plain.get_weights())
