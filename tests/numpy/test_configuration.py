"""Arguments: names, domains, schedules, what can be changed later; clipping and constraints."""

import inspect

import numpy as np
import pytest

from tests.numpy.helpers import CASES, IDS, NAMES, bits, cls, make, sparse, train


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_the_config_makes_the_same_optimizer(name, setting):
    optimizer = make(name, clipnorm=2, **setting)
    config = optimizer.get_config()
    assert set(config) == set(inspect.signature(type(optimizer)).parameters)
    assert {type(x) for x in config.values()} <= {float, int, bool, list, str, type(None)}
    assert type(optimizer).from_config(config).get_config() == config


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_by_its_public_name(name):
    optimizer = make(name)
    for public, own in optimizer._PUBLIC.items():
        value = optimizer.get_config()[own]
        if value is None:
            continue
        others = {k: v for k, v in optimizer.get_config().items() if k != own}
        made = type(optimizer)(**{public: value}, **others)
        assert made.get_config() == optimizer.get_config()
        assert getattr(made, public) == getattr(made, own) == getattr(optimizer, own)
        with pytest.raises(TypeError, match=f"{public}.*{own}"):
            type(optimizer)(**{public: value, own: value})
        with pytest.raises(TypeError, match="multiple values"):
            position = list(inspect.signature(type(optimizer)).parameters).index(own)
            type(optimizer)(
                *list(optimizer.get_config().values())[: position + 1], **{public: value}
            )


def test_arguments_that_do_not_exist():
    with pytest.raises(TypeError):
        cls("adam")(beta=0.9)
    with pytest.raises(AttributeError, match="rate"):
        cls("adam")().rate
    with pytest.raises(TypeError):
        cls("adagrad_no_eps")()


@pytest.mark.parametrize(
    "name, argument, value, error, words",
    [
        ("adam", "lr", -1, ValueError, ["learning_rate", "lr", "[0, inf)", "-1"]),
        ("adam", "learning_rate", float("inf"), ValueError, ["learning_rate", "[0, inf)", "inf"]),
        ("adam", "lr", float("nan"), ValueError, ["learning_rate", "nan"]),
        ("adam", "beta_1", 1, ValueError, ["beta_1", "[0, 1)", "1"]),
        ("adam", "b1", np.float32(1.5), ValueError, ["beta_1", "1.5"]),
        ("adam", "eps", 0, ValueError, ["epsilon", "(0, inf)", "0"]),
        ("adam", "lr", "0.1", TypeError, ["learning_rate", "number", "'0.1'"]),
        ("adam", "lr", True, TypeError, ["learning_rate", "number"]),
        ("adam", "lr", None, TypeError, ["learning_rate", "number"]),
        ("adam", "lr", 1j, TypeError, ["learning_rate", "number"]),
        ("adam", "lr", np.ones(1), TypeError, ["learning_rate", "number"]),
        ("adam", "lr", 10**400, TypeError, ["learning_rate", "number"]),
        ("adam", "amsgrad", 1, TypeError, ["amsgrad", "True or False", "1"]),
        ("adam", "clipnorm", 0, ValueError, ["clipnorm", "(0, inf)", "0"]),
        ("adam", "clipvalue", -1, ValueError, ["clipvalue", "(0, inf)", "-1"]),
        ("adam", "global_clipnorm", "1", TypeError, ["global_clipnorm", "'1'"]),
    ],
)
def test_values_that_are_refused(name, argument, value, error, words):
    with pytest.raises(error) as caught:
        make(name, **{argument: value})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_numbers_of_all_kinds_are_plain_ones_afterwards():
    for value in (1, np.int8(1), np.float32(1), np.array(1.0)):
        lr = cls("adam")(lr=value).lr
        assert lr == 1 and type(lr) is float
    assert cls("adam")(amsgrad=np.bool_(True)).amsgrad is True


def test_hyperparameters_can_be_changed_and_are_checked_then():
    optimizer = cls("adam")()
    optimizer.lr = 0.5
    assert optimizer.learning_rate == 0.5
    optimizer.learning_rate = 1
    assert optimizer.lr == 1.0 and optimizer.get_config()["lr"] == 1.0
    w = np.zeros(1)
    optimizer.update([w], [np.ones(1)])
    assert w[0] == pytest.approx(-1, rel=1e-5)
    for name, value in [("lr", -1), ("beta_1", 1), ("clipnorm", -1)]:
        with pytest.raises(ValueError):
            setattr(optimizer, name, value)
    optimizer.clipnorm = 0.5
    assert optimizer.get_config()["clipnorm"] == 0.5
    with pytest.raises(AttributeError, match="amsgrad"):
        optimizer.amsgrad = True


def test_what_decided_which_state_there_is_stays():
    plain = cls("sgd")(0.1)
    with pytest.raises(ValueError, match="momentum"):
        plain.mu = 0.9
    plain.mu = 0
    with_momentum = cls("sgd")(0.1, 0.9)
    with_momentum.momentum = 0
    w = np.zeros(1)
    with_momentum.update([w], [np.ones(1)])
    assert list(with_momentum.state_dict()["slots"][0]) == ["momentum"]


def counts_all_steps(name):
    """Whether a schedule of `lr` sees them all, not those of a part: test_composition.py."""
    return "lr" in make(name)._HYPERS and not hasattr(cls(name), "_CLOCKS")


