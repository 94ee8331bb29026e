"""The generated Keras schedules against Keras' own.

Those compute in the dtype of their first value, with other arguments that went through float32:
these are numbers that it holds. What is left in float64 are a few ulp. The cosines of TF 1.15 work
in float32 alone: four roundings of their arguments, up to 3 pi, are 1.1e-6.
"""

import inspect

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1, generated, keras, tf

pytestmark = pytest.mark.tf

LR = 0.3
DECAY = {"decay_steps": 7, "decay_rate": 0.625}
POLYNOMIAL = {"decay_steps": 20, "end_learning_rate": 2.0**-6}
WARMUP = {"warmup_steps": 10, "decay_steps": 30, "alpha": 0.25, "warmup_target": 0.5}

CASES = [
    ("exponential_decay", "ExponentialDecay", DECAY),
    ("exponential_decay", "ExponentialDecay", dict(DECAY, staircase=True)),
    ("inverse_time_decay", "InverseTimeDecay", DECAY),
    ("inverse_time_decay", "InverseTimeDecay", dict(DECAY, staircase=True)),
    ("polynomial_decay", "PolynomialDecay", dict(POLYNOMIAL, power=2.0)),
    ("polynomial_decay", "PolynomialDecay", dict(POLYNOMIAL, cycle=True)),
    ("cosine_decay", "CosineDecay", {"decay_steps": 30, "alpha": 0.25}),
    ("cosine_decay_warmup", "CosineDecay", WARMUP),
    ("cosine_decay_restarts", "CosineDecayRestarts", {"first_decay_steps": 7, "t_mul": 1.5}),
]


def theirs(name):
    """A class of Keras; TF 1.15 has the cosines in tf.keras.experimental."""
    home = keras.optimizers.schedules
    return getattr(home, name, None) or getattr(keras.experimental, name)


def warms_up():
    return "warmup_steps" in inspect.signature(theirs("CosineDecay").__init__).parameters


CASES = [c for c in CASES if c[0] != "cosine_decay_warmup" or warms_up()]


@pytest.mark.parametrize("module, name, arguments", CASES)
def test_agrees(module, name, arguments):
    ours = "CosineDecayWarmup" if module == "cosine_decay_warmup" else name
    schedule = generated(module, ours)(initial_learning_rate=LR, **arguments)
    in_float32 = TF1 and "Cosine" in name
    peer = theirs(name)(np.float32(LR) if in_float32 else np.float64(LR), **arguments)
    steps = [tf.constant(number, tf.float64) for number in range(60)]
    found = np.array([schedule(step).numpy() for step in steps])
    expected = np.array([peer(step).numpy() for step in steps])
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=(2e-6 if in_float32 else 4e-15) * LR)


def test_piecewise_constant():
    """A boundary belongs to the value before it."""
    boundaries, rates = [9, 29], [0.3, 0.03, 0.003]
    schedule = generated("piecewise_constant", "PiecewiseConstant")(boundaries, rates)
    peer = theirs("PiecewiseConstantDecay")(boundaries, rates)
    for number in range(60):
        step = tf.constant(number, tf.int64)
        assert schedule(step).numpy() == peer(step).numpy()


@pytest.mark.parametrize("module, name, arguments", CASES)
def test_dtype_of_an_integer_step(module, name, arguments):
    """As from Keras' own: float32."""
    ours = "CosineDecayWarmup" if module == "cosine_decay_warmup" else name
    schedule = generated(module, ours)(initial_learning_rate=LR, **arguments)
    peer = theirs(name)(LR, **arguments)
    for step in (3, tf.constant(3, tf.int64), tf.Variable(3, dtype=tf.int64), 3.0):
        assert schedule(step).dtype == peer(step).dtype == tf.float32
        np.testing.assert_allclose(schedule(step).numpy(), peer(step).numpy(), rtol=2e-6)


def test_restarts_at_their_steps():
    """The first value of a period, where Keras' own in float32 gives the last of the one before."""
    schedule = generated("cosine_decay_restarts", "CosineDecayRestarts")(1.0, 1000, t_mul=2.0)
    for number in range(1, 20):
        step = tf.constant(1000 * (2**number - 1), tf.int64)
        assert schedule(step).numpy() == 1.0
