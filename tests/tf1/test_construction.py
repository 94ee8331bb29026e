"""Arguments: names, order and defaults of the built-ins, domains, configuration, copies."""

import copy
import inspect
import json
import os
import pickle

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.support import ROOT, SAMPLE, is_optimizer
from tests.tf1.harness import TF2, eager_mode, generated, graph_session, train, variable

pytestmark = pytest.mark.tf

BUILT_IN = {
    "adam": tf.train.AdamOptimizer,
    "momentum": tf.train.MomentumOptimizer,
    "gradient_descent": tf.train.GradientDescentOptimizer,
    "adagrad_no_eps": tf.train.AdagradOptimizer,
    "adadelta": tf.train.AdadeltaOptimizer,
    "rmsprop_tf": tf.train.RMSPropOptimizer,
    "ftrl": tf.train.FtrlOptimizer,
}
NAMES = sorted(
    name[:-3]
    for name in os.listdir(os.path.join(ROOT, "generated", "tf1"))
    if name.endswith(".py") and name != "__init__.py" and is_optimizer("tf1", name)
)
#: Also those that gather gradients, look at several, or look ahead.
KINDS = (*SAMPLE, "accumulated_adam", "ranger_gc", "rk4", "schedule_free_adamw")
# Names of variables: suffixes of slots, and a scope of its own, which TF 2 added to Adam.
NOT_SUPPORTED = ("accum_name", "linear_name", "use_own_namescope_for_non_slot_vars")
# The built-in Ftrl has no learning rate unless one is given, and None for a beta of 0.
OTHER_DEFAULTS = {("ftrl", "learning_rate"), ("ftrl", "beta")}
CLIPPING = ["clipnorm", "clipvalue", "global_clipnorm"]


def parameters(cls):
    return list(inspect.signature(cls.__init__).parameters.values())[1:]


def required(cls):
    """Values for the arguments that have no default."""
    return {p.name: 0.25 for p in parameters(cls) if p.default is p.empty}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_signature_is_that_of_the_built_in(name):
    own = [p for p in parameters(generated(name)) if p.kind is not p.KEYWORD_ONLY]
    theirs = [p for p in parameters(BUILT_IN[name]) if p.name not in NOT_SUPPORTED]
    own_order = [p.name for p in own][: len(theirs)]
    if name == "ftrl" and not TF2:
        own_order = [p for p in own_order if p != "beta"]  # TF 1.15 does not have it
    assert own_order == [p.name for p in theirs]
    for one, other in zip(own, theirs):
        if (name, one.name) not in OTHER_DEFAULTS:
            assert one.default == other.default, one.name
    assert all(p.default is not p.empty for p in own[len(theirs) :])
    assert generated(name).__name__ == BUILT_IN[name].__name__


@pytest.mark.parametrize("name", NAMES)
def test_what_every_optimizer_takes(name):
    cls = generated(name)
    by_name = {p.name: p for p in parameters(cls)}
    own = [*CLIPPING, "overrides", "xla"]
    assert [p.name for p in parameters(cls) if p.kind is p.KEYWORD_ONLY] == own
    assert by_name["use_locking"].default is False
    opt = cls(**required(cls))
    assert opt.get_name() == by_name["name"].default
    assert opt.get_slot_names() == []
    with pytest.raises(ValueError, match="name"):
        cls(name="", **required(cls))
    with pytest.raises(TypeError, match="no_such_argument"):
        cls(no_such_argument=1, **required(cls))


@pytest.mark.parametrize("name", KINDS)
def test_all_kinds_take_dense_and_sparse_steps(name):
    """Four, after which also those have moved that gather gradients first."""
    cls = generated(name)
    for g in ([[1.0, -2.0], [2.0, 1.0], [0.5, 3.0]], (np.array([[1.0, -2.0]]), np.array([1]))):
        (w,), _ = train(cls(**required(cls)), [np.ones((3, 2))], [[g]] * 4)
        assert np.all(np.isfinite(w))
        assert np.any(w != 1)


