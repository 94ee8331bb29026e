"""The argument `overrides` of classes for specs that are not like those of the library."""

import inspect

import numpy as np
import pytest

import optdsl

TARGETS = ["numpy", "tf1", "keras_v2"]

NAMES = """optimizer Names {
  hyper overrides = 0.5 in [0, inf)
  hyper changes = 1 in [0, inf)
  hyper re = 1
  const numbers: int = 2 in [1, 9]
  update { w -= overrides*changes*re*numbers*g }
}
"""

NOTHING = """optimizer Nothing {
  const rate = 0.5
  update { w -= rate*g }
}
"""


def step(target, optimizer, names):
    """What variables that start at 0 are after a step with the gradient 1."""
    if target == "numpy":
        params = {name: np.zeros(1) for name in names}
        optimizer.update(params, {name: np.ones(1) for name in names})
        return [x[0] for x in params.values()]
    import tensorflow as tf

    w = [tf.Variable([0.0], name=name) for name in names]
    optimizer.apply_gradients([(tf.ones(1), x) for x in w])
    return [float(x.numpy()[0]) for x in w]


@pytest.mark.parametrize("target", TARGETS)
def test_hyperparameters_with_names_that_the_argument_needs_itself(target):
    cls = optdsl.load(NAMES, target)
    own = [p for p in inspect.signature(cls).parameters if p != "overrides"]
    spelled = {name.rstrip("_"): name for name in own}  # a target keeps some names for itself
    assert spelled["overrides"] == "overrides_"
    given = {
        "a": {spelled["overrides"]: 0.25, spelled["changes"]: "*3"},
        "b": {spelled["re"]: 0},
    }
    optimizer = cls(overrides=given)
    assert step(target, optimizer, ["a", "b", "c"]) == [-1.5, 0.0, -1.0]
    again = cls.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert step(target, again, ["a", "b", "c"]) == [-1.5, 0.0, -1.0]
    with pytest.raises(ValueError, match=r"'a'.*numbers_? is fixed at construction.* 3"):
        cls(overrides={"a": {spelled["numbers"]: 3}})


@pytest.mark.parametrize("target", TARGETS)
def test_a_class_without_hyperparameters_has_no_overrides(target):
    cls = optdsl.load(NOTHING, target)
    optimizer = cls()
    assert "overrides" not in inspect.signature(cls).parameters
    assert "overrides" not in optimizer.get_config()
    assert step(target, cls.from_config(optimizer.get_config()), ["a"]) == [-0.5]
    with pytest.raises(TypeError, match="overrides"):
        cls(overrides={})
