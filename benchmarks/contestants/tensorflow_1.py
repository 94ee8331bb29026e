"""What all contestants on TensorFlow 1 share: a session, variables, gradients."""

import tensorflow.compat.v1 as tf

from benchmarks.race.child import THREADS
from benchmarks.race.models import Rows

if not tf.__version__.startswith("1."):
    raise ImportError("this TensorFlow is no 1.15")
tf.logging.set_verbosity(tf.logging.ERROR)
_SESSIONS = {}


def _session():
    """The session of the default graph."""
    graph = tf.get_default_graph()
    if graph not in _SESSIONS:
        for session in _SESSIONS.values():
            session.close()
        _SESSIONS.clear()
        config = tf.ConfigProto(
            intra_op_parallelism_threads=THREADS, inter_op_parallelism_threads=1
        )
        _SESSIONS[graph] = tf.Session(config=config)
    return _SESSIONS[graph]


def fresh():
    """Forgets all graphs so far, before the contestants of the next race are made."""
    tf.reset_default_graph()


def _variable(array, trainable=False):
    """A variable that holds an array, which is no part of the graph: that has 2 GB at most."""
    value = tf.placeholder(array.dtype, array.shape)
    variable = tf.Variable(value, trainable=trainable)
    _session().run(variable.initializer, {value: array})
    return variable


def convert(gradients):
    return [
        tf.IndexedSlices(_tensor(g.values), _tensor(g.indices), tf.constant(g.shape))
        if isinstance(g, Rows)
        else _tensor(g)
        for g in gradients
    ]


def _tensor(array):
    return tf.identity(_variable(array))


def maker(build):
    """make() of the function `build`: rule -> an optimizer."""

    def make(rule, params):
        variables = [_variable(x, trainable=True) for x in params]
        optimizer = build(rule)
        runs = {}

        def prepare(grads):
            before = set(tf.global_variables())
            operation = optimizer.apply_gradients(list(zip(grads, variables)))
            new = [x for x in tf.global_variables() if x not in before]
            _session().run(tf.variables_initializer(new))
            return _session().make_callable(operation), grads

        def step(grads):
            if id(grads) not in runs:
                runs[id(grads)] = prepare(grads)
            runs[id(grads)][0]()

        return step, lambda: _session().run(variables)

    return make
