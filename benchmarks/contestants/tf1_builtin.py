"""The built-ins of TensorFlow 1.15 and of its contrib, whose rules are fused kernels."""

import warnings

import tensorflow.compat.v1 as tf

from benchmarks.contestants.tensorflow_1 import convert, fresh, maker  # noqa: F401
from benchmarks.race.rules import TF1_BUILT_IN


def _contrib(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorflow.contrib import opt

    return getattr(opt, name)


_CLASSES = {
    "adam": lambda: tf.train.AdamOptimizer,
    "momentum": lambda: tf.train.MomentumOptimizer,
    "adagrad": lambda: tf.train.AdagradOptimizer,
    "rmsprop": lambda: tf.train.RMSPropOptimizer,
    "adadelta": lambda: tf.train.AdadeltaOptimizer,
    "adamax": lambda: _contrib("AdaMaxOptimizer"),
    "ftrl": lambda: tf.train.FtrlOptimizer,
    "adam, exact": lambda: tf.train.AdamOptimizer,
    "adam, lazy": lambda: _contrib("LazyAdamOptimizer"),
}


def _build(rule):
    return _CLASSES[rule.name]()(**rule.settings)


CONTESTANTS = [
    {
        "name": "TF 1.15 built-in",
        "rules": (*TF1_BUILT_IN, "adam, exact", "adam, lazy"),
        "make": maker(_build),
    }
]
