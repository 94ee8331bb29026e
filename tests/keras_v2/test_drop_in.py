"""What is written for a built-in optimizer works with the generated one."""

import inspect
import json

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    TF1,
    VERSION,
    array,
    assert_same,
    builtin,
    generated,
    graph_session,
    initialize,
    keras,
    rows,
    steps,
    tf,
    values,
)

pytestmark = pytest.mark.tf

NAMES = {
    "SGD": "sgd",
    "Adagrad": "adagrad",
    "RMSprop": "rmsprop",
    "Adadelta": "adadelta",
    "Adam": "adam",
    "Adamax": "adamax",
    "Nadam": "nadam",
    "Ftrl": "ftrl",
}
PAIRS = [
    pytest.param(generated(module, name), getattr(builtin, name), id=name)
    for name, module in sorted(NAMES.items())
]
Adam, SGD, Nadam = generated("adam", "Adam"), generated("sgd", "SGD"), generated("nadam", "Nadam")
ExponentialDecay = keras.optimizers.schedules.ExponentialDecay


def parameters(cls):
    """Names and defaults of a constructor, in order."""
    arguments = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return [(a.name, a.default) for a in arguments if a.kind is not a.VAR_KEYWORD]


# -- the constructor


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_arguments(ours, theirs):
    expected = parameters(theirs)
    if theirs is builtin.Nadam:  # keeps it as `decay`; takes it as `schedule_decay` from **kwargs
        expected.append(("decay", 0.004))
    if theirs is builtin.Ftrl and TF1:  # beta came with 2.4
        expected.append(("beta", 0.0))
    assert parameters(ours) == expected


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_config_has_the_same_entries(ours, theirs):
    mine, reference = ours().get_config(), theirs().get_config()
    extra = set(mine) - set(reference)
    assert extra <= ({"beta"} if theirs is builtin.Ftrl and TF1 else set())
    assert {key: mine[key] for key in reference} == reference


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_takes_the_config_of_the_builtin(ours, theirs):
    config = theirs(learning_rate=0.25, clipvalue=2.0).get_config()
    twin = ours.from_config(config)
    assert twin.get_config()["learning_rate"] == 0.25
    assert twin.get_config()["clipvalue"] == 2.0


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_config_round_trip_in_the_middle_of_training(ours, theirs):
    optimizer = ours(0.3)
    steps(optimizer, [tf.Variable([1.0])])
    config = json.loads(json.dumps(optimizer.get_config()))
    assert config == optimizer.get_config() and config["learning_rate"] == 0.3
    assert ours.from_config(config).get_config() == config


def test_config_names_what_was_changed():
    optimizer = Adam()
    steps(optimizer, [tf.Variable([1.0])])
    optimizer.learning_rate = 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25
    keras.backend.set_value(optimizer.lr, 0.125)
    assert optimizer.get_config()["learning_rate"] == 0.125


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_unknown_keyword(ours, theirs):
    for cls in (ours, theirs):
        with pytest.raises(TypeError, match="Unexpected keyword argument.*learning_rat"):
            cls(learning_rat=0.1)


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_lr_is_an_alias(ours, theirs):
    assert ours(lr=0.25).get_config()["learning_rate"] == 0.25
    with pytest.raises(ValueError, match="lr"):
        ours(lr=-1.0)


