"""State that is saved and restored in the middle of training goes on bit for bit."""

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
    steps,
    tf,
    values,
)

pytestmark = pytest.mark.tf

Adam, SGD, Nadam = generated("adam", "Adam"), generated("sgd", "SGD"), generated("nadam", "Nadam")
Ftrl, NovoGrad = generated("ftrl", "Ftrl"), generated("novograd", "NovoGrad")
Lion, Adagrad = generated("lion", "Lion"), generated("adagrad", "Adagrad")

MAKERS = [
    pytest.param(lambda: Adam(0.1, amsgrad=True), id="AMSGrad"),
    pytest.param(lambda: SGD(0.1, momentum=0.9), id="SGD"),
    pytest.param(lambda: Nadam(0.1), id="Nadam"),
    pytest.param(lambda: NovoGrad(0.1), id="NovoGrad"),
    pytest.param(lambda: Ftrl(0.1, beta=0.5), id="Ftrl"),
    pytest.param(
        lambda: Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)), id="schedule"
    ),
]


def variables(dtype="float32"):
    return [tf.Variable(array(3, 2).astype(dtype)), tf.Variable(array(4).astype(dtype))]


@pytest.fixture(params=["float16", "float32", "float64"])
def half_way(request):
    """Makes an optimizer after two steps, its variables, and what they are after two more."""

    def make(maker):
        w = variables(request.param)
        optimizer = maker()
        steps(optimizer, w, 2)
        return optimizer, w, lambda: (steps(optimizer, w, 2, seed=8), values(w))[1]

    return make


@pytest.mark.parametrize("maker", MAKERS)
def test_checkpoint_into_a_new_optimizer(maker, half_way, tmp_path):
    optimizer, w, go_on = half_way(maker)
    path = tf.train.Checkpoint(optimizer=optimizer, a=w[0], b=w[1]).save(str(tmp_path / "c"))
    expected = go_on()
    # the variables get the names of the old ones, so that only the restore makes the difference
    twin, fresh = maker(), [tf.Variable(tf.zeros_like(v)) for v in w]
    status = tf.train.Checkpoint(optimizer=twin, a=fresh[0], b=fresh[1]).restore(path)
    steps(twin, fresh, 2, seed=8)  # the state is created here and takes its saved values
    status.assert_consumed()
    assert_same(values(fresh), expected)


@pytest.mark.parametrize("maker", MAKERS)
def test_checkpoint_into_a_used_optimizer(maker, half_way, tmp_path):
    optimizer, w, go_on = half_way(maker)
    checkpoint = tf.train.Checkpoint(optimizer=optimizer, a=w[0], b=w[1])
    path = checkpoint.save(str(tmp_path / "c"))
    expected = go_on()
    checkpoint.restore(path).assert_consumed()
    assert_same(go_on(), expected)


def test_checkpoint_of_the_builtin(tmp_path):
    w = variables()
    theirs = builtin.Adam(0.125, 0.5)
    steps(theirs, w, 2)
    path = tf.train.Checkpoint(optimizer=theirs, a=w[0], b=w[1]).save(str(tmp_path / "c"))
    ours, fresh = Adam(0.1), variables()
    status = tf.train.Checkpoint(optimizer=ours, a=fresh[0], b=fresh[1]).restore(path)
    ours.build(fresh)
    status.assert_consumed()
    assert_same(ours.get_weights(), theirs.get_weights())
    # object checkpoints bring hyperparameters back as well, as Keras does for its own
    assert ours.get_config()["learning_rate"] == 0.125 and ours.get_config()["beta_1"] == 0.5


@pytest.mark.parametrize("maker", MAKERS)
def test_checkpoint_in_a_session(maker, tmp_path):
    def build():
        w = tf.Variable(array(3, 2), name="w")
        optimizer = maker()
        update = optimizer.apply_gradients([(tf.constant(array(3, 2, seed=4)), w)])
        return w, update, tf.train.Checkpoint(optimizer=optimizer, w=w)

    with graph_session() as session:
        w, update, checkpoint = build()
        initialize(session)
        session.run(update)
        with session.as_default():
            path = checkpoint.write(str(tmp_path / "c"))
        session.run(update)
        expected = session.run(w)
    with graph_session() as session:
        w, update, checkpoint = build()
        initialize(session)
        checkpoint.restore(path).run_restore_ops(session)
        session.run(update)
        assert_same([session.run(w)], [expected])


def model(optimizer, embedding=False):
    layers = [keras.layers.Dense(3, input_shape=(4,), activation="tanh"), keras.layers.Dense(1)]
    if embedding:
        layers = [keras.layers.Embedding(7, 2, input_length=4), keras.layers.Flatten()] + layers[1:]
    made = keras.Sequential(layers)
    made.compile(optimizer, "mse")
    return made