@pytest.mark.parametrize("name, setting", [c for c in CASES if counts_all_steps(c[0])], ids=None)
def test_a_schedule_sees_the_number_of_steps_done(name, setting):
    seen = []
    scheduled = make(name, **dict(setting, lr=lambda step: seen.append(step) or 0.1 / (step + 1)))
    changed = make(name, **setting)
    w, want = {"w": np.ones((2, 2))}, {"w": np.ones((2, 2))}
    for step in range(4):
        changed.lr = 0.1 / (step + 1)
        train(scheduled, w, 1)
        train(changed, want, 1)
    assert seen == [0, 1, 2, 3] and bits(w) == bits(want)


def test_any_hyperparameter_may_be_a_schedule():
    for name in NAMES:
        optimizer = make(name)
        numbers = {k: v for k, v in optimizer.get_config().items() if k in optimizer._HYPERS}
        schedules = {k: (lambda step, v=v: np.float32(v)) for k, v in numbers.items()}
        train(make(name, **schedules), {"w": np.ones(2)}, 2)
        assert optimizer.get_config()["clipnorm"] is None
    with pytest.raises(TypeError, match=r"learning_rate.*'fast'"):
        train(cls("adam")(lr=lambda step: "fast"), {"w": np.ones(2)}, 1)


def plain(**clipping):
    """Steps of gradient descent at the rate 1 show the clipped gradients."""

    def clipped(*grads):
        params = [np.zeros(4) if hasattr(g, "values") else np.zeros_like(g) for g in grads]
        cls("gradient_descent")(1.0, **clipping).update(params, list(grads))
        return [-w for w in params]

    return clipped


def test_clipping_by_value_norm_and_global_norm():
    a, b = np.array([3.0, -4.0]), np.array([0.3, 0.4])
    for got, want in [
        (plain(clipvalue=1)(a, b), [[1, -1], [0.3, 0.4]]),
        (plain(clipnorm=1)(a, b), [[0.6, -0.8], [0.3, 0.4]]),
        (plain(global_clipnorm=1)(a, b), [a / np.sqrt(25.25), b / np.sqrt(25.25)]),
        (plain(global_clipnorm=10)(a, b), [a, b]),
        (plain(clipvalue=3, clipnorm=1)(a, b), [a.clip(-3, 3) / np.sqrt(18), [0.3, 0.4]]),
    ]:
        for x, y in zip(got, want):
            np.testing.assert_allclose(x, y, rtol=1e-15)


def test_clipping_of_a_sparse_gradient_is_that_of_its_sums():
    duplicated = sparse("sgd", [1, 1], np.array([3.0, -2.5]))
    (got,) = plain(clipnorm=1)(duplicated)
    np.testing.assert_allclose(got, [0, 0.5, 0, 0])
    (got,) = plain(clipvalue=0.25)(duplicated)
    np.testing.assert_allclose(got, [0, 0.25, 0, 0])
    a, b = plain(global_clipnorm=0.5)(sparse("sgd", [1, 1], np.array([3.0, 0])), np.full(1, 4.0))
    np.testing.assert_allclose(a, [0, 0.3, 0, 0])
    np.testing.assert_allclose(b, [0.4])


def test_clipping_of_narrow_and_of_huge_gradients():
    (got,) = plain(clipnorm=1)(np.array([3e30, 4e30], np.float32))
    np.testing.assert_allclose(got, [0.6, 0.8], rtol=1e-6)
    assert got.dtype == np.float32
    (got,) = plain(clipnorm=1)(np.full(4, 6e4, np.float16))
    np.testing.assert_allclose(got, 0.5, rtol=1e-3)


def test_a_constraint_is_applied_at_the_end_of_the_step():
    params = {"w": np.array([0.5, 2.0]), "free": np.array([0.5])}
    grads = {"w": np.array([1.0, 1.0]), "free": np.array([1.0])}
    seen = []

    def non_negative(w):
        seen.append(w.copy())
        return np.maximum(w, 0)

    cls("sgd")(1.0).update(params, grads, constraints={"w": non_negative})
    assert params["w"].tolist() == [0, 1] and params["free"].tolist() == [-0.5]
    assert [x.tolist() for x in seen] == [[-0.5, 1.0]]


def test_a_constraint_sees_the_whole_variable_of_a_sparse_gradient():
    for name, policy_moves_all in [("sgd", False), ("adam", True), ("lamb", True)]:
        free, bound = np.ones((3, 2)), np.ones((3, 2))
        one, other = cls(name)(0.5), cls(name)(0.5)
        for _ in range(2):
            g = sparse(name, [0, 2, 2], np.ones((3, 2)))
            one.update([free], [g])
            other.update([bound], [g], constraints={0: lambda w: w / 1})
        assert bits(free) == bits(bound), name
        cls(name)(0.5).update([bound], [g], constraints={0: lambda w: w / np.abs(w).max()})
        assert np.abs(bound).max() == 1


def test_the_docstring_holds_the_equations():
    text = inspect.getdoc(cls("adam"))
    assert "m = b1*m + (1-b1)*g" in text and "arXiv:1412.6980" in text
    assert "lr: " in text and "learning_rate" in text