@pytest.mark.parametrize(
    "cls, arguments, message",
    [
        (Adam, {"learning_rate": -1.0}, r"`learning_rate` must be between \[0, inf\).*=-1.0 "),
        (Adam, {"beta_1": 1.0}, r"`beta_1` must be between \[0, 1\)\. Received: beta_1=1.0 "),
        (Adam, {"epsilon": -1}, r"`epsilon` must be between \(0, inf\).*=-1 "),
        (Adam, {"learning_rate": float("nan")}, "`learning_rate` must be between .*=nan "),
        (Adam, {"learning_rate": float("inf")}, "`learning_rate` must be between .*=inf "),
        (SGD, {"momentum": 1.5}, r"`momentum` must be between \[0, 1\]\. Received: momentum=1.5 "),
    ],
)
def test_domains(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


def test_ends_of_the_domains_are_those_of_the_builtin():
    SGD(momentum=1)
    for nothing in (None, 0, 0.0):
        assert Adam(epsilon=nothing).epsilon == keras.backend.epsilon()
        assert builtin.Adam(epsilon=nothing).epsilon == keras.backend.epsilon()


def test_schedule_decay_of_nadam():
    ours, theirs = Nadam(schedule_decay=0.25), builtin.Nadam(schedule_decay=0.25)
    assert ours.get_config()["decay"] == theirs.get_config()["decay"] == 0.25
    np.testing.assert_allclose(moved(ours, 5), moved(theirs, 5), rtol=1e-6)


def test_bool_is_a_plain_attribute():
    optimizer = Adam(amsgrad=True)
    assert optimizer.amsgrad is True and "amsgrad" not in optimizer._hyper
    assert SGD(nesterov=True).get_config()["nesterov"] is True


# -- hyperparameters


def moved(optimizer, count=3):
    w = tf.Variable([1.0, 2.0])
    steps(optimizer, [w], count)
    return w.numpy()


def test_number_tensor_callable_and_schedule_are_the_same():
    schedule = ExponentialDecay(0.25, 1, 1.0)
    given = [0.25, tf.constant(0.25), lambda: 0.25, lambda: tf.constant(0.25), schedule]
    assert_same([moved(SGD(x)) for x in given], [moved(builtin.SGD(x)) for x in given])
    for x in given[1:]:
        np.testing.assert_allclose(moved(Adam(beta_1=x)), moved(Adam(beta_1=0.25)), rtol=1e-6)


def test_variable_as_hyperparameter():
    rate = tf.Variable(0.25)
    optimizer, w = SGD(rate), tf.Variable([0.0])
    optimizer.apply_gradients([(tf.constant([1.0]), w)])
    rate.assign(0.5)
    optimizer.apply_gradients([(tf.constant([1.0]), w)])
    assert w.numpy().tolist() == [-0.75]


def test_schedule_sees_the_number_of_steps_done():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0, 1], [1.0, 10.0, 100.0])
    optimizer, w, seen = SGD(schedule), tf.Variable([0.0]), []
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant([1.0]), w)])
        seen.append(w.numpy()[0])
    assert seen == [-1.0, -11.0, -111.0]


def test_every_hyperparameter_takes_a_schedule_and_keeps_it_in_its_config():
    config = Adam(0.1, beta_1=ExponentialDecay(0.5, 10, 0.5)).get_config()
    twin = Adam.from_config(json.loads(json.dumps(config)))
    assert twin.get_config() == config
    assert_same(moved(twin), moved(Adam(0.1, beta_1=ExponentialDecay(0.5, 10, 0.5))))


@pytest.mark.parametrize("name", ["lr", "learning_rate"])
def test_learning_rate_is_readable_and_assignable(name):
    optimizer, w = SGD(0.5), tf.Variable([0.0])
    assert float(keras.backend.get_value(getattr(optimizer, name))) == 0.5
    assert getattr(optimizer, name).dtype.base_dtype == tf.float32
    setattr(optimizer, name, 0.25)
    optimizer.apply_gradients([(tf.constant([1.0]), w)])
    setattr(optimizer, name, 2.0)
    optimizer.apply_gradients([(tf.constant([1.0]), w)])
    assert w.numpy().tolist() == [-2.25]


def test_assignment_reaches_a_traced_function():
    optimizer, w = SGD(0.5), tf.Variable([0.0])

    @tf.function
    def step():
        optimizer.apply_gradients([(tf.constant([1.0]), w)])

    step()
    optimizer.learning_rate = 2.0
    step()
    assert w.numpy().tolist() == [-2.5]


def test_schedule_in_place_of_a_number_and_back():
    optimizer, w = SGD(0.5), tf.Variable([0.0])
    for rate in (0.5, ExponentialDecay(0.25, 1, 1.0), 1.0):
        optimizer.learning_rate = rate
        optimizer.apply_gradients([(tf.constant([1.0]), w)])
    assert w.numpy().tolist() == [-1.75]


def test_decay():
    np.testing.assert_allclose(
        moved(SGD(0.5, decay=0.5), 5), moved(builtin.SGD(0.5, decay=0.5), 5), rtol=1e-6
    )
    assert SGD(decay=0.5).get_config()["decay"] == 0.5


def test_decay_with_a_schedule():
    schedule = ExponentialDecay(0.5, 1, 0.5)
    np.testing.assert_allclose(
        moved(SGD(schedule, decay=0.5), 5), moved(builtin.SGD(schedule, decay=0.5), 5), rtol=1e-6
    )


