"""Drives generated schedules of `tf.train`, on TF 1.15 and 2.x. Runs on Python 3.7.

The modes are "ref" and "resource", the kinds of a global step in a graph with a session, and
"eager".
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf

tf.logging.set_verbosity(tf.logging.ERROR)
tf.enable_eager_execution()

FRAMEWORK = "tensorflow " + tf.__version__

#: TensorFlow's own rewriting makes (1 + b) - x of (1 - x) + b, and the bounds know the order that
#: is written.
CONFIG = tf.ConfigProto(inter_op_parallelism_threads=2, intra_op_parallelism_threads=1)
CONFIG.graph_options.rewrite_options.disable_meta_optimizer = True


def run(case: dict[str, Any], generated: Any) -> Any:
    """The value after each number of steps, from a class that went through its config."""
    schedule = generated.from_config(generated(**case["arguments"]).get_config())
    if case["mode"] == "eager":
        step = tf.Variable(0, dtype=tf.int64, use_resource=True)
        return np.array([_at(schedule, step, number) for number in case["steps"]])
    with tf.Graph().as_default(), tf.Session(config=CONFIG) as session:
        step = tf.Variable(0, dtype=tf.int64, use_resource=case["mode"] == "resource")
        value = schedule(step)
        values = []
        for number in case["steps"]:
            step.load(number, session)
            values.append(session.run(value))
        return np.array(values)


def _at(schedule: Any, step: Any, number: int) -> Any:
    step.assign(number)
    return schedule(step).numpy()
