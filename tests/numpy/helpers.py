"""The generated classes, all their settings, and gradients for them."""

import inspect
import itertools
import os

import numpy as np

from tests import support

FOLDER = os.path.join(support.ROOT, "generated", "numpy")


def has_update(name):
    """Whether a module holds an optimizer that one gradient is enough for: neither a schedule nor
    one of several stages.
    """
    with open(os.path.join(FOLDER, name + ".py")) as file:
        text = file.read()
    return "    def update(self, params, grads" in text and "    def step(self" not in text


NAMES = [f[:-3] for f in sorted(os.listdir(FOLDER)) if f.endswith(".py") and has_update(f[:-3])]


def module(name):
    return support.load_generated("numpy", name)


def cls(name):
    """The optimizer that a module defines: its first class."""
    found = (x for x in vars(module(name)).values() if inspect.isclass(x))
    return next(x for x in found if x.__module__ == module(name).__name__)


def make(name, **setting):
    """An optimizer; what has no default is 0.01."""
    parameters = inspect.signature(cls(name)).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    required = [p.name for p in parameters if p.kind in kinds and p.default is p.empty]
    return cls(name)(**{**dict.fromkeys(required, 0.01), **setting})


def sparse(name, indices, values, shape=None):
    return module(name).SparseGrad(np.asarray(indices), np.asarray(values), shape)


def settings(name):
    """Every combination of flags, each with and without the hyperparameters that may be absent."""
    made = make(name)
    optional = [x for x in made._HYPERS if hasattr(made, "_uses_" + x)]
    flags = [
        dict(zip(made._FLAGS, x)) for x in itertools.product([False, True], repeat=len(made._FLAGS))
    ]
    used = [{}, dict.fromkeys(optional, 0.5)] if optional else [{}]
    return [{**f, **u} for f in flags for u in used]


CASES = [(name, s) for name in NAMES for s in settings(name)]
IDS = [name + "".join("-" + k for k, v in s.items() if v) for name, s in CASES]

#: What a sparse gradient does, where it is not exact; a function of the settings.
POLICIES = {
    "adabelief": "hybrid", "nadam": "hybrid", "nadam_simple": "hybrid", "radam": "hybrid",
    "yogi": "hybrid", "adadelta": "lazy", "adamax": "lazy", "adamax_clipped": "lazy",
    "ftrl": "lazy", "lazy_adam": "lazy", "momentum": "lazy", "novograd": "lazy",
    "rmsprop_tf": "lazy",
}  # fmt: skip


def policy(name, setting):
    if name in ("ranger", "lookahead_lazy_adam"):
        return "mixed"
    if name == "sgd":
        return "lazy" if setting.get("mu") else "exact"
    if name == "rmsprop":
        return "lazy" if setting.get("mu") else "hybrid"
    return POLICIES.get(name, "exact")


def bits(tree):
    """A state as something that compares equal only if every bit is."""
    if isinstance(tree, dict):
        return {key: bits(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [bits(x) for x in tree]
    array = np.asarray(tree)
    return array.dtype.str, array.shape, array.tobytes()


def train(optimizer, params, steps, seed=0):
    """Steps with gradients that depend on the seed and on the number of the step alone."""
    for _ in range(steps):
        rng = np.random.RandomState(1000 * seed + optimizer.t)
        optimizer.update(params, {k: rng.standard_normal(x.shape) for k, x in params.items()})
