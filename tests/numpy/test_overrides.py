"""Hyperparameters overridden for some variables by patterns of their keys."""

import copy
import itertools
import json
import pickle

import numpy as np
import pytest

from tests.numpy.helpers import CASES, NAMES, bits, cls, make, sparse

#: The hyperparameters that shared values are made of: those are one for all variables.
OF_SHARED = {
    "nadam": {"b1", "d"},
    "nadam_torch": {"b1", "d"},
    "schedule_free_adamw": {"lr", "r", "p"},
    "schedule_free_sgd": {"lr", "r", "p"},
}
#: With a total, variables are not on their own in any case.
SEPARATE = [(name, s) for name, s in CASES if not hasattr(cls(name), "_PHASES")]


def gradients(name, step):
    random = np.random.RandomState(step)
    return {
        "a/kernel": random.standard_normal((4, 3)),
        "b/table": sparse(name, random.randint(0, 4, 3), random.standard_normal((3, 2))),
        "b/bias": random.standard_normal(()),
    }


def start():
    shapes = {"a/kernel": (4, 3), "b/table": (4, 2), "b/bias": ()}
    return {k: np.random.RandomState(9).standard_normal(s) for k, s in shapes.items()}


def steps(name, optimizer, keys, count=4):
    """What variables and their slots are after steps of these alone."""
    params = {key: x for key, x in start().items() if key in keys}
    for step in range(count):
        grads = {k: g for k, g in gradients(name, step).items() if k in keys}
        optimizer.update(params, grads)
    return bits(params), bits(optimizer.state_dict()["slots"])


def merged(*halves):
    return tuple({k: x for half in halves for k, x in half[place].items()} for place in range(2))


def changed(name, setting):
    """Hyperparameters of a case that may differ, with seven eighths of their values."""
    made = make(name, **setting)
    return {
        h: getattr(made, h) * 0.875
        for h in made._HYPERS
        if h not in OF_SHARED.get(name, ()) and getattr(made, h) > 0
    }


@pytest.mark.parametrize("name, setting", SEPARATE)
def test_it_is_two_optimizers(name, setting):
    for hyper, less in changed(name, setting).items():
        want = merged(
            steps(name, make(name, **setting), ["a/kernel"]),
            steps(name, make(name, **{**setting, hyper: less}), ["b/table", "b/bias"]),
        )
        if hyper == "lr":
            assert want != steps(name, make(name, **setting), list(start()))
        for change in (less, "*0.875"):
            optimizer = make(name, overrides={"^b/": {hyper: change}}, **setting)
            assert steps(name, optimizer, list(start())) == want


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_the_equations_and_public_ones(name):
    made = make(name)
    for public, own in made._PUBLIC.items():
        if own in made._HYPERS and hasattr(made, own):
            twins = [make(name, overrides={"b": {h: "*0.875"}}) for h in (public, own)]
            assert twins[0].get_config() == twins[1].get_config()
            assert twins[0].get_config()["overrides"] == {"b": {own: "*0.875"}}


def adam(**options):
    return cls("adamw")(0.1, **options)


def moved(optimizer, keys=("x/kernel", "x/bias", "y/bias"), count=1):
    """How far each variable goes."""
    params = {key: np.ones(2) for key in keys}
    for _ in range(count):
        optimizer.update(params, {key: np.full(2, 0.5) for key in keys})
    return {key: 1 - x[0] for key, x in params.items()}


def test_the_last_pattern_that_is_found_counts():
    rates = {"bias": {"lr": "*0.5"}, "^y": {"lr": 0.2}, "x": {"wd": 0}}
    got = moved(adam(overrides=rates))
    assert got["x/kernel"] == moved(adam(wd=0))["x/kernel"]
    assert got["x/bias"] == moved(cls("adamw")(0.05, wd=0))["x/bias"]
    assert got["y/bias"] == moved(cls("adamw")(0.2))["y/bias"]
    backwards = dict(reversed(list(rates.items())))
    assert moved(adam(overrides=backwards))["y/bias"] == moved(cls("adamw")(0.05))["y/bias"]


