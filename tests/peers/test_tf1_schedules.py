"""The generated TF1 schedules against those of tf.train, in float64 and in the same graph.

tf.train's compute in the dtype of the learning rate, with other arguments that went through
float32: these are numbers that it holds. What is left are a few ulp. Its cosines and cycles work in
float32 alone: four roundings of their arguments, up to 3 pi, are 1.1e-6.
"""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.support import load_generated
from tests.tf1.harness import graph_session

pytestmark = pytest.mark.tf

LR = 0.3
DECAY = {"decay_steps": 7, "decay_rate": 0.625}
#: It takes the exponential function of the rate, in whose dtype it does that.
NATURAL = dict(DECAY, decay_rate=np.float64(0.625))
POLYNOMIAL = {"decay_steps": 20, "end_learning_rate": 2.0**-6}
LINEAR = {"decay_steps": 30, "num_periods": 1.5, "alpha": 0.125, "beta": 2.0**-6}
RESTARTS = {"first_decay_steps": 7}

CASES = [
    ("exponential_decay", "ExponentialDecay", tf.train.exponential_decay, DECAY),
    (
        "exponential_decay",
        "ExponentialDecay",
        tf.train.exponential_decay,
        dict(DECAY, staircase=True),
    ),
    ("natural_exponential_decay", "NaturalExponentialDecay", tf.train.natural_exp_decay, NATURAL),
    (
        "natural_exponential_decay",
        "NaturalExponentialDecay",
        tf.train.natural_exp_decay,
        dict(NATURAL, staircase=True),
    ),
    ("inverse_time_decay", "InverseTimeDecay", tf.train.inverse_time_decay, DECAY),
    (
        "inverse_time_decay",
        "InverseTimeDecay",
        tf.train.inverse_time_decay,
        dict(DECAY, staircase=True),
    ),
    ("polynomial_decay", "PolynomialDecay", tf.train.polynomial_decay, POLYNOMIAL),
    ("polynomial_decay", "PolynomialDecay", tf.train.polynomial_decay, dict(POLYNOMIAL, power=0.5)),
    (
        "polynomial_decay",
        "PolynomialDecay",
        tf.train.polynomial_decay,
        dict(POLYNOMIAL, cycle=True),
    ),
    ("cosine_decay", "CosineDecay", tf.train.cosine_decay, {"decay_steps": 30, "alpha": 0.25}),
    ("linear_cosine_decay", "LinearCosineDecay", tf.train.linear_cosine_decay, LINEAR),
    (
        "cosine_decay_restarts",
        "CosineDecayRestarts",
        tf.train.cosine_decay_restarts,
        dict(RESTARTS, t_mul=2.0, m_mul=0.5, alpha=0.125),
    ),
    (
        "cosine_decay_restarts",
        "CosineDecayRestarts",
        tf.train.cosine_decay_restarts,
        dict(RESTARTS, t_mul=1.0, m_mul=0.75),
    ),
]


def values(make):
    """Of `make(global_step)`, two tensors, the values in 60 steps."""
    with graph_session() as session:
        step = tf.placeholder(tf.int64, [])
        tensors = make(step)
        return np.array([session.run(tensors, {step: number}) for number in range(60)]).T


@pytest.mark.parametrize("module, name, peer, arguments", CASES)
def test_agrees(module, name, peer, arguments):
    schedule = getattr(load_generated("tf1", module), name)(initial_learning_rate=LR, **arguments)

    in_float32 = "cosine" in module or "cycle" in arguments
    dtype = tf.float32 if in_float32 else tf.float64

    def make(step):
        theirs = peer(tf.constant(LR, dtype), step, **arguments)
        assert theirs.dtype == dtype
        return schedule(step), theirs

    found, expected = values(make)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=(2e-6 if in_float32 else 4e-15) * LR)


def test_piecewise_constant():
    """A boundary belongs to the value before it."""
    boundaries, rates = [9, 29], [0.3, 0.03, 0.003]
    module = load_generated("tf1", "piecewise_constant")
    schedule = module.PiecewiseConstant(boundaries, rates)

    def make(step):
        theirs = tf.train.piecewise_constant(step, boundaries, [np.float64(x) for x in rates])
        return schedule(step), theirs

    found, expected = values(make)
    np.testing.assert_array_equal(found, expected)
