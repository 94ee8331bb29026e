"""Hyperparameters overridden for some variables by patterns of their names."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    TF1,
    VERSION,
    array,
    assert_same,
    composed,
    composed_numpy,
    generated,
    graph_session,
    initialize,
    keras,
    load_generated,
    rows,
    tf,
    values,
)
from tests.support import SAMPLE

pytestmark = pytest.mark.tf

MODULES = SAMPLE
AdamW, Nadam = generated("adamw", "AdamW"), generated("nadam", "Nadam")
SGD, GradientDescent = generated("sgd", "SGD"), generated("gradient_descent", "GradientDescent")
#: The hyperparameters that shared values are made of: those are one for all variables.
_WEIGHTING = {"learning_rate", "weight_power", "weight_lr_power"}
OF_SHARED = {
    "nadam": {"beta_1", "decay"},
    "nadam_torch": {"beta_1", "momentum_decay"},
    "schedule_free_adamw": _WEIGHTING,
    "schedule_free_sgd": _WEIGHTING,
}


def one_class(module):
    """The optimizer of a module."""
    loaded = load_generated("keras_v2", module)
    found = [c for c in vars(loaded).values() if inspect.isclass(c)]
    return next(c for c in found if c.__module__ == loaded.__name__)


def variables(names):
    start = {"a/kernel": array(4, 3), "b/table": array(4, 2), "b/bias": array()}
    return [tf.Variable(start[name], name=name) for name in names]


def gradients(names, step):
    random = np.random.RandomState(step)
    found = {
        "a/kernel": tf.constant(random.standard_normal((4, 3)), tf.float32),
        "b/table": rows(random.standard_normal((3, 2)).astype("float32"), random.randint(0, 4, 3)),
        "b/bias": tf.constant(random.standard_normal(()), tf.float32),
    }
    return [found[name] for name in names]


def loss(names, step, w):
    """A loss of which no variable changes the gradient of another."""
    terms = []
    for gradient, variable in zip(gradients(names, step), w):
        sparse = isinstance(gradient, tf.IndexedSlices)
        part = tf.gather(variable, gradient.indices) if sparse else variable
        factor = gradient.values if sparse else gradient
        terms.append(tf.reduce_sum(factor * part + 0.1 * part**2))
    return tf.add_n(terms)


def phases(cls):
    return getattr(cls, "_PHASES", ())


def is_staged(cls):
    return any(phase.startswith("stage") for phase in phases(cls))


def has_totals(cls):
    """Whether a step of one variable depends on the others."""
    return any(phase.startswith("total") for phase in phases(cls))


EVERY = ["a/kernel", "b/table", "b/bias"]


def steps(optimizer, names, count=3):
    """The variables and their slots, by name, after eager steps of these variables alone."""
    w = variables(names)
    staged = is_staged(type(optimizer))
    for step in range(count):
        if staged:
            optimizer.minimize(lambda step=step: loss(names, step, w), w)
        else:
            optimizer.apply_gradients(list(zip(gradients(names, step), w)))
    return {n: states(optimizer, v) for n, v in zip(names, w)}


def states(optimizer, variable):
    slots = [optimizer.get_slot(variable, slot) for slot in optimizer.get_slot_names()]
    return values([variable, *slots])


def assert_equal(got, want):
    assert got.keys() == want.keys()
    for name in got:
        assert_same(got[name], want[name])


def assert_two(make, overrides, changes):
    """An optimizer with overrides for what begins with b/ is two optimizers."""
    count = 8 if hasattr(make(), "_CASES") else 3  # that something happens in
    got = steps(make(overrides=overrides), EVERY, count)
    want = steps(make(), ["a/kernel"], count)
    want.update(steps(make(**changes), ["b/table", "b/bias"], count))
    assert_equal(got, want)
    assert not np.array_equal(steps(make(), EVERY, count)["b/table"][0], want["b/table"][0])


@pytest.mark.parametrize("module", [m for m in MODULES if not has_totals(one_class(m))])
def test_it_is_two_optimizers(module):
    cls = one_class(module)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    given = {p.name: 0.25 for p in positional if p.default is p.empty}
    config = cls(**given).get_config()
    less = {
        name: config[name] * 0.875
        for name in cls._HYPERS
        if config[name] > 0 and name not in OF_SHARED.get(module, ())
    }
    make = lambda **changes: cls(**dict(given, **changes))
    assert_two(make, {"^b/": dict.fromkeys(less, "*0.875")}, less)
    assert_two(make, {"^b/": less}, less)


def test_totals_are_sums_over_all_groups():
    """Clipping by the norm of all gradients, where some variables have an override, as NumPy."""
    overrides = {"^b/": {"learning_rate": "*0.5", "max_norm": 0.25}}
    spelled = {"^b/": {"lr": "*0.5", "c": 0.25}}
    optimizer = composed("ClippedMomentum")(0.1, overrides=overrides)
    reference = composed_numpy("ClippedMomentum")(0.1, overrides=spelled)
    w = variables(["a/kernel", "b/bias"])
    arrays = {"a/kernel": np.array(w[0].numpy()), "b/bias": np.array(w[1].numpy())}
    for step in range(4):
        found = gradients(["a/kernel", "b/bias"], step)
        optimizer.apply_gradients(list(zip(found, w)))
        reference.update(arrays, {name: g.numpy() for name, g in zip(arrays, found)})
    for variable, expected in zip(w, arrays.values()):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6)


def test_the_last_pattern_counts():
    overrides = {"^b/": {"learning_rate": 7}, "^b/(table|bias)$": {"learning_rate": 0.3}}
    assert_two(AdamW, overrides, {"learning_rate": 0.3})


def test_schedules_and_decay():
    schedule = keras.optimizers.schedules.ExponentialDecay
    half = {"^b/": {"learning_rate": "*0.5"}}
    whole = {"^b/": {"learning_rate": 0.5}}

    def make(learning_rate=schedule(0.25, 2, 0.5), **given):
        return AdamW(learning_rate, **given)

    def decaying(learning_rate=0.25, **given):
        return AdamW(learning_rate, decay=0.1, **given)

    assert_two(make, half, {"learning_rate": schedule(0.125, 2, 0.5)})
    assert_two(make, whole, {"learning_rate": 0.5})
    assert_two(decaying, half, {"learning_rate": 0.125})
    assert_two(decaying, whole, {"learning_rate": 0.5})


def test_a_factor_follows_a_hyperparameter_that_is_changed():
    overrides = {"b/table": {"learning_rate": "*0.5"}, "b/bias": {"learning_rate": 0.5}}
    optimizer = AdamW(0.1, overrides=overrides)
    optimizer.learning_rate = 0.25
    got = steps(optimizer, EVERY)
    for name, rate in [("a/kernel", 0.25), ("b/table", 0.125), ("b/bias", 0.5)]:
        assert_equal({name: got[name]}, steps(AdamW(rate), [name]))


def in_a_session(optimizer, names):
    with graph_session() as session:
        w, updates = variables(names), []
        for step in range(3):
            with tf.control_dependencies(updates[-1:]):
                updates.append(optimizer.apply_gradients(zip(gradients(names, step), w)))
        initialize(session)
        session.run(updates[-1])
        return dict(zip(names, session.run(w)))


def in_a_function(optimizer, names):
    w = variables(names)

    @tf.function
    def step(grads):
        optimizer.apply_gradients(zip(grads, w))

    for i in range(3):
        step(gradients(names, i))
    return dict(zip(names, values(w)))


@pytest.mark.parametrize("run", [in_a_session, in_a_function])
@pytest.mark.parametrize("cls", [AdamW, Nadam])
def test_graphs(cls, run):
    overrides = {"^b/": {"learning_rate": "*0.5", "epsilon": 0.25}}
    got = run(cls(0.5, overrides=overrides), EVERY)
    want = run(cls(0.5), ["a/kernel"])
    want.update(run(cls(0.25, epsilon=0.25), ["b/table", "b/bias"]))
    for name in EVERY:
        np.testing.assert_array_equal(got[name], want[name])


def test_what_is_the_same_is_computed_once():
    def operations(**given):
        with graph_session() as session:
            w = [tf.Variable(tf.ones(2), name=f"w{i}") for i in range(4)]
            Nadam(**given).apply_gradients([(tf.ones(2), x) for x in w])
            return [(x.type, x.name) for x in session.graph.get_operations()]

    plain = operations()
    assert operations(overrides={}) == operations(overrides={"no": {"beta_1": 0}}) == plain
    groups = [
        operations(overrides={f"w{i}": {"learning_rate": 0.5} for i in which})
        for which in [(0,), (0, 1), (0, 1, 2)]
    ]
    assert len(plain) < len(groups[0]) == len(groups[1]) == len(groups[2])


def test_shared_values_are_those_without_overrides():
    plain, other = Nadam(), Nadam(overrides={"": {"beta_1": 0.5}})
    for optimizer in (plain, other):
        steps(optimizer, EVERY)
    assert_same(
        values([plain._shared["momentum_cache"]]), values([other._shared["momentum_cache"]])
    )


def test_names():
    names = ["dense/bias", "dense/kernel", "table/part_0", "table/part_1"]
    for pattern, want in [
        ("bias", [0]),
        ("bias$", [0]),
        ("^dense/bias:0$", [0]),
        ("table$", [2, 3]),
        ("table/part_1$", [3]),
        ("", [0, 1, 2, 3]),
        ("^kernel", []),
    ]:
        w = [tf.Variable([1.0], name=name) for name in names]
        optimizer = GradientDescent(1.0, overrides={pattern: {"learning_rate": 0}})
        optimizer.apply_gradients([(tf.ones(1), x) for x in w])
        assert [i for i, x in enumerate(w) if x.numpy()[0] == 1] == want


def model(optimizer):
    hidden = keras.layers.Dense(3, input_shape=(4,), name="hidden")
    last = keras.layers.Dense(1, name="last")
    made = keras.Sequential([hidden, keras.layers.LayerNormalization(name="norm"), last])
    made.set_weights([array(*x.shape, seed=i) for i, x in enumerate(made.get_weights())])
    made.compile(optimizer, "mse")
    return made


def fit(made):
    x, y = array(8, 4), array(8, 1, seed=2)
    made.fit(x, y, epochs=2, verbose=0, shuffle=False, batch_size=4)
    return made.get_weights()


OVERRIDES = {
    "bias|norm": {"weight_decay": 0.0, "learning_rate": 0.25},
    "^hidden": {"learning_rate": "*0.5"},  # TF 1.15 numbers the names of a second model
}


def by_hand():
    """The same training as `fit` with OVERRIDES, by an optimizer for each variable."""
    made, loss = model(AdamW()), keras.losses.MeanSquaredError()
    kinds = [(0.05, 0.1), (0.05, 0.0), (0.25, 0.0), (0.25, 0.0), (0.1, 0.1), (0.25, 0.0)]
    optimizers = [AdamW(*kind) for kind in kinds]
    x, y = array(8, 4), array(8, 1, seed=2)
    for part in [slice(0, 4), slice(4, 8)] * 2:
        with tf.GradientTape() as tape:
            found = loss(y[part], made(x[part]))
        w = made.trainable_variables
        for optimizer, g, variable in zip(optimizers, tape.gradient(found, w), w):
            optimizer.apply_gradients([(g, variable)])
    return made.get_weights()


def test_fit():
    got = fit(model(AdamW(0.1, 0.1, overrides=OVERRIDES)))
    for one, other in zip(got, by_hand()):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=2e-6)


def test_models_and_checkpoints_go_on(tmp_path):
    made = model(AdamW(0.1, 0.1, overrides=OVERRIDES))
    fit(made)
    made.save(str(tmp_path / "m.h5"))
    made.save_weights(str(tmp_path / "w"), save_format="tf")
    loaded = keras.models.load_model(str(tmp_path / "m.h5"), custom_objects={"AdamW": AdamW})
    restored = model(AdamW(0.1, 0.1, overrides=OVERRIDES))
    restored.load_weights(str(tmp_path / "w"))
    assert loaded.optimizer.get_config() == made.optimizer.get_config()
    assert list(loaded.optimizer.get_config()["overrides"]) == list(OVERRIDES)
    if VERSION >= (2, 15):
        made.save(str(tmp_path / "m.keras"))
        again = keras.models.load_model(str(tmp_path / "m.keras"))
        assert again.optimizer.get_config() == made.optimizer.get_config()
    want = fit(made)
    assert_same(fit(loaded), want)
    assert_same(fit(restored), want)


def test_the_configuration_and_copies():
    optimizer = AdamW(overrides={"b": {"learning_rate": "*0.5"}, "a": {"beta_1": np.float32(0)}})
    config = optimizer.get_config()
    want = {"b": {"learning_rate": "*0.5"}, "a": {"beta_1": 0.0}}
    assert config["overrides"] == want
    serialized = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    made = [AdamW.from_config(json.loads(json.dumps(config))), copy.deepcopy(optimizer)]
    made += [pickle.loads(pickle.dumps(optimizer))]
    made += [keras.optimizers.deserialize(serialized, custom_objects={"AdamW": AdamW})]
    expected = steps(AdamW(overrides=want), EVERY)
    for twin in made:
        assert twin.get_config() == config
        assert list(twin.get_config()["overrides"]) == ["b", "a"]
        assert_equal(steps(twin, EVERY), expected)
    config["overrides"]["b"]["learning_rate"] = 7.0
    assert optimizer.get_config()["overrides"] == want
    assert "overrides" not in AdamW().get_config()


@pytest.mark.parametrize(
    "hyper, change, words",
    [
        ("rate", 1, ["no hyperparameter", "learning_rate, weight_decay, beta_1, beta_2, epsilon"]),
        ("clipnorm", 1, ["no hyperparameter"]),
        ("amsgrad", True, ["fixed"]),
        ("learning_rate", -1, ["[0, inf)"]),
        ("epsilon", 0, ["(0, inf)"]),
        ("epsilon", "*0", ["(0, inf)"]),
        ("beta_1", "*2", ["[0, 1)", "1.8"]),
        ("learning_rate", "*nan", ["[0, inf)", "finite"]),
        ("learning_rate", "0.1", ["[0, inf)", "'*0.1'"]),
        ("learning_rate", lambda: 0.1, ["[0, inf)", "number"]),
    ],
)
def test_what_is_refused(hyper, change, words):
    with pytest.raises(ValueError) as caught:
        AdamW(overrides={"a": {hyper: change}})
    message = str(caught.value)
    assert all(word in message for word in ["'a'", hyper, repr(change), *words]), message


def test_a_pattern_that_is_none_and_what_was_not_in_use():
    with pytest.raises(ValueError, match=r"'\('.*regular expression"):
        AdamW(overrides={"(": {"learning_rate": 1}})
    with pytest.raises(ValueError, match=r"'a'.*'momentum'. = 0.9.*was 0 at construction"):
        SGD(0.1, 0, overrides={"a": {"momentum": 0.9}})
    SGD(0.1, 0, overrides={"a": {"momentum": "*2"}})
    off = steps(SGD(0.1, 0.9, overrides={"^b/": {"momentum": 0}}), EVERY)
    for name in EVERY[1:]:
        assert_same(off[name][:1], steps(SGD(0.1, 1e-300), [name])[name][:1])


def test_loss_scaling():
    if TF1:
        assert not hasattr(keras.mixed_precision, "LossScaleOptimizer")  # it came with 2.4
        return
    inner = AdamW(0.1, overrides={"b/": {"learning_rate": "*0.5"}})
    scaled = keras.mixed_precision.LossScaleOptimizer(inner, dynamic=False, initial_scale=4.0)
    w = variables(["a/kernel", "b/bias"])
    scaled.apply_gradients([(4 * g, x) for g, x in zip(gradients(["a/kernel", "b/bias"], 0), w)])
    want = steps(AdamW(0.05), ["b/bias"], count=1)
    np.testing.assert_allclose(w[1].numpy(), want["b/bias"][0], rtol=1e-6)
