"""Runs a TF1 optimizer for some steps: in a graph, eagerly, or inside a tf.function.

A gradient is an array, a pair (values, indices) of a sparse one, or None.
"""

import contextlib
import importlib

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf
from tensorflow.python.eager import context

from tests.support import load_generated

TF2 = not tf.__version__.startswith("1.")
GRAPH = ("ref", "resource")
MODES = (*GRAPH, "eager", "function")

tf.logging.set_verbosity(tf.logging.ERROR)


def generated(name):
    """The one class of an optimizer in generated/tf1/<name>.py."""
    return _optimizer(load_generated("tf1", name))


def composed(name):
    """The same for an optimizer of composed/composed.opt."""
    return _optimizer(importlib.import_module("tests.tf1.composed.tf1." + name))


def composed_numpy(name):
    """What NumPy does for an optimizer of composed/composed.opt."""
    module = importlib.import_module("tests.tf1.composed.numpy." + name)
    return getattr(module, "".join(map(str.title, name.split("_"))))


def _optimizer(module):
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    return next(c for c in classes if issubclass(c, tf.train.Optimizer))


@contextlib.contextmanager
def graph_session(threads=1):
    """A session of a new graph, which is the default one inside."""
    config = tf.ConfigProto(
        intra_op_parallelism_threads=threads,
        inter_op_parallelism_threads=threads,
        use_per_session_threads=threads > 1,  # or those of the first session of all are used
    )
    with context.graph_mode(), tf.Graph().as_default(), tf.Session(config=config) as session:
        yield session


eager_mode = context.eager_mode


def variable(value, dtype=tf.float32, resource=True, **kwargs):
    return tf.Variable(value, dtype=dtype, use_resource=resource, **kwargs)


def rows(values, indices, shape=None):
    """An IndexedSlices."""
    return tf.IndexedSlices(tf.convert_to_tensor(values), tf.convert_to_tensor(indices), shape)


def train(optimizer, start, grads, mode="resource", dtype=tf.float32, **kwargs):
    """Applies `grads`, one list of them for each step, to variables that start at `start`.

    Returns:
        the values of the variables, and of their slots as a list of dictionaries by name.
    """
    if mode in GRAPH:
        return _train_graph(optimizer, start, grads, mode == "resource", dtype, **kwargs)
    with eager_mode():
        return _train_eager(optimizer, start, grads, mode == "function", dtype, **kwargs)


def _train_graph(optimizer, start, grads, resource, dtype, **kwargs):
    with graph_session() as session:
        variables = [variable(x, dtype, resource, **kwargs) for x in start]
        feeds, gradients = zip(*[_placeholder(g, dtype) for g in grads[0]])
        update = _step(optimizer, list(zip(gradients, variables)))
        session.run(tf.global_variables_initializer())
        for step in grads:
            feed = {}
            for keys, g in zip(feeds, step):
                feed.update(zip(keys, g if isinstance(g, tuple) else (g,)))
            session.run(update, feed)
        if hasattr(optimizer, "catch_up"):
            session.run(optimizer.catch_up())
        return session.run((variables, _slots(optimizer, variables)))


def _step(optimizer, pairs):
    """A step with these gradients; with the same ones in all stages, where there are several."""
    if not hasattr(optimizer, "stage_ops"):
        return optimizer.apply_gradients(pairs)
    return optimizer.minimize(lambda: tf.add_n([_loss(g, w) for g, w in pairs if g is not None]))


def _loss(g, w):
    """A loss of this gradient."""
    if isinstance(g, tf.IndexedSlices):
        return tf.reduce_sum(g.values * tf.gather(w, g.indices))
    return tf.reduce_sum(g * w)


def _placeholder(g, dtype):
    """What to feed for a gradient, and the gradient."""
    if g is None:
        return (), None
    if isinstance(g, tuple):
        values, indices = g
        values = tf.placeholder(dtype, [None, *np.shape(values)[1:]])
        indices = tf.placeholder(np.asarray(indices).dtype, [None])
        return (values, indices), tf.IndexedSlices(values, indices)
    dense = tf.placeholder(dtype, np.shape(g))
    return (dense,), dense


def _train_eager(optimizer, start, grads, compiled, dtype, **kwargs):
    variables = [variable(x, dtype, **kwargs) for x in start]

    def step(*gradients):
        gradients = [rows(*g) if isinstance(g, tuple) else g for g in gradients]
        _step(optimizer, list(zip(gradients, variables)))

    run = tensorflow.function(step) if compiled else step
    for gradients in grads:
        run(*[_tensors(g, dtype) for g in gradients])
    slots = _slots(optimizer, variables)
    return (
        [v.numpy() for v in variables],
        [{name: x.numpy() for name, x in of_one.items()} for of_one in slots],
    )


def _tensors(g, dtype):
    if isinstance(g, tuple):
        return tf.constant(g[0], dtype), tf.constant(g[1])
    return None if g is None else tf.constant(g, dtype)


def _slots(optimizer, variables):
    names = set(optimizer.get_slot_names()) - {"behind", "pace"}  # what is left to do is in these
    found = [{n: optimizer.get_slot(v, n) for n in names} for v in variables]
    return [{n: s for n, s in slots.items() if s is not None} for slots in found]


def dense_of(g, shape):
    """A sparse gradient made dense: duplicate rows are summed."""
    values, indices = g
    dense = np.zeros(shape)
    np.add.at(dense, indices, values)
    return dense
