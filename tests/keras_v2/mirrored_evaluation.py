"""Weights for evaluation under a MirroredStrategy over two logical CPUs; for test_distribution.py.

`mirrored_evaluation.py FOLDER CASE…` saves what they are as mirrored.py does.
"""

import sys

from mirrored import (
    TF1,
    TWO,
    array,
    generated,
    gradients,
    keras,
    main,
    make_variables,
    np,
    tf,
    values,
)

OPTIMIZERS = {
    "ema": lambda: generated("ema_sgd", "EmaSGD")(0.1, average_decay=0.75),
    "schedule_free": lambda: generated("schedule_free_sgd", "ScheduleFreeSGD")(0.01),
}


def on_one(case):
    w, table = make_variables(case)
    optimizer = OPTIMIZERS[case]()
    for seed in range(4):
        optimizer.apply_gradients(gradients(w, table, seed, 1.0))
    return values(optimizer.evaluation_weights([w, table]))


def on_two(case):
    run = TWO.experimental_run_v2 if TF1 else TWO.run
    with TWO.scope():
        w, table = make_variables(case)
        optimizer = OPTIMIZERS[case]()

    @tf.function
    def step(seed):
        def replica():
            context = tf.distribute.get_replica_context()
            share = tf.cast(context.replica_id_in_sync_group + 1, w.dtype) / 3  # 1/3 and 2/3
            optimizer.apply_gradients(gradients(w, table, seed, share))

        run(replica)

    def read():
        return [x.numpy() for v in [w, table] for x in TWO.experimental_local_results(v)]

    def compare(found, expected):
        for x, y in zip(found, expected):
            np.testing.assert_array_equal(x, y)

    with TWO.scope():
        for seed in range(4):
            step(tf.constant(seed))
        training, weights = read(), values(optimizer.evaluation_weights([w, table]))
        with optimizer.evaluation([w, table]):
            compare(read(), [x for x in weights for _ in range(2)])
            try:
                step(tf.constant(0))
            except tf.errors.InvalidArgumentError as error:
                assert "leave evaluation" in str(error)
            else:
                raise AssertionError("a step was taken inside")
        compare(read(), training)
    if not TF1:  # which knows of the strategy in its scope alone
        with optimizer.evaluation([w, table]):
            compare(read(), [x for x in weights for _ in range(2)])
        compare(read(), training)
    with TWO.scope():
        optimizer.assign_evaluation_weights([w, table])
        compare(read(), [x for x in weights for _ in range(2)])
    return weights


def fitted(strategy):
    """A model that is fitted, evaluated and fitted again."""
    with strategy.scope():
        first = keras.layers.Dense(3, input_shape=(4,), kernel_initializer="ones")
        model = keras.Sequential([first, keras.layers.Dense(1, kernel_initializer="ones")])
        optimizer = OPTIMIZERS["schedule_free"]()
        model.compile(optimizer, "mse")
    batches = tf.data.Dataset.from_tensor_slices((array(8, 4), array(8, 1, seed=1))).batch(4)
    found = []
    for _ in range(2):
        model.fit(batches, epochs=2, verbose=0)
        with strategy.scope(), optimizer.evaluation(model.trainable_variables):
            found.append(np.asarray(model.evaluate(batches, verbose=0)))
        found.append(np.asarray(model.evaluate(batches, verbose=0)))
    assert np.all(np.isfinite(found)) and found[0] != found[1]
    return found


def on_both(case):
    """The results on two devices, and those on one."""
    if case != "fit_evaluation":
        return on_two(case), on_one(case)
    two = fitted(TWO)
    return two, fitted(tf.distribute.OneDeviceStrategy("/cpu:0"))


if __name__ == "__main__":
    main(on_both, *sys.argv[1:])
