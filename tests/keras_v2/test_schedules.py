"""Generated Keras schedules: in optimizers of both kinds, in `fit`, in configs and saved models."""

import copy
import json
import pickle

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1, builtin, generated, keras, tf

pytestmark = pytest.mark.tf

Inverse = generated("inverse_time_decay", "InverseTimeDecay")
Piecewise = generated("piecewise_constant", "PiecewiseConstant")
Restarts = generated("cosine_decay_restarts", "CosineDecayRestarts")
GradientDescent, SGD = generated("gradient_descent", "GradientDescent"), generated("sgd", "SGD")
MAKERS = [GradientDescent, SGD, builtin.SGD]
schedules = keras.optimizers.schedules


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", MAKERS)
def test_in_an_optimizer(make, dtype):
    w = tf.Variable(np.ones(1, dtype))
    optimizer = make(Inverse(0.5, 1, 1))
    for _ in range(3):
        optimizer.apply_gradients([(tf.ones([1], dtype), w)])
    exact = dtype == "float64"
    rates = [0.5 / (1 + t) for t in range(3)]
    np.testing.assert_allclose(w.numpy(), [1 - sum(rates)], rtol=1e-15 if exact else 1e-6)


def test_nothing_goes_through_float32_where_the_step_is_float64():
    step = tf.constant(7, tf.float64)
    assert Inverse(0.1, 3, 0.7)(step).numpy() == 0.1 / (1 + 0.7 * (7 / 3))
    assert Piecewise([1], [0.1, 0.2])(step).numpy() == 0.2


@pytest.mark.parametrize("step", [5, 5.0, np.int32(5), tf.constant(5), tf.constant(5.0)])
def test_float32_otherwise(step):
    value = Inverse(0.1, 3, 0.7)(step)
    assert value.dtype == tf.float32
    assert value.numpy() == np.float32(0.1 / (1 + 0.7 * (5 / 3)))


def test_a_step_beyond_float32():
    """2^24 + 1 is no number of float32."""
    step = 2**24 + 1
    assert Piecewise([2**24], [1, 2])(tf.constant(step, tf.int64)).numpy() == 2


def test_in_a_function():
    schedule = Restarts(0.5, 10)
    step = tf.Variable(0, dtype=tf.int64)
    compiled = tf.function(lambda: schedule(step))
    for number in (0, 3, 10, 29, 30, 31):
        step.assign(number)
        np.testing.assert_allclose(compiled().numpy(), schedule(number).numpy(), rtol=1e-6)


def test_config():
    schedule = Piecewise([1, 2], [0.5, 0.25, 0.125], name="rate")
    config = json.loads(json.dumps(schedule.get_config()))
    assert config == {"boundaries": [1.0, 2.0], "values": [0.5, 0.25, 0.125], "name": "rate"}
    serialized = json.loads(json.dumps(schedules.serialize(schedule)))
    for twin in (
        Piecewise.from_config(config),
        schedules.deserialize(serialized),
        copy.deepcopy(schedule),
        pickle.loads(pickle.dumps(schedule)),
    ):
        assert type(twin) is Piecewise
        assert twin.get_config() == config


@pytest.mark.parametrize("make", MAKERS)
def test_config_of_an_optimizer(make):
    config = json.loads(json.dumps(make(Inverse(0.5, 3, 0.7)).get_config()))
    twin = make.from_config(config)
    schedule = twin.learning_rate
    assert type(schedule) is Inverse
    assert schedule.get_config() == Inverse(0.5, 3, 0.7).get_config()


def trained(optimizer):
    """A model after four steps."""
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    model.compile(optimizer, "mse")
    train(model)
    return model


def train(model):
    x, y = np.ones((8, 2), "float32"), np.zeros((8, 1), "float32")
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("schedule", [Piecewise([5], [0.125, 0.25]), Inverse(0.125, 2, 1)])
def test_a_saved_model_trains_on(make, schedule, tmp_path):
    """In the HDF5 file of an `InverseTimeDecay` Keras after TF 2.10 finds its own of that name."""
    model = trained(make(schedule))
    path = str(tmp_path / "model.h5")
    model.save(path)
    twin = keras.models.load_model(path)
    found = twin.optimizer.learning_rate
    assert type(found) is type(schedule) or type(found) is schedules.InverseTimeDecay
    assert found.get_config()["name"] is None
    train(model)
    train(twin)
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("make", MAKERS)
def test_a_saved_model_in_a_folder(make, tmp_path):
    trained(make(Inverse(0.125, 2, 1))).save(str(tmp_path / "model"))
    twin = keras.models.load_model(str(tmp_path / "model"))
    assert type(twin.optimizer.learning_rate) is Inverse
    assert twin.optimizer.learning_rate.get_config() == Inverse(0.125, 2, 1).get_config()


def test_keras_own_schedules_stay_its_own():
    config = schedules.serialize(schedules.PiecewiseConstantDecay([1], [1.0, 2.0]))
    assert type(schedules.deserialize(config)) is schedules.PiecewiseConstantDecay
    if not TF1:  # it has one register for all names
        config = schedules.serialize(schedules.InverseTimeDecay(0.1, 1, 1.0))
        assert type(schedules.deserialize(config)) is schedules.InverseTimeDecay


def test_errors():
    with pytest.raises(ValueError, match="boundaries must rise"):
        Piecewise([2, 1], [1, 2, 3])
    with pytest.raises(TypeError, match="initial_learning_rate must be a number"):
        Inverse(tf.constant(0.1))