@pytest.mark.parametrize("name", NAMES)
def test_numbers_outside_of_their_domain(name):
    cls = generated(name)
    opt = cls(**required(cls))
    for argument in parameters(cls):
        if argument.name in opt.get_config() and isinstance(argument.default, float):
            for bad in (float("nan"), float("inf"), -float("inf")):
                with pytest.raises(ValueError, match=argument.name):
                    cls(**dict(required(cls), **{argument.name: bad}))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"learning_rate": -1}, r"learning_rate must be in \[0, inf\), got -1"),
        ({"learning_rate": np.float32(-0.5)}, r"learning_rate must be in \[0, inf\), got .*-0.5"),
        ({"beta1": 1.0}, r"beta1 must be in \[0, 1\), got 1.0"),
        ({"beta2": -0.1}, r"beta2 must be in \[0, 1\), got -0.1"),
        ({"epsilon": 0.0}, r"epsilon must be in \(0, inf\), got 0.0"),
        ({"clipnorm": 0}, r"clipnorm must be in \(0, inf\), got 0"),
        ({"clipvalue": -1.0}, r"clipvalue must be in \(0, inf\), got -1.0"),
        ({"global_clipnorm": float("nan")}, r"global_clipnorm must be in \(0, inf\), got nan"),
    ],
)
def test_the_message_names_argument_domain_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        generated("adam")(**arguments)


def test_a_constant_is_a_plain_number():
    with pytest.raises(ValueError, match="initial_accumulator_value"):
        generated("adagrad_no_eps")(0.1, initial_accumulator_value=0.0)
    with pytest.raises(ValueError, match="initial_accumulator_value must be a plain number"):
        generated("adagrad_no_eps")(0.1, initial_accumulator_value=lambda: 0.1)


def test_the_ends_of_the_built_ins_domains_are_allowed():
    generated("momentum")(0.0, 1.0)
    generated("momentum")(0.1, -0.5)
    generated("rmsprop_tf")(0.1, decay=1.0, epsilon=0.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_goes_through_json(name):
    cls = generated(name)
    given = required(cls)
    opt = cls(name="mine", use_locking=True, clipnorm=np.float32(2), **given)
    config = opt.get_config()
    assert set(config) == {p.name for p in parameters(cls)}
    assert all(type(v) in (int, float, bool, str, list, type(None)) for v in config.values())
    again = cls.from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config
    assert config["name"] == "mine"
    assert config["clipnorm"] == 2.0
    for argument, value in given.items():
        assert config[argument] == value


def test_the_configuration_of_arrays_tensors_and_callables():
    assert generated("adam")(np.float64(0.1)).get_config()["learning_rate"] == 0.1
    assert generated("adam")(1).get_config()["learning_rate"] == 1
    with pytest.raises(ValueError, match="learning_rate is not a number"):
        generated("adam")(lambda: 0.1).get_config()
    with graph_session(), pytest.raises(ValueError, match="learning_rate is not a number"):
        generated("adam")(tf.constant(0.1)).get_config()
    with eager_mode():
        config = generated("adam")(tf.constant(0.25)).get_config()
        assert config["learning_rate"] == 0.25


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("how", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_before_the_first_step(name, how):
    cls = generated(name)
    opt = cls(**required(cls))
    other = how(opt)
    assert type(other) is cls
    assert other.get_config() == opt.get_config()
    ends = [train(o, [[1.0, 2.0]], [[[0.5, 0.25]]] * 3)[0] for o in (opt, other)]
    np.testing.assert_array_equal(*ends)


def test_it_is_an_optimizer_of_tf_train():
    opt = generated("adam")()
    assert isinstance(opt, tf.train.Optimizer)
    with graph_session():
        w = variable([1.0])
        ((g, v),) = opt.compute_gradients(tf.reduce_sum(w * w))
        assert v is w
        assert g is not None