def test_reduce_lr_on_plateau():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    model.compile(SGD(0.5), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(
        monitor="loss", factor=0.5, patience=1, min_delta=1e9
    )
    model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=3, callbacks=[callback], verbose=0)
    assert float(keras.backend.get_value(model.optimizer.lr)) == 0.125


def test_learning_rate_scheduler_callback():
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    model.compile(Adam(0.5), "mse")
    callback = keras.callbacks.LearningRateScheduler(lambda epoch: 0.25)
    model.fit(np.ones((2, 1)), np.ones((2, 1)), callbacks=[callback], verbose=0)
    assert float(keras.backend.get_value(model.optimizer.lr)) == 0.25


def test_get_and_serialize_hyper():
    optimizer = Adam(0.5, beta_1=0.3)
    assert optimizer._get_hyper("beta_1", tf.float64).dtype == tf.float64
    assert optimizer._serialize_hyperparameter("beta_1") == 0.3
    assert optimizer._serialize_hyperparameter("learning_rate") == 0.5


def test_dir():
    listed = dir(Adam())
    if VERSION >= (2, 4):  # before, Keras does not list them either
        assert {"learning_rate", "lr", "beta_1", "beta_2"} <= set(listed)
    assert {"epsilon", "amsgrad"} <= set(listed)


# -- state


@pytest.mark.parametrize("ours, theirs", PAIRS)
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.5, "centered": True}, {"amsgrad": True}])
def test_weights_have_the_same_names_and_shapes(ours, theirs, settings):
    settings = {k: v for k, v in settings.items() if k in dict(parameters(ours))}
    found = []
    for cls in (ours, theirs):
        optimizer = cls(**settings)
        steps(optimizer, [tf.Variable(array(2, 3), name="kernel")], 1)
        found.append([(w.name, w.shape.as_list()) for w in optimizer.variables()])
    assert found[0] == found[1]


@pytest.mark.parametrize("ours, theirs", PAIRS)
def test_weights_go_over_from_the_builtin(ours, theirs):
    w = [tf.Variable(array(3, 2))]
    copies = [tf.Variable(w[0].numpy())]
    one, two = theirs(0.25), ours(0.25)
    steps(one, w, 2)
    steps(two, copies, 2)
    two.set_weights(one.get_weights())
    copies[0].assign(w[0])
    steps(one, w, 3, seed=7)
    steps(two, copies, 3, seed=7)
    np.testing.assert_allclose(copies[0].numpy(), w[0].numpy(), rtol=1e-4, atol=1e-5)


def test_weights_are_slot_by_slot():
    optimizer = Adam()
    steps(optimizer, [tf.Variable(array(2), name="a"), tf.Variable(array(3), name="b")], 1)
    names = [w.name for w in optimizer.weights]
    assert names == ["Adam/iter:0", "Adam/a/m:0", "Adam/b/m:0", "Adam/a/v:0", "Adam/b/v:0"]


def test_shared_value_is_a_weight_before_the_slots():
    optimizer = Nadam()
    steps(optimizer, [tf.Variable(array(2), name="a")], 1)
    names = [w.name.split("/", 1)[1] for w in optimizer.weights]
    assert names == ["iter:0", "momentum_cache:0", "a/m:0", "a/v:0"]


def test_get_slot_and_add_slot():
    optimizer, w = Adam(), tf.Variable(array(2))
    steps(optimizer, [w], 1)
    assert optimizer.get_slot(w, "m").shape == w.shape
    extra = optimizer.add_slot(w, "extra", "ones")
    assert extra.numpy().tolist() == [1.0, 1.0] and "extra" in optimizer.get_slot_names()


def test_external_iterations():
    steps_done, optimizer, w = tf.Variable(10, dtype=tf.int64), Adam(0.5), tf.Variable([1.0])
    optimizer.iterations = steps_done
    steps(optimizer, [w], 1)
    assert steps_done.numpy() == 11 and optimizer.iterations is steps_done


def test_build_creates_the_state_ahead():
    optimizer, w = Nadam(), tf.Variable(array(2))
    optimizer.build([w])
    assert len(optimizer.weights) == 4

    @tf.function
    def step():
        optimizer.apply_gradients([(tf.constant([1.0, 2.0]), w)])

    step()
    assert len(optimizer.weights) == 4


# -- ways to take a step


def test_minimize_with_a_callable_list_of_variables():
    made = []

    def loss():
        if not made:
            made.append(tf.Variable([2.0]))
        return tf.reduce_sum(made[0] ** 2)

    SGD(0.25).minimize(loss, lambda: made)
    assert made[0].numpy().tolist() == [1.0]


