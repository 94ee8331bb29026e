"""Generated TF1 schedules: tensors of the global step, as learning rates of optimizers."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.support import load_generated
from tests.tf1.harness import eager_mode, generated, graph_session, variable

pytestmark = pytest.mark.tf

Inverse = load_generated("tf1", "inverse_time_decay").InverseTimeDecay
Piecewise = load_generated("tf1", "piecewise_constant").PiecewiseConstant


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("dtype", [tf.int32, tf.int64, tf.float32])
def test_a_tensor_of_float64(resource, dtype):
    with graph_session() as session:
        step = tf.Variable(3, dtype=dtype, use_resource=resource)
        values = [Inverse(0.1, 1, 1)(s) for s in (step, tf.constant(3, dtype), 3, 3.0, np.int64(3))]
        session.run(tf.global_variables_initializer())
        assert all(v.dtype == tf.float64 for v in values)
        assert session.run(values) == [0.025] * 5


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("dtype", [tf.float32, tf.float64])
@pytest.mark.parametrize("make", [generated("gradient_descent"), tf.train.GradientDescentOptimizer])
def test_in_a_graph_with_a_global_step(make, resource, dtype):
    """1/(1 + t) of 0.5 in three steps; of tf.train's own optimizers too."""
    with graph_session() as session:
        w = variable([1.0], dtype, resource)
        step = tf.Variable(0, dtype=tf.int64, use_resource=resource, trainable=False)
        optimizer = make(Inverse(0.5, 1, 1)(step))
        train = optimizer.minimize(tf.reduce_sum(w), step, var_list=[w])
        session.run(tf.global_variables_initializer())
        for _ in range(3):
            session.run(train)
        rates = [0.5 / (1 + t) for t in range(3)]
        np.testing.assert_allclose(
            session.run(w), [1 - sum(rates)], rtol=1e-15 if dtype == tf.float64 else 1e-6
        )
        assert session.run(step) == 3


def test_eagerly():
    with eager_mode():
        w = variable([1.0], tf.float64)
        step = tf.Variable(0, dtype=tf.int64, use_resource=True)
        schedule = Piecewise([0], [0.5, 0.25])
        optimizer = generated("gradient_descent")(lambda: schedule(step))
        for _ in range(3):
            optimizer.apply_gradients([(tf.ones([1], tf.float64), w)], step)
        assert w.numpy() == [0.0]


def test_config_and_errors():
    config = Piecewise([1], [1, 2]).get_config()
    assert config == {"boundaries": [1.0], "values": [1.0, 2.0]}
    assert Piecewise.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="one number more"):
        Piecewise([1], [1])
    with pytest.raises(TypeError, match="must be a number"):
        Inverse(tf.constant(0.1))