def test_factors_on_one_hyperparameter_do_not_add_up():
    both = moved(adam(overrides={"bias": {"lr": "*0.5"}, "y": {"lr": "*0.5"}}))
    assert both["y/bias"] == both["x/bias"] == moved(cls("adamw")(0.05))["x/bias"]


def test_a_list_goes_by_its_indices():
    params = [np.ones(2), np.ones(2)]
    adam(overrides={"^1$": {"lr": 0}}).update(params, [np.ones(2)] * 2)
    assert params[0][0] < 1 and params[1][0] == 1


def test_a_factor_is_of_the_schedule_and_a_number_in_its_place():
    seen = []
    schedule = lambda step: seen.append(step) or 0.1 / (step + 1)
    overrides = {"x/bias": {"lr": "*0.5"}, "y/bias": {"lr": 0.1}}
    got = moved(cls("adamw")(schedule, overrides=overrides), count=3)
    assert seen == [0, 1, 2]  # once in a step
    half = cls("adamw")(lambda step: 0.05 / (step + 1))
    assert got["x/bias"] == moved(half, count=3)["x/bias"]
    assert got["y/bias"] == moved(adam(), count=3)["y/bias"]


def test_a_factor_follows_a_hyperparameter_that_is_changed():
    optimizer = adam(overrides={"bias": {"lr": "*0.5"}, "kernel": {"lr": 0.3}})
    optimizer.lr = 0.4
    got = moved(optimizer)
    assert got["x/bias"] == moved(cls("adamw")(0.2))["x/bias"]
    assert got["x/kernel"] == moved(cls("adamw")(0.3))["x/kernel"]


def test_equal_overrides_are_computed_once(monkeypatch):
    Adam, counted = cls("adamw"), []
    step = Adam._step
    monkeypatch.setattr(Adam, "_step", lambda *args: counted.append(1) or step(*args))
    for overrides, count in [
        (None, 1),
        ({}, 1),
        ({"nothing": {"lr": 0}}, 1),
        ({"bias": {"lr": 0, "wd": 0}}, 2),
        ({"x/bias": {"lr": 0.0, "wd": "*2"}, "y/bias": {"wd": "*2", "lr": 0}}, 2),
        ({"x/bias": {"lr": "*0"}, "y/bias": {"lr": 0}}, 3),
    ]:
        counted.clear()
        moved(adam(overrides=overrides))
        assert len(counted) == count


def test_shared_values_are_those_without_overrides():
    Nadam = cls("nadam")
    plain, other = Nadam(), Nadam(overrides={"bias": {"b1": 0.5, "d": 1.0}})
    kernels = [moved(optimizer, count=3)["x/kernel"] for optimizer in (plain, other)]
    assert kernels[0] == kernels[1]
    assert plain.state_dict()["shared"] == other.state_dict()["shared"]
    everywhere = Nadam(overrides={"": {"b1": 0.5}})
    moved(everywhere, count=3)
    assert everywhere.state_dict()["shared"] == plain.state_dict()["shared"]


