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


def _variables(arrays, trainable=False, resource=False):
    """Variables that hold arrays, which are no part of the graph: that has 2 GB at most."""
    values = [tf.placeholder(x.dtype, x.shape) for x in arrays]
    variables = [tf.Variable(x, trainable=trainable, use_resource=resource) for x in values]
    initializers = [variable.initializer for variable in variables]
    _session().run(initializers, dict(zip(values, arrays)))
    return variables


def convert(gradients):
    if isinstance(gradients[0], Rows):
        return [_rows(g) for g in gradients]
    return [tf.identity(x) for x in _variables(gradients)]


def _rows(g):
    values, indices = map(tf.identity, _variables([g.values, g.indices]))
    return tf.IndexedSlices(values, indices, tf.constant(g.shape))


def maker(build, resource=False):
    """make() of the function `build`: rule -> an optimizer. `resource`: the kind of variables."""

    def make(rule, params):
        variables = _variables(params, trainable=True, resource=resource)
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
