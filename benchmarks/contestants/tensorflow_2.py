"""What all contestants on TensorFlow 2 share: its threads, variables, gradients, and Keras 2."""

import tensorflow as tf

from benchmarks.race.child import THREADS
from benchmarks.race.models import Rows

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(1)


def keras_2():
    """The Keras that has OptimizerV2 in `optimizers.legacy`."""
    if hasattr(tf.keras, "__internal__") and hasattr(tf.keras.optimizers.legacy, "Adam"):
        return tf.keras
    import tf_keras

    return tf_keras


def convert(gradients):
    return [
        tf.IndexedSlices(tf.constant(g.values), tf.constant(g.indices), tf.constant(g.shape))
        if isinstance(g, Rows)
        else tf.constant(g)
        for g in gradients
    ]


def maker(build, eager=False):
    """make() of the function `build`: rule -> an optimizer of Keras 2."""

    def make(rule, params):
        variables = [tf.Variable(x) for x in params]
        optimizer = build(rule)

        def step(grads):
            optimizer.apply_gradients(zip(grads, variables))

        graph = step if eager else tf.function(step)
        return graph, lambda: [x.numpy() for x in variables]

    return make


def both_ways(name, rules, build):
    """A contestant inside of a tf.function, and one in eager mode for a model of small tensors."""
    return [
        {"name": name, "rules": rules, "make": maker(build)},
        {
            "name": name + ", eager",
            "rules": [rule for rule in rules if "," not in rule],
            "make": maker(build, eager=True),
            "models": ("tiny",),
        },
    ]
