"""The built-ins of Keras 2 (OptimizerV2), whose rules are fused kernels."""

from benchmarks.contestants.tensorflow_2 import both_ways, convert, keras_2  # noqa: F401
from benchmarks.race.rules import EPS, LR


def _build(rule):
    adam = keras_2().optimizers.legacy.Adam
    return adam(learning_rate=LR, epsilon=EPS, amsgrad=rule.name == "amsgrad")


CONTESTANTS = both_ways("Keras 2 built-in", ("adam", "amsgrad", "adam, exact"), _build)
