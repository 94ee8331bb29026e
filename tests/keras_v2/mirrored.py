"""Trains with a MirroredStrategy over two logical CPUs; run by test_distribution.py.

`mirrored.py FOLDER CASE…` saves for each case what the variables and the weights of the optimizer
are after a few steps, on two devices ("two_…") and on one that gets the sum of their gradients
("one_…"), as FOLDER/CASE.npz; or the error, as FOLDER/CASE.error.
"""

import os
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import tensorflow.compat.v2 as tf

tf.enable_v2_behavior()  # before any device is looked at, or the threads of TF 1.15 miss it

cpus = tf.config.experimental.list_physical_devices("CPU")
if hasattr(tf.config, "LogicalDeviceConfiguration"):
    logical = tf.config.LogicalDeviceConfiguration
    tf.config.set_logical_device_configuration(cpus[0], [logical(), logical()])
else:  # TF 1.15
    logical = tf.config.experimental.VirtualDeviceConfiguration
    tf.config.experimental.set_virtual_device_configuration(cpus[0], [logical(), logical()])

import numpy as np

from tests.keras_v2.helpers import TF1, array, composed, generated, keras, values

Adam, SGD, Nadam = generated("adam", "Adam"), generated("sgd", "SGD"), generated("nadam", "Nadam")
NovoGrad, RMSprop = generated("novograd", "NovoGrad"), generated("rmsprop", "RMSprop")

AccumulatedAdam = generated("accumulated_adam", "AccumulatedAdam")
SlowSteps = composed("SlowSteps")
ClippedMomentum, SlowHeun = composed("ClippedMomentum"), composed("SlowHeun")

# One for all cases: a second one would count its collective operations from the start again.
TWO = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])

OPTIMIZERS = {
    "adam": lambda: Adam(0.1),
    "amsgrad": lambda: Adam(0.1, amsgrad=True),
    "sgd": lambda: SGD(0.1, momentum=0.9, nesterov=True),
    "nadam": lambda: Nadam(0.1),
    "novograd": lambda: NovoGrad(0.1),
    "rmsprop": lambda: RMSprop(0.1, centered=True),
    "clipped": lambda: Adam(0.1, clipnorm=0.5),
    "constrained": lambda: SGD(0.5),
    "accumulated": lambda: AccumulatedAdam(0.1, steps_per_update=2),
    "small_batches": lambda: AccumulatedAdam(0.1, epsilon=1e-3, steps_per_update=8),
    "slow": lambda: SlowSteps(learning_rate=0.1),
    "clipped_together": lambda: ClippedMomentum(learning_rate=0.1, max_norm=0.5),
    "heun": lambda: SlowHeun(learning_rate=0.01),
    "float64": lambda: Nadam(0.1),
    "restored": lambda: Nadam(0.1),
    "overrides": lambda: Nadam(
        0.1, overrides={"replica": {"learning_rate": 7.0}, "^table:0$": {"learning_rate": "*0.5"}}
    ),
}


def make_variables(case):
    dtype = "float64" if case in ("float64", "small_batches") else "float32"
    constraint = keras.constraints.NonNeg() if case == "constrained" else None
    return [
        tf.Variable(array(4, dtype=dtype), name="w"),
        tf.Variable(array(5, 2, dtype=dtype), constraint=constraint, name="table"),
    ]


def gradients(w, table, seed, share):
    """A share of the gradients of a step; the rows 2, 0, 2 get them."""
    dense = share * tf.gather(tf.constant(array(4, 4, seed=1), w.dtype), seed)
    part = share * tf.gather(tf.constant(array(4, 3, 2, seed=2), w.dtype), seed)
    sparse = tf.IndexedSlices(part, tf.constant([2, 0, 2]), tf.constant([5, 2]))
    return [(dense, w), (sparse, table)]


def step_of(case, optimizer, w, table, seed, share):
    """A step; that of several stages has a loss that is not linear."""
    if case != "heun":
        optimizer.apply_gradients(gradients(w, table, seed, share))
        return
    targets = [grad for grad, _ in gradients(w, table, seed, 1.0)]

    def loss():
        part = tf.gather(table, targets[1].indices) - targets[1].values
        return share * (tf.reduce_sum((w - targets[0]) ** 4) + tf.reduce_sum(part**4))

    optimizer.minimize(loss, [w, table])


