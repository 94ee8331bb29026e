"""What the tests of the Keras V2 classes share. Runs in every TensorFlow environment."""

import contextlib
import importlib
import os
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v2 as tf

from tests.support import load_generated

tf.enable_v2_behavior()
tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
warnings.filterwarnings("ignore", message=".*`lr` argument is deprecated.*")

import tensorflow

#: (1, 15), (2, 10), … of the TensorFlow that runs the tests.
VERSION = tuple(int(part) for part in tensorflow.__version__.split(".")[:2])
TF1 = VERSION < (2, 0)

#: The Keras that has OptimizerV2, as the generated files find it.
keras = load_generated("keras_v2", "adam").keras
#: The module of the built-in optimizers that the generated ones stand in for.
builtin = getattr(keras.optimizers, "legacy", None) or keras.optimizers


def generated(module, name):
    """A generated class."""
    return getattr(load_generated("keras_v2", module), name)


def composed(name):
    """A class of composed/composed.opt."""
    return _composed("keras_v2", name)


def composed_numpy(name):
    """The same for NumPy."""
    return _composed("numpy", name)


def _composed(target, name):
    module = "".join("_" + c.lower() if c.isupper() else c for c in name).strip("_")
    found = importlib.import_module("tests.keras_v2.composed." + target + "." + module)
    return getattr(found, name)


def scaled(optimizer):
    """A LossScaleOptimizer around it, with the scale 16."""
    if TF1:
        scale = tf.compat.v1.train.experimental.DynamicLossScale(2.0**4, increment_period=100)
        return keras.mixed_precision.experimental.LossScaleOptimizer(optimizer, scale)
    return keras.mixed_precision.LossScaleOptimizer(optimizer, initial_scale=2.0**4)


def rows(values, indices, height=None):
    """A sparse gradient; without values all ones, two columns."""
    values = np.asarray(values, np.float32) if isinstance(values, list) else values
    shape = None if height is None else (height,) + np.shape(values)[1:]
    return tf.IndexedSlices(tf.constant(values), tf.constant(indices), shape)


def array(*shape, **options):
    """Reproducible noise."""
    random = np.random.RandomState(options.get("seed", 0))
    return random.standard_normal(shape).astype(options.get("dtype", "float32"))


def steps(optimizer, variables, count=3, seed=1):
    """That many steps with dense gradients of noise, the same for the same seed."""
    random = np.random.RandomState(seed)
    for _ in range(count):
        gradients = [random.standard_normal(v.shape.as_list()) for v in variables]
        optimizer.apply_gradients(
            [(tf.constant(g, v.dtype), v) for g, v in zip(gradients, variables)]
        )


def values(variables):
    """The arrays of variables."""
    return [v.numpy() for v in variables]


def assert_same(left, right):
    """Equal bit for bit."""
    assert len(left) == len(right)
    for a, b in zip(left, right):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@contextlib.contextmanager
def graph_session():
    """A graph of its own and a session in it, as in TF1."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        yield session


def initialize(session):
    """Runs the initializers of all the variables so far."""
    session.run(tf.compat.v1.global_variables_initializer())


def adam_reference(w, gradients, lr=0.001, b1=0.9, b2=0.999, eps=1e-7):
    """Adam in float64, by its equations."""
    w = np.asarray(w, np.float64)
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        g = np.asarray(g, np.float64)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        w = w - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + eps)
    return w