def fit(made):
    x = array(8, 4) if len(made.layers) == 2 else np.arange(32).reshape(8, 4) % 7
    made.fit(x, array(8, 1, seed=2), epochs=2, verbose=0, shuffle=False, batch_size=4)


@pytest.mark.parametrize("embedding", [False, True])
@pytest.mark.parametrize("maker", MAKERS[:4] + MAKERS[5:])
def test_h5(maker, embedding, tmp_path):
    made = model(maker(), embedding)
    fit(made)
    made.save(str(tmp_path / "m.h5"))
    own = {type(made.optimizer).__name__: type(made.optimizer)}
    loaded = keras.models.load_model(str(tmp_path / "m.h5"), custom_objects=own)
    builtin_name = TF1 and hasattr(builtin, type(made.optimizer).__name__)
    if builtin_name:  # 1.15 saves the bare name of the class, and looks among its own first
        assert type(loaded.optimizer) is getattr(builtin, type(made.optimizer).__name__)
        return
    assert type(loaded.optimizer) is type(made.optimizer)
    assert_same(loaded.optimizer.get_weights(), made.optimizer.get_weights())
    fit(made)
    fit(loaded)
    assert_same(loaded.get_weights(), made.get_weights())
    assert loaded.optimizer.get_config() == made.optimizer.get_config()


def test_h5_needs_no_custom_objects(tmp_path):
    made = model(Lion(0.1))
    fit(made)
    made.save(str(tmp_path / "m.h5"))
    assert type(keras.models.load_model(str(tmp_path / "m.h5")).optimizer) is Lion


@pytest.mark.parametrize("maker", MAKERS)
def test_keras_format(maker, tmp_path):
    """It keeps the class and its settings; the state of an OptimizerV2 is not saved, whose ever."""
    if VERSION < (2, 15):  # the format came later
        assert not hasattr(keras.Model, "save_own_variables")
        return
    for made in (model(maker()), model(builtin.Adam())):
        fit(made)
        made.save(str(tmp_path / "m.keras"))
        loaded = keras.models.load_model(str(tmp_path / "m.keras"))
        assert type(loaded.optimizer) is type(made.optimizer)
        assert loaded.optimizer.get_config() == made.optimizer.get_config()
        assert loaded.optimizer.get_weights() == []
    fit(made)


@pytest.mark.parametrize("maker", MAKERS)
def test_save_weights_as_a_checkpoint(maker, tmp_path):
    made = model(maker())
    fit(made)
    made.save_weights(str(tmp_path / "w"), save_format="tf")
    loaded = model(maker())
    loaded.load_weights(str(tmp_path / "w"))
    fit(made)
    fit(loaded)
    assert_same(loaded.get_weights(), made.get_weights())


@pytest.mark.parametrize("cls", [Adam, Lion, Nadam])
def test_serialize_and_deserialize(cls):
    optimizer = cls(0.25, clipnorm=2.0)
    config = keras.optimizers.serialize(optimizer)
    twin = keras.optimizers.deserialize(config)
    if TF1 and cls in (Adam, Nadam):  # 1.15 knows classes by their bare names, its own first
        assert type(twin) is getattr(builtin, cls.__name__)
    else:
        assert type(twin) is cls
        assert twin.get_config() == optimizer.get_config()


def test_saved_model_keeps_the_variables_and_not_the_state(tmp_path):
    """As for the built-in optimizers: what is loaded is for inference, or a fresh start."""
    made = model(Adam(0.1))
    fit(made)
    tf.saved_model.save(made, str(tmp_path / "s"))
    loaded = tf.saved_model.load(str(tmp_path / "s"))
    assert_same(values(loaded.variables)[: len(made.weights)], values(made.weights))


def test_slots_restored_ahead_of_the_first_step_are_not_initialized_again(tmp_path):
    w = tf.Variable(np.ones(3, "float32"))
    optimizer = Adagrad(0.5)
    steps(optimizer, [w], 2)
    path = tf.train.Checkpoint(optimizer=optimizer, w=w).save(str(tmp_path / "c"))
    twin, fresh = Adagrad(0.5), tf.Variable(np.zeros(3, "float32"))
    tf.train.Checkpoint(optimizer=twin, w=fresh).restore(path)
    twin.build([fresh])
    accumulator = twin.get_slot(fresh, "accumulator").numpy()
    assert_same([accumulator], [optimizer.get_slot(w, "accumulator").numpy()])
    assert (accumulator != np.float32(0.1)).all()
