"""The built-ins of Keras 3 on its TensorFlow backend."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import tensorflow as tf

from benchmarks.contestants.tensorflow_2 import convert  # noqa: F401
from benchmarks.race.rules import EPS, LION_B2, LR

if not hasattr(keras.optimizers, "Lamb"):
    raise ImportError("Keras 3 is not installed")

_RULES = {
    "adam": lambda: keras.optimizers.Adam(LR, epsilon=EPS),
    "amsgrad": lambda: keras.optimizers.Adam(LR, epsilon=EPS, amsgrad=True),
    "lion": lambda: keras.optimizers.Lion(LR, beta_2=LION_B2),
    "adam, exact": lambda: keras.optimizers.Adam(LR, epsilon=EPS),
}


def _summed(g):
    """A gradient of rows with each row once, or a dense one.

    Left to itself, Keras 3 squares a row before it adds up what stands in it twice.
    """
    if not isinstance(g, tf.IndexedSlices):
        return g
    rows, places = tf.unique(g.indices)
    values = tf.math.unsorted_segment_sum(g.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, g.dense_shape)


def _maker(**way):
    def make(rule, params):
        variables = [keras.Variable(x) for x in params]
        optimizer = _RULES[rule.name]()
        optimizer.build(variables)

        @tf.function(**way)
        def step(grads):
            optimizer.apply([_summed(g) for g in grads], variables)

        return step, lambda: [x.numpy() for x in variables]

    return make


CONTESTANTS = [
    {"name": "Keras 3", "rules": tuple(_RULES), "make": _maker()},
    {
        "name": "Keras 3, jit_compile",
        "rules": ("adam", "amsgrad", "lion"),
        "make": _maker(jit_compile=True),
    },
]