def test_the_configuration_and_copies():
    overrides = {"b": {"learning_rate": "*0.5"}, "a": {"wd": np.float32(0), "b1": 0}}
    optimizer = adam(overrides=overrides)
    config = optimizer.get_config()
    assert config["overrides"] == {"b": {"lr": "*0.5"}, "a": {"wd": 0.0, "b1": 0.0}}
    assert list(config["overrides"]) == ["b", "a"]
    again = cls("adamw").from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config and list(again.get_config()["overrides"]) == ["b", "a"]
    for twin in (again, copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert moved(twin) == moved(adam(overrides=overrides))
    config["overrides"]["b"]["lr"] = 7.0
    overrides["b"]["learning_rate"] = 7.0
    assert optimizer.get_config()["overrides"]["b"] == {"lr": "*0.5"}
    assert adam().get_config()["overrides"] is None


@pytest.mark.parametrize(
    "pattern, hyper, change, words",
    [
        ("a", "rate", 1, ["no hyperparameter", "lr", "learning_rate"]),
        ("a", "clipnorm", 1, ["no hyperparameter"]),
        ("a", "amsgrad", True, ["fixed"]),
        ("a", "learning_rate", -1, ["[0, inf)"]),
        ("a", "lr", float("nan"), ["[0, inf)"]),
        ("a", "b1", 1, ["[0, 1)"]),
        ("a", "b1", "*2", ["[0, 1)", "1.8"]),
        ("a", "eps", "*0", ["(0, inf)"]),
        ("a", "lr", "*inf", ["[0, inf)", "finite"]),
        ("a", "lr", "*1e999", ["[0, inf)", "finite"]),
        ("a", "lr", "*nan", ["[0, inf)", "finite"]),
        ("a", "lr", "*-1", ["[0, inf)", "not negative"]),
        ("a", "lr", "*", ["[0, inf)", "'*0.1'"]),
        ("a", "lr", "", ["[0, inf)", "'*0.1'"]),
        ("a", "lr", "0.1", ["[0, inf)", "'*0.1'"]),
        ("a", "lr", True, ["[0, inf)", "number"]),
        ("a", "lr", None, ["[0, inf)", "number"]),
        ("a", "lr", lambda t: 0.1, ["[0, inf)", "number"]),
        ("(", "lr", 0.1, ["regular expression", "unterminated"]),
        (3, "lr", 0.1, ["3", "str"]),
    ],
)
def test_what_is_refused(pattern, hyper, change, words):
    with pytest.raises(ValueError) as caught:
        adam(overrides={"fine": {"lr": 0.1}, pattern: {hyper: change}})
    message = str(caught.value)
    assert all(word in message for word in [repr(pattern), hyper, repr(change), *words]), message


def test_overrides_of_another_kind_are_refused():
    for wrong in (3, "a", [("a", {"lr": 1})], {"a": 3}, {"a": [("lr", 1)]}):
        with pytest.raises(ValueError, match="overrides.*dict"):
            adam(overrides=wrong)
    with pytest.raises(ValueError, match="twice"):
        adam(overrides={"a": {"lr": 1, "learning_rate": 2}})


def test_what_was_not_in_use_at_construction_stays_so():
    SGD = cls("sgd")
    with pytest.raises(ValueError, match=r"overrides\['a'\]\['momentum'\] = 0.9.*0 at constr"):
        SGD(0.1, overrides={"a": {"momentum": 0.9}})
    SGD(0.1, overrides={"a": {"momentum": 0}, "b": {"momentum": "*2"}})
    off = SGD(0.1, 0.9, overrides={"bias": {"momentum": 0}})
    got = moved(off, count=3)
    assert got["x/bias"] == moved(SGD(0.1), count=3)["x/bias"]
    assert got["x/kernel"] == moved(SGD(0.1, 0.9), count=3)["x/kernel"]


def test_a_step_that_fails_changes_nothing():
    optimizer = adam(overrides={"bias": {"lr": 0.5}})
    params = {"x/bias": np.ones(2), "y": np.ones(2)}
    with pytest.raises(ValueError):
        optimizer.update(params, {"x/bias": np.ones(2), "y": np.ones(3)})
    assert optimizer.t == 0 and all(np.all(x == 1) for x in params.values())


def test_every_pair_of_hyperparameters():
    hypers = ["lr", "wd", "b1", "b2", "eps"]
    for one, other in itertools.combinations(hypers, 2):
        got = moved(adam(overrides={"bias": {one: "*0.5"}, "x": {other: "*0.25"}}), count=2)
        given = adam().get_config()
        changes = {one: given[one] / 2, other: given[other] / 4}
        want = cls("adamw")(**{**given, **changes})
        assert got["x/bias"] == moved(want, count=2)["x/bias"]
