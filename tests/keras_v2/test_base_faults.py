"""The faults of Keras' base class that the generated classes repair, version by version."""

import copy
import pickle

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
Momentum = lambda **kw: SGD(0.5, momentum=0.5, **kw)


def non_negative():
    return keras.constraints.NonNeg()


# -- an embedding gradient together with a constraint: all versions


def constrained(cls):
    w = tf.Variable([[1.0, 1.0], [1.0, 1.0], [-3.0, 2.0]], constraint=non_negative())
    cls(1.0).apply_gradients([(rows([[2.0, 0.5], [0.0, 0.0]], [0, 1]), w)])
    return w.numpy()


def test_builtin_refuses_sparse_gradient_of_constrained_variable():
    with pytest.raises(RuntimeError, match="[Cc]annot use a constraint function on a sparse"):
        constrained(builtin.SGD)


def test_sparse_gradient_of_constrained_variable():
    # the constraint holds for the whole variable, also for the row without a gradient
    assert constrained(SGD).tolist() == [[0.0, 0.5], [1.0, 1.0], [0.0, 2.0]]


def test_constraint_does_not_change_the_sparse_policy():
    w = tf.Variable(np.ones((3, 2), "float32"), constraint=non_negative())
    optimizer = Momentum()
    for gradient in (rows([[1.0, 1.0]], [0]), rows([[1.0, 1.0]], [1])):
        optimizer.apply_gradients([(gradient, w)])
    # lazy: row 0 keeps its momentum and waits
    assert w.numpy().tolist() == [[0.5, 0.5], [0.5, 0.5], [1.0, 1.0]]


def test_constraint_with_duplicate_rows():
    w = tf.Variable(np.ones((2, 1), "float32"), constraint=non_negative())
    SGD(1.0).apply_gradients([(rows([[0.25], [0.25]], [1, 1]), w)])
    assert w.numpy().tolist() == [[1.0], [0.5]]


def test_constraint_in_a_session():
    with graph_session() as session:
        w = tf.Variable([[1.0], [1.0]], constraint=non_negative())
        update = SGD(1.0).apply_gradients([(rows([[2.0]], [0]), w)])
        initialize(session)
        session.run(update)
        assert session.run(w).tolist() == [[0.0], [1.0]]