def test_get_updates_and_get_gradients():
    with graph_session() as session:
        w = tf.Variable([2.0])
        optimizer = SGD(0.25)
        loss = tf.reduce_sum(w**2)
        (gradient,) = optimizer.get_gradients(loss, [w])
        updates = optimizer.get_updates(loss, [w])
        initialize(session)
        assert session.run(gradient).tolist() == [4.0]
        session.run(updates)
        assert session.run(w).tolist() == [1.0]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("make", [SGD, Adam, Nadam])
def test_hooks_work_without_apply_state(make, sparse):
    optimizer, w = make(), tf.Variable(array(3, 2))
    twin, copy = make(), tf.Variable(w.numpy())
    g = tf.constant(array(2, 2, seed=3))
    for each, variable in ((optimizer, w), (twin, copy)):
        each.build([variable])
    if sparse:
        optimizer._resource_apply_sparse_duplicate_indices(g, w, tf.constant([1, 1]))
        twin.apply_gradients([(rows(g.numpy(), [1, 1]), copy)])
    else:
        g = tf.concat([g, g[:1]], 0)
        optimizer._resource_apply_dense(g, w)
        twin.apply_gradients([(g, copy)])
    assert_same(values([w]), values([copy]))


def test_subclass_with_another_default():
    class Faster(Adam):
        def __init__(self, learning_rate=0.5, **kwargs):
            super().__init__(learning_rate, **kwargs)

    optimizer = Faster(name="Faster")
    assert_same([moved(optimizer)], [moved(Adam(0.5))])
    assert Faster.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("settings", [{}, {"momentum": 0.5}, {"momentum": 0.5, "nesterov": True}])
def test_sgd_on_complex_variables(dtype, settings):
    w = tf.Variable(np.array([1 + 1j, 2 - 1j], dtype))
    optimizer = SGD(0.5, **settings)
    gradient = np.array([2j, 4.0], dtype)
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant(gradient), w)])
    moves = {0: 2.0, 1: 2.5, 2: 3.25}[len(settings)] * 0.5  # sums of momentum, nesterov looks ahead
    expected = np.array([1 + 1j, 2 - 1j]) - moves * gradient
    np.testing.assert_allclose(w.numpy(), expected)


def test_subclass_whose_hooks_take_no_apply_state():
    class Plain(SGD):
        def _resource_apply_dense(self, grad, var):
            return super()._resource_apply_dense(grad, var)

        def _resource_apply_sparse(self, grad, var, indices):
            return super()._resource_apply_sparse(grad, var, indices)

    for settings in ({}, {"clipnorm": 10.0}):
        w, table = tf.Variable([1.0]), tf.Variable([[1.0], [1.0]])
        gradients = [(tf.constant([2.0]), w), (rows([[1.0], [1.0]], [1, 1]), table)]
        Plain(0.5, **settings).apply_gradients(gradients)
        assert w.numpy().tolist() == [0.0] and table.numpy().tolist() == [[1.0], [0.0]]


def test_sharded_variable():
    if TF1:
        assert not hasattr(tf, "__internal__")  # it came with 2.4
        return
    shards = [
        tf.Variable(array(2, 3), name="table/part_0"),
        tf.Variable(array(1, 3), name="table/part_1"),
    ]
    whole = tf.__internal__.distribute.ShardedVariable(shards)
    optimizer = Adam(0.5)
    steps(optimizer, shards, 2)
    slot = optimizer.get_slot(whole, "m")
    assert [v.shape.as_list() for v in slot.variables] == [[2, 3], [1, 3]]
    assert_same(values(slot.variables), values([optimizer.get_slot(s, "m") for s in shards]))


# -- speed that shows in the graph


def test_coefficients_are_built_once_for_many_embeddings():
    def operations(count):
        with graph_session():
            optimizer = Adam()
            tables = [tf.Variable(np.zeros((4, 2), "float32")) for _ in range(count)]
            optimizer.apply_gradients([(rows([[1.0, 1.0]], [1]), w) for w in tables])
            kinds = [op.type for op in tf.compat.v1.get_default_graph().get_operations()]
        return {kind: kinds.count(kind) for kind in ("Pow", "Sqrt")}

    one, many = operations(1), operations(50)
    assert one["Pow"] == many["Pow"] == 2
    assert many["Sqrt"] - one["Sqrt"] == 49 * (one["Sqrt"] - 1)  # one is alpha's
