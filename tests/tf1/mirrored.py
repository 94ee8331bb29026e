"""Two replicas on two logical CPUs take some steps; prints variables and slots as JSON.

    python -m tests.tf1.mirrored MODE

MODE is graph, eager or function. It is a program of its own, since logical devices, eager mode
and the strategy are settled once in a process. A variable has a dense gradient and a table a
sparse one; that of replica i is (i+1) times that of the step.
"""

import json
import sys

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf

from tests.tf1.harness import composed, generated

STEPS = 3


def optimizer(name):
    """The class of a case: of the library, or of composed/composed.opt."""
    try:
        return generated(name)
    except FileNotFoundError:
        return composed(name)


CASES = [
    ("adam", {"learning_rate": 0.1}),
    ("nadam", {"learning_rate": 0.1}),
    ("momentum", {"learning_rate": 0.1, "momentum": 0.5}),
    ("novograd", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("adam", {"learning_rate": 0.1, "clipvalue": 2.0, "global_clipnorm": 3.5}),
    # what test_distribution.py compares with has no names of its own
    ("nadam", {"learning_rate": 0.1, "overrides": {
        "replica": {"learning_rate": 7.0},
        "^(w|Variable):0$": {"learning_rate": "*0.5"},
        "(table|Variable_1)$": {"epsilon": 0.5},
    }}),
    ("slow_adam", {"learning_rate": 0.1}),
    ("accumulated_adam", {"learning_rate": 0.1, "steps_per_update": 3}),
    ("accumulated_clip", {"max_norm": 0.5}),
    ("lazy_total", {"learning_rate": 0.1}),
]  # fmt: skip
DENSE = np.array([0.5, -1.0], "float32")
ROWS = np.array([[0.5, -1.0], [0.25, 2.0], [1.0, 1.0]], "float32")
INDICES = np.array([1, 3, 1], "int64")


def main(mode):
    """Runs the steps of every case and prints what came out."""
    (cpu,) = tf.config.experimental.list_physical_devices("CPU")
    two = [tf.config.experimental.VirtualDeviceConfiguration()] * 2
    tf.config.experimental.set_virtual_device_configuration(cpu, two)
    if mode == "graph":
        tf.disable_eager_execution()
    else:
        tf.enable_eager_execution()
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    ends = [_case(strategy, mode, optimizer(name)(**given)) for name, given in CASES]
    print(json.dumps(ends))


def _case(strategy, mode, opt):
    if mode == "graph":
        with tf.Graph().as_default(), strategy.scope():
            return _train(strategy, mode, opt)
    with strategy.scope():
        return _train(strategy, mode, opt)


def _train(strategy, mode, opt):
    run = getattr(strategy, "run", None) or strategy.experimental_run_v2  # the name in TF 1.15
    w = tf.Variable([1.0, 2.0], name="w", use_resource=True)
    table = tf.Variable(tf.ones([4, 2]), name="table", use_resource=True)

    def replica():
        context = tf.distribute.get_replica_context()
        scale = tf.cast(context.replica_id_in_sync_group, tf.float32) + 1.0
        shape = tf.constant([4, 2], tf.int64)
        rows = tf.IndexedSlices(scale * ROWS, tf.constant(INDICES), shape)
        opt.apply_gradients([(scale * DENSE, w), (rows, table)])

    if mode == "graph":
        run(replica)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(STEPS):
                session.run(tf.get_collection(tf.GraphKeys.TRAIN_OP))
            return _state(opt, w, table, session.run)
    step = tensorflow.function(lambda: run(replica)) if mode == "function" else lambda: run(replica)
    for _ in range(STEPS):
        step()
    return _state(opt, w, table, lambda value: value.numpy())


def _state(opt, w, table, value):
    """Both variables with their slots, and what is shared, by their names."""
    found = {}
    for name, variable in (("w", w), ("table", table)):
        found[name] = value(variable.read_value()).tolist()
        for slot in opt.get_slot_names():
            found[name + "/" + slot] = value(opt.get_slot(variable, slot).read_value()).tolist()
    # In a tf.function, `variables()` finds nothing, for the built-ins neither.
    for variable in opt.variables():
        if variable.name.endswith("_step:0"):
            found["step"] = value(variable.read_value()).tolist()
    return found


if __name__ == "__main__":
    main(sys.argv[1])