def test_embedding_layer_with_constraint_in_fit():
    model = keras.Sequential(
        [
            keras.layers.Embedding(5, 2, embeddings_constraint=non_negative(), input_length=1),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(SGD(10.0), "mse")
    model.fit(np.array([[1], [2]]), np.array([[3.0], [-4.0]]), epochs=2, verbose=0)
    assert (model.layers[0].get_weights()[0] >= 0).all()


# -- clipnorm and clipvalue are ignored in eager fit: TF 1.15


def fitted(optimizer):
    model = keras.Sequential([keras.layers.Dense(1, use_bias=False, input_shape=(1,))])
    model.compile(optimizer, "mse", **({"run_eagerly": True} if VERSION >= (1, 15) else {}))
    model.layers[0].set_weights([np.array([[0.0]], "float32")])
    model.fit(np.array([[1.0]]), np.array([[100.0]]), epochs=1, verbose=0)
    return abs(model.layers[0].get_weights()[0][0, 0])


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue"])
def test_builtin_clips_in_eager_fit_only_in_later_versions(clip):
    assert fitted(builtin.SGD(1.0, **{clip: 0.5})) == (200.0 if TF1 else 0.5)


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_clips_in_eager_fit(clip):
    assert fitted(SGD(1.0, **{clip: 0.5})) == 0.5


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_clips_once_in_get_updates(clip):  # what fit calls in graph mode
    with graph_session() as session:
        w = tf.Variable([3.0, 4.0])
        update = SGD(1.0, **{clip: 1.0}).get_updates(tf.reduce_sum(w * [3.0, 4.0]), [w])
        initialize(session)
        session.run(update)
        moved = [3.0, 4.0] - session.run(w)
    np.testing.assert_allclose(moved, [1.0, 1.0] if clip == "clipvalue" else [0.6, 0.8], rtol=1e-6)


# -- global_clipnorm is refused: TF 1.15


def test_builtin_has_global_clipnorm_in_later_versions():
    if TF1:
        with pytest.raises(TypeError):
            builtin.SGD(global_clipnorm=1.0)
    else:
        assert builtin.SGD(global_clipnorm=1.0).global_clipnorm == 1.0


def test_global_clipnorm():
    variables = [tf.Variable([0.0]), tf.Variable([[0.0]])]
    optimizer = SGD(1.0, global_clipnorm=1.0)
    optimizer.apply_gradients(
        [(tf.constant([3.0]), variables[0]), (rows([[4.0]], [0]), variables[1])]
    )
    np.testing.assert_allclose(variables[0].numpy(), [-0.6], rtol=1e-6)
    np.testing.assert_allclose(variables[1].numpy(), [[-0.8]], rtol=1e-6)
    assert optimizer.get_config()["global_clipnorm"] == 1.0


def test_clipnorm_and_global_clipnorm_together_are_an_error():
    with pytest.raises(ValueError, match="both"):
        SGD(clipnorm=1.0, global_clipnorm=1.0)


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_negative_clip_is_an_error_and_none_is_off(clip):
    with pytest.raises(ValueError, match=">= 0"):
        SGD(**{clip: -1.0})
    w = tf.Variable([0.0])
    SGD(1.0, **{clip: None}).apply_gradients([(tf.constant([7.0]), w)])
    assert w.numpy().tolist() == [-7.0]


# -- clipnorm with duplicate indices: all versions


def clipped_step(optimizer):
    w = tf.Variable([[0.0, 0.0], [0.0, 0.0]])
    optimizer.apply_gradients([(rows([[1.0, 0.0], [1.0, 0.0]], [1, 1]), w)])
    return np.linalg.norm(w.numpy())


def test_builtin_takes_the_norm_before_duplicates_are_summed():
    if not TF1:  # in 1.15 apply_gradients does not clip at all
        assert abs(clipped_step(builtin.SGD(1.0, clipnorm=1.0)) - np.sqrt(2)) < 1e-6


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_duplicates_are_summed_before_clipping(clip):
    assert abs(clipped_step(SGD(1.0, **{clip: 1.0})) - 1) < 1e-6


def test_half_precision_is_clipped_by_its_true_norm():
    w = tf.Variable(np.zeros(2, "float16"))
    SGD(1.0, clipnorm=1.0).apply_gradients([(tf.constant([3e4, 4e4], tf.float16), w)])
    np.testing.assert_allclose(w.numpy(), [-0.6, -0.8], rtol=1e-3)  # 4e4 squared is inf in float16


# -- a None gradient with clipnorm: TF 1.15 crashes


def unconnected(optimizer):
    used, unused = tf.Variable([1.0]), tf.Variable([1.0])
    optimizer.minimize(lambda: tf.reduce_sum(3.0 * used), [used, unused])
    return used.numpy().tolist(), unused.numpy().tolist()


def test_builtin_crashes_on_none_with_clipnorm_in_tf1():
    if TF1:
        with pytest.raises(ValueError):
            unconnected(builtin.SGD(1.0, clipnorm=1.0))
    else:
        assert unconnected(builtin.SGD(1.0, clipnorm=1.0)) == ([0.0], [1.0])


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_none_gradient_with_clipping(clip):
    assert unconnected(SGD(1.0, **{clip: 1.0})) == ([0.0], [1.0])


def test_only_none_gradients_are_an_error():
    with pytest.raises(ValueError, match="No gradients provided"):
        SGD(clipnorm=1.0).apply_gradients([(None, tf.Variable([1.0]))])


# -- set_weights before the first step: all versions


def trained(make):
    w = [tf.Variable(array(3, 2)), tf.Variable(array(4))]
    optimizer = make()
    steps(optimizer, w)
    return optimizer, w


def test_builtin_cannot_set_weights_before_the_first_step():
    weights = trained(builtin.Adam)[0].get_weights()
    with pytest.raises(ValueError):
        builtin.Adam().set_weights(weights)


@pytest.mark.parametrize("make", [Adam, Momentum, Nadam])
def test_set_weights_before_the_first_step(make):
    optimizer, w = trained(make)
    twin, copies = make(), [tf.Variable(x) for x in values(w)]
    twin.set_weights(optimizer.get_weights())
    assert_same(twin.get_weights(), optimizer.get_weights())
    steps(optimizer, w, seed=5)
    steps(twin, copies, seed=5)
    assert_same(values(w), values(copies))
    assert_same(twin.get_weights(), optimizer.get_weights())


def test_weights_that_do_not_fit_are_an_error():
    optimizer, _ = trained(Adam)
    twin = Adam()
    twin.set_weights(optimizer.get_weights())
    with pytest.raises(ValueError, match=r"\(3, 2\).*'m'"):
        steps(twin, [tf.Variable(array(2, 3))])


def test_set_weights_in_fit():
    def model():
        made = keras.Sequential([keras.layers.Dense(2, input_shape=(3,))])
        made.compile(Adam(0.1), "mse")
        return made

    x, y = array(8, 3), array(8, 2, seed=1)
    one, two = model(), model()
    one.fit(x, y, epochs=2, verbose=0, shuffle=False)
    two.set_weights(one.get_weights())
    two.optimizer.set_weights(one.optimizer.get_weights())
    for each in (one, two):
        each.fit(x, y, epochs=2, verbose=0, shuffle=False)
    assert_same(one.get_weights(), two.get_weights())


def test_nothing_moves_in_the_step_that_finds_no_data():
    """`fit` learns that the data has ended from a step that fails: it must not have moved p."""
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    optimizer = generated("nadam", "Nadam")(0.01)
    model.compile(optimizer, "mse")
    ones = np.ones((2, 1), np.float32)
    data = tf.data.Dataset.from_generator(
        lambda: iter([(ones, ones)] * 3), (tf.float32, tf.float32), ((2, 1), (2, 1))
    )
    model.fit(data, epochs=3, verbose=0)
    done = np.arange(1, 10)
    expected = np.prod(0.9 * (1 - 0.5 * 0.96 ** (0.004 * done)))
    assert optimizer.iterations.numpy() == 9
    np.testing.assert_allclose(optimizer.get_weights()[1], expected, rtol=1e-12)


# -- pickle: 2.10 and later


def test_builtin_pickles_in_old_versions_only():
    if VERSION >= (2, 10):
        with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
            pickle.dumps(builtin.Adam())
    else:
        pickle.loads(pickle.dumps(builtin.Adam()))


@pytest.mark.parametrize("make", [Adam, Momentum, Nadam])
@pytest.mark.parametrize("twin_of", [lambda o: pickle.loads(pickle.dumps(o)), copy.deepcopy])
def test_copies_go_on_bit_for_bit(make, twin_of):
    optimizer, w = trained(lambda: make(clipnorm=3.0))
    twin = twin_of(optimizer)
    start = values(w)
    steps(optimizer, w, seed=5)
    expected = values(w)
    for variable, value in zip(w, start):
        variable.assign(value)
    steps(twin, w, seed=5)
    assert_same(values(w), expected)
    assert_same(twin.get_weights(), optimizer.get_weights())
    assert twin.get_config() == optimizer.get_config()


def test_pickle_and_deepcopy_of_an_unused_optimizer_with_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    for twin in (pickle.loads(pickle.dumps(Adam(schedule))), copy.deepcopy(Adam(schedule))):
        assert twin.get_config() == Adam(schedule).get_config()
        steps(twin, [tf.Variable([1.0])])


# -- get_slot_names before the first step: all versions


def test_slot_names_before_the_first_step():
    assert builtin.Adam().get_slot_names() == []
    assert Adam().get_slot_names() == ["m", "v"]
    assert Adam(amsgrad=True).get_slot_names() == ["m", "v", "vhat"]
    assert SGD().get_slot_names() == []
    assert Momentum().get_slot_names() == ["momentum"]
