"""Hyperparameters overridden for some variables by patterns of their names."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest
import tensorflow
import tensorflow.compat.v1 as tf

from tests.support import SAMPLE
from tests.tf1.harness import GRAPH, MODES, eager_mode, generated, graph_session, rows

pytestmark = pytest.mark.tf

NAMES = SAMPLE
#: The hyperparameters that the shared value of Nadam is made of: it is one for all variables.
OF_SHARED = {"nadam": {"beta1", "schedule_decay"}}

START = {"a/kernel": np.ones((4, 3)), "b/table": np.ones((4, 2)), "b/bias": np.array(0.5)}


def gradients(step, names):
    random = np.random.RandomState(step)
    found = {
        "a/kernel": tf.constant(random.standard_normal((4, 3)), tf.float32),
        "b/table": rows(random.standard_normal((3, 2)).astype("float32"), random.randint(0, 4, 3)),
        "b/bias": tf.constant(random.standard_normal(()), tf.float32),
    }
    return [found[name] for name in names]


def variables(names, resource=True):
    return [tf.Variable(START[n], dtype=tf.float32, name=n, use_resource=resource) for n in names]


def slots(optimizer, variable):
    found = [optimizer.get_slot(variable, name) for name in sorted(optimizer.get_slot_names())]
    return [x for x in found if x is not None]


def steps(make, names, mode="resource", count=2):
    """{name: what the variable and its slots are} after steps of these variables alone."""
    if mode in GRAPH:
        with graph_session() as session:
            optimizer, w = make(), variables(names, mode == "resource")
            updates = []
            for step in range(count):
                with tf.control_dependencies(updates[-1:]):
                    grads = gradients(step, names)
                    updates.append(optimizer.apply_gradients(list(zip(grads, w))))
            session.run(tf.global_variables_initializer())
            session.run(updates[-1])
            return {n: session.run([v, *slots(optimizer, v)]) for n, v in zip(names, w)}
    with eager_mode():
        optimizer, w = make(), variables(names)

        def apply(grads):
            optimizer.apply_gradients(list(zip(grads, w)))

        apply = tensorflow.function(apply) if mode == "function" else apply
        for step in range(count):
            apply(gradients(step, names))
        return {n: [x.numpy() for x in [v, *slots(optimizer, v)]] for n, v in zip(names, w)}


def assert_same(got, want):
    assert got.keys() == want.keys()
    for name in got:
        assert len(got[name]) == len(want[name])
        for one, other in zip(got[name], want[name]):
            np.testing.assert_array_equal(one, other)


def assert_two(cls, given, changes, overrides, mode="resource"):
    """One optimizer with overrides for what begins with b/ is two optimizers."""
    got = steps(lambda: cls(overrides=overrides, **given), list(START), mode)
    want = steps(lambda: cls(**given), ["a/kernel"], mode)
    want.update(steps(lambda: cls(**dict(given, **changes)), ["b/table", "b/bias"], mode))
    assert_same(got, want)
    plain = steps(lambda: cls(**given), list(START), mode)
    assert not np.array_equal(plain["b/table"][0], want["b/table"][0])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_two_optimizers(name):
    cls = generated(name)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    given = {p.name: 0.25 for p in parameters if p.default is p.empty}
    hypers = {h.name: h.value for h in cls(**given)._hypers.values()}
    less = {h: x * 0.875 for h, x in hypers.items() if x > 0 and h not in OF_SHARED.get(name, ())}
    assert_two(cls, given, less, {"^b/": dict.fromkeys(less, "*0.875")})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["adamw", "nadam", "momentum"])
def test_it_is_two_optimizers_in_every_mode(name, mode):
    overrides = {"^b/": {"learning_rate": 7}, "^b/(bias|table)$": {"learning_rate": 0.3}}
    given = {"learning_rate": 0.1, **({"momentum": 0.9} if name == "momentum" else {})}
    assert_two(generated(name), given, {"learning_rate": 0.3}, overrides, mode)


def test_a_factor_is_of_the_callable_and_a_number_in_its_place():
    def make(rate, overrides=None):
        return lambda: generated("adamw")(lambda: tf.constant(rate), overrides=overrides)

    overrides = {"table": {"learning_rate": "*0.25"}, "bias": {"learning_rate": 0.75}}
    for mode in ("resource", "eager"):
        got = steps(make(0.5, overrides), list(START), mode)
        for name, rate in [("a/kernel", 0.5), ("b/table", 0.125), ("b/bias", 0.75)]:
            assert_same({name: got[name]}, steps(make(rate), [name], mode))


def names_found(make_variables):
    """Which of some variables a pattern without an end finds, and with one."""
    found = []
    for pattern in ("w", "w$", "^w:0$"):
        with graph_session() as session:
            w = make_variables()
            optimizer = generated("gradient_descent")(
                1.0, overrides={pattern: {"learning_rate": 0}}
            )
            update = optimizer.apply_gradients([(tf.ones_like(x), x) for x in w])
            session.run(tf.global_variables_initializer())
            session.run(update)
            found.append([bool(np.all(x == 1)) for x in session.run(w)])
    return found


def test_names_with_and_without_the_number_of_the_output():
    def make():
        return [tf.Variable(tf.ones(2), name=n, use_resource=r) for n in "wv" for r in (0, 1)]

    every = [[True, True, False, False], [True, False, False, False], [True, False, False, False]]
    assert names_found(make) == every


def test_the_parts_of_a_partitioned_variable_go_by_the_name_of_the_whole_too():
    def make():
        cut = tf.fixed_size_partitioner(2)
        ones = tf.ones_initializer()
        return list(tf.get_variable("w", [4, 1], initializer=ones, partitioner=cut))

    assert names_found(make) == [[True, True], [True, True], [False, False]]
    with graph_session() as session:
        w = make()
        part = {"part_1": {"learning_rate": 0}}
        update = generated("gradient_descent")(1.0, overrides=part).apply_gradients(
            [(tf.ones_like(x), x) for x in w]
        )
        session.run(tf.global_variables_initializer())
        session.run(update)
        assert [x[0, 0] for x in session.run(w)] == [0, 1]


def test_what_is_the_same_is_computed_once():
    def operations(**given):
        with graph_session() as session:
            w = [tf.Variable(tf.ones(2), name=f"w{i}") for i in range(4)]
            generated("adamw")(**given).apply_gradients([(tf.ones(2), x) for x in w])
            return [(x.type, x.name) for x in session.graph.get_operations()]

    plain = operations()
    assert operations(overrides={}) == operations(overrides={"no": {"beta1": 0}}) == plain
    groups = [
        operations(overrides={f"w{i}": {"learning_rate": 0.5} for i in which})
        for which in [(0,), (0, 1), (0, 1, 2)]
    ]
    assert len(plain) < len(groups[0]) == len(groups[1]) == len(groups[2])


def test_variables_of_several_dtypes():
    overrides = {"bias": {"learning_rate": 0.5}}
    with graph_session() as session:
        dtypes = [tf.float32, tf.float64, tf.float16]
        w = [tf.Variable(tf.ones(2, d), name=n) for d in dtypes for n in ("bias", "kernel")]
        optimizer = generated("gradient_descent")(0.25, overrides=overrides)
        update = optimizer.apply_gradients([(tf.ones_like(x), x) for x in w])
        session.run(tf.global_variables_initializer())
        session.run(update)
        found = [x[0] for x in session.run(w)]
    assert found == [0.5, 0.75] * 3  # "bias" is also found in bias_1 and bias_2


def test_the_configuration_and_copies():
    overrides = {"b": {"learning_rate": "*0.5"}, "a": {"weight_decay": np.float32(0), "beta1": 0}}
    optimizer = generated("adamw")(overrides=overrides)
    config = optimizer.get_config()
    want = {"b": {"learning_rate": "*0.5"}, "a": {"weight_decay": 0.0, "beta1": 0.0}}
    assert config["overrides"] == want
    made = [type(optimizer).from_config(json.loads(json.dumps(config)))]
    made += [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    expected = steps(lambda: optimizer, list(START))
    for again in made:
        assert again.get_config() == config
        assert list(again.get_config()["overrides"]) == ["b", "a"]
        assert_same(steps(lambda: again, list(START)), expected)
    config["overrides"]["b"]["learning_rate"] = 7.0
    assert optimizer.get_config()["overrides"] == want
    assert generated("adamw")().get_config()["overrides"] is None


@pytest.mark.parametrize(
    "hyper, change, words",
    [
        ("rate", 1, ["no hyperparameter", "learning_rate, weight_decay, beta1, beta2, epsilon"]),
        ("clipnorm", 1, ["no hyperparameter"]),
        ("amsgrad", True, ["fixed"]),
        ("learning_rate", -1, ["[0, inf)"]),
        ("beta1", 1, ["[0, 1)"]),
        ("beta1", "*2", ["[0, 1)", "1.8"]),
        ("learning_rate", "*inf", ["[0, inf)", "finite"]),
        ("learning_rate", "0.1", ["[0, inf)", "'*0.1'"]),
        ("learning_rate", lambda: 0.1, ["[0, inf)", "number"]),
    ],
)
def test_what_is_refused(hyper, change, words):
    with pytest.raises(ValueError) as caught:
        generated("adamw")(overrides={"a": {hyper: change}})
    message = str(caught.value)
    assert all(word in message for word in ["'a'", hyper, repr(change), *words]), message


def test_a_pattern_that_is_none_and_what_was_not_in_use():
    with pytest.raises(ValueError, match=r"'\('.*regular expression"):
        generated("adamw")(overrides={"(": {"learning_rate": 1}})
    momentum = generated("sgd")
    with pytest.raises(ValueError, match=r"'a'.*'momentum'. = 0.9.*was 0 at construction"):
        momentum(0.1, 0, overrides={"a": {"momentum": 0.9}})
    momentum(0.1, 0, overrides={"a": {"momentum": 0}})
    momentum(0.1, lambda: 0.0, overrides={"a": {"momentum": 0.9}})
