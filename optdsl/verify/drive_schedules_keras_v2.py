"""Drives generated schedules of Keras, in TF 1.15, 2.x and tf_keras. Runs on Python 3.7.

The modes are "eager" and "function", where the value is that of a `tf.function`. The step is of
float64, and so is the value.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

tf.get_logger().setLevel("ERROR")
tf.compat.v1.enable_v2_behavior()
tf.config.threading.set_inter_op_parallelism_threads(2)
tf.config.threading.set_intra_op_parallelism_threads(1)
# TensorFlow's own rewriting makes (1 + b) - x of (1 - x) + b, and the bounds know the order that is
# written.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

FRAMEWORK = "tensorflow " + tf.__version__


def run(case: dict[str, Any], generated: Any) -> Any:
    """The value after each number of steps, from a class that went through its config."""
    schedule = generated.from_config(generated(**case["arguments"]).get_config())
    call = tf.function(schedule.__call__) if case["mode"] == "function" else schedule
    return np.array([call(tf.constant(n, tf.float64)).numpy() for n in case["steps"]])