def on_large_batches():
    """Adam on the means of eight gradients each, of which the fifth is the first again."""
    w, table = make_variables("small_batches")
    optimizer = Adam(0.1, epsilon=1e-3)
    for _ in range(2):
        (dense, sparse), *others = ([g for g, _ in gradients(w, table, i, 0.25)] for i in range(4))
        for more, rows in others:
            dense, values_ = dense + more, sparse.values + rows.values
            sparse = tf.IndexedSlices(values_, sparse.indices, sparse.dense_shape)
        optimizer.apply_gradients([(dense, w), (sparse, table)])
    return values([w, table])


def on_one(case):
    w, table = make_variables(case)
    optimizer = OPTIMIZERS[case]()
    for seed in range(4):
        step_of(case, optimizer, w, table, seed, 1.0)
    return values([w, table]) + optimizer.get_weights()


def on_two(case, seeds=(0, 1, 2, 3), path=None, save_to=None):
    """The variables and weights after these steps, from the checkpoint at `path` on."""
    run = TWO.experimental_run_v2 if TF1 else TWO.run
    with TWO.scope():
        w, table = make_variables(case)
        optimizer = OPTIMIZERS[case]()
        checkpoint = tf.train.Checkpoint(o=optimizer, w=w, table=table)
        if path:
            checkpoint.restore(path)

    @tf.function
    def step(seed):
        def replica():
            context = tf.distribute.get_replica_context()
            share = tf.cast(context.replica_id_in_sync_group + 1, w.dtype) / 3  # 1/3 and 2/3
            step_of(case, optimizer, w, table, seed, share)

        run(replica)

    with TWO.scope():  # TF 1.15 forgets it otherwise
        for seed in seeds * (4 if case == "small_batches" else 1):
            step(tf.constant(seed))
        if save_to:
            checkpoint.save(save_to)
    local = (TWO.experimental_local_results(v) for v in [w, table])
    for mirrored in local:
        assert len(mirrored) == 2
        np.testing.assert_array_equal(mirrored[0].numpy(), mirrored[1].numpy())
    read = [TWO.experimental_local_results(v)[0].numpy() for v in [w, table]]
    return read + [np.asarray(x) for x in optimizer.get_weights()]


def known(shape, dtype=None, **_):
    return tf.constant(array(*shape), dtype)


def fitted(strategy, optimizer=Nadam):
    """What a model says after some epochs; in TF 1.15 its weights cannot be read here."""
    with strategy.scope():
        first = keras.layers.Dense(3, input_shape=(4,), kernel_initializer=known)
        last = keras.layers.Dense(1, kernel_initializer=known)
        model = keras.Sequential([first, last])
        model.compile(optimizer(learning_rate=0.05), "mse")
    if hasattr(optimizer, "attach"):
        model.optimizer.attach(model)
    x, y = array(8, 4), array(8, 1, seed=1)
    model.fit(tf.data.Dataset.from_tensor_slices((x, y)).batch(4), epochs=3, verbose=0)
    return [model.predict(tf.data.Dataset.from_tensor_slices(x).batch(4))]


def on_both(case):
    """The results on two devices, and those on one."""
    if case == "small_batches":
        return on_two(case)[:2], on_large_batches()
    if case == "restored":
        with tempfile.TemporaryDirectory() as folder:
            on_two(case, (0, 1), save_to=os.path.join(folder, "half_way"))
            return on_two(case, (2, 3), os.path.join(folder, "half_way-1")), on_one(case)
    if case not in ("fit", "fit_heun"):
        return on_two(case), on_one(case)
    optimizer = Nadam if case == "fit" else SlowHeun
    two = fitted(TWO, optimizer)
    return two, fitted(tf.distribute.OneDeviceStrategy("/cpu:0"), optimizer)


def main(run, folder, *cases):
    """Runs the cases one after the other and saves what comes of them."""
    for case in cases:
        path = os.path.join(folder, case)
        try:
            two, one = run(case)
        except Exception:
            with open(path + ".error", "w", encoding="utf-8") as file:
                file.write(traceback.format_exc())
            continue
        named = {f"two_{i:02}": x for i, x in enumerate(two)}
        np.savez(path + ".npz", **named, **{f"one_{i:02}": x for i, x in enumerate(one)})


if __name__ == "__main__":
    main(on_both, *sys.argv[1:])
