"""The generated NumPy classes against optax: 100 steps in float64.

Only where the rules are the same. Left out: adan and lars, which have other equations in optax
(the mixture of the gradients' differences; the norm of the sum), and nadam, which has no schedule
there and no spec here.
"""

import jax
import numpy as np
import optax
import pytest

from tests.support import load_generated

STEPS = 100
SHAPES = [(4, 3), (5,), ()]


def product(**choices):
    """All combinations of keyword arguments."""
    found = [{}]
    for name, values in choices.items():
        found = [dict(x, **{name: v}) for x in found for v in values]
    return found


def cases(module, name, function, chosen, alone=lambda x: {}):
    """(module, class, optax's function, arguments of both, arguments of optax alone)."""
    return [(module, name, function, x, alone(x)) for x in chosen]


EPS = {"eps": [1e-8, 1e-2]}
BETAS = {"b1": [0.9, 0.5], "b2": [0.999, 0.8]}
DECAYED = {"weight_decay": [0.0, 0.1]}
ADAM = product(**BETAS, **EPS)
MOMENTUM = [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}]
RMSPROP = product(decay=[0.9], momentum=[0, 0.9], centered=[False, True], **EPS)

CASES = [
    *cases("gradient_descent", "GradientDescent", "sgd", [{}]),
    *cases("sgd", "SGD", "sgd", MOMENTUM),
    *cases("momentum", "Momentum", "sgd", MOMENTUM[1:]),
    *cases(
        "adagrad_eps_inside", "AdagradEpsInside", "adagrad",
        product(initial_accumulator_value=[0.1, 1.0], **EPS),
    ),
    *cases("rmsprop_eps_inside", "RMSpropEpsInside", "rmsprop", RMSPROP),
    *cases(
        "rmsprop_eps_outside", "RMSpropEpsOutside", "rmsprop", RMSPROP,
        lambda x: {"eps_in_sqrt": False},
    ),
    *cases("rmsprop", "RMSprop", "rmsprop", RMSPROP, lambda x: {"eps_in_sqrt": x["momentum"] > 0}),
    *cases("rmsprop_tf", "RMSpropTF", "rmsprop", RMSPROP, lambda x: {"initial_scale": 1.0}),
    *cases("adadelta", "Adadelta", "adadelta", product(rho=[0.9, 0.5], **EPS)),
    *cases("adam_debiased", "AdamDebiased", "adam", ADAM),
    *cases("amsgrad_debiased", "AMSGradDebiased", "amsgrad", ADAM),
    *cases("adamw_debiased", "AdamWDebiased", "adamw", product(**DECAYED, **EPS)),
    *cases("adamax_eps_inside", "AdamaxEpsInside", "adamax", ADAM),
    *cases("radam", "RAdam", "radam", product(b2=[0.999, 0.9], **EPS)),
    *cases("adabelief", "AdaBelief", "adabelief", ADAM, lambda x: {"eps_root": x["eps"]}),
    *cases("yogi", "Yogi", "yogi", ADAM),
    *cases("lion", "Lion", "lion", product(**DECAYED, **BETAS)),
    *cases("sign_sgd", "SignSGD", "sign_sgd", [{}]),
    *cases("lamb", "LAMB", "lamb", product(**DECAYED, **EPS)),
    *cases("novograd", "NovoGrad", "novograd", product(b2=[0.25, 0.98], **DECAYED)),
]  # fmt: skip
OURS = {"decay": "rho"}


def label(case):
    module, _, _, shared, _ = case
    return "-".join([module, *(f"{k}={v}" for k, v in shared.items())])


def gradient(step, index, shape):
    """Of different sizes from step to step, and 0 in some of them."""
    rng = np.random.RandomState(7 * step + index)
    return rng.standard_normal(shape) * 10 ** rng.uniform(-3, 2) * (step % 9 > 0)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_the_same_steps_as_optax(case):
    module, name, function, shared, theirs_alone = case
    start = [np.random.RandomState(i).standard_normal(s) for i, s in enumerate(SHAPES)]
    ours = [x.copy() for x in start]
    mine = {OURS.get(k, k): v for k, v in shared.items()}
    optimizer = getattr(load_generated("numpy", module), name)(lr=0.01, **mine)
    with jax.enable_x64(True):
        peer = getattr(optax, function)(0.01, **shared, **theirs_alone)
        theirs = [jax.numpy.asarray(x) for x in start]
        state = peer.init(theirs)
        for step in range(STEPS):
            grads = [np.asarray(gradient(step, i, s)) for i, s in enumerate(SHAPES)]
            optimizer.update(ours, grads)
            updates, state = peer.update(grads, state, theirs)
            theirs = optax.apply_updates(theirs, updates)
            for x, y in zip(ours, theirs):
                assert y.dtype == np.float64
                np.testing.assert_allclose(x, np.asarray(y), rtol=1e-9, atol=1e-9)
    assert all(np.abs(x - y).max() > 1e-6 for x, y in zip(ours, start))
