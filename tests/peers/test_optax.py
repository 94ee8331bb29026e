"""The generated NumPy classes against optax: 100 steps in float64.

Only where the rules are the same. Left out: adan and lars, which have other equations in optax
(the mixture of the gradients' differences; the norm of the sum), and nadam, which has no schedule
there and no spec here.
"""

from functools import partial
from operator import attrgetter

import jax
import optax
import pytest

from tests.peers.documented import bound
from tests.peers.measure import SHAPES, difference, label, optax_peer, product

pytestmark = pytest.mark.long


def cases(module, function, chosen, alone=lambda x: {}):
    """(module, optax's function, arguments of both, arguments of optax alone)."""
    return [(module, function, x, alone(x)) for x in chosen]


EPS = {"eps": [1e-8, 1e-2]}
BETAS = {"b1": [0.9, 0.5], "b2": [0.999, 0.8]}
DECAYED = {"weight_decay": [0.0, 0.1]}
ADAM = product(**BETAS, **EPS)
DECAY = {"weight_decay": [0.0, 2.0**-4]}
HALVES = {"b1": [0.875], "b2": [0.9375], "eps": [2.0**-26, 2.0**-7]}
WEIGHTS = {"alpha": [1.0, 0.5], "beta": [1.0, 0.25]}
OPTIMISTIC = product(**WEIGHTS, **HALVES)
MOMENTUM = [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}]
RMSPROP = product(decay=[0.9], momentum=[0, 0.9], centered=[False, True], **EPS)

CASES = [
    *cases("gradient_descent", "sgd", [{}]),
    *cases("sgd", "sgd", MOMENTUM),
    *cases("momentum", "sgd", MOMENTUM[1:]),
    *cases(
        "adagrad_eps_inside", "adagrad",
        product(initial_accumulator_value=[0.1, 1.0], **EPS),
    ),
    *cases("rmsprop_eps_inside", "rmsprop", RMSPROP),
    *cases(
        "rmsprop_eps_outside", "rmsprop",
        RMSPROP,
        lambda x: {"eps_in_sqrt": False},
    ),
    *cases("rmsprop", "rmsprop", RMSPROP, lambda x: {"eps_in_sqrt": x["momentum"] > 0}),
    *cases("rmsprop_tf", "rmsprop", RMSPROP, lambda x: {"initial_scale": 1.0}),
    *cases("adadelta", "adadelta", product(rho=[0.9, 0.5], **EPS)),
    *cases("adam_debiased", "adam", ADAM),
    *cases("amsgrad_debiased", "amsgrad", ADAM),
    *cases("adamw_debiased", "adamw", product(**DECAYED, **EPS)),
    *cases("adamax_eps_inside", "adamax", ADAM),
    *cases("radam", "radam", product(b2=[0.999, 0.9], **EPS)),
    *cases("adabelief", "adabelief", ADAM, lambda x: {"eps_root": x["eps"]}),
    *cases("yogi", "yogi", ADAM),
    *cases("lion", "lion", product(**DECAYED, **BETAS)),
    *cases("sign_sgd", "sign_sgd", [{}]),
    *cases("lamb", "lamb", product(**DECAYED, **EPS)),
    *cases("novograd", "novograd", product(b2=[0.25, 0.98], **DECAYED)),
    *cases("signum", "signum", product(beta=[0.875, 0.5])),
    *cases("nadamw", "nadamw", product(**HALVES, **DECAY)),
    *cases("nadamw", "nadam", product(weight_decay=[0.0], **HALVES)),
    *cases("adamaxw", "adamaxw", product(**HALVES, **DECAY)),
    *cases("madgrad", "contrib.madgrad", product(momentum=[0.0, 0.875], eps=[2.0**-20], **DECAY)),
    *cases("ademamix", "contrib.ademamix", product(b3=[0.984375], alpha=[4.0], **HALVES, **DECAY)),
    *cases(
        "simplified_ademamix", "contrib.simplified_ademamix",
        product(alpha=[0.0, 4.0], **HALVES, **DECAY),
    ),
    *cases("adopt", "contrib.adopt", product(use_clipping=[False, True], **HALVES)),
    *cases("optimistic_adam", "optimistic_adam_v2", OPTIMISTIC, lambda x: {"nesterov": False}),
    *cases("optimistic_gd", "optimistic_gradient_descent", product(**WEIGHTS)),
    *cases(
        "acprop", "contrib.acprop", product(**HALVES, **DECAY), lambda x: {"eps_root": x["eps"]}
    ),
    *cases("cocob", "contrib.cocob", product(alpha=[128.0, 4.0], eps=[2.0**-26])),
    *cases(
        "ldog", "scale_by_distance_over_gradients",
        product(reps_rel=[2.0**-10], eps=[2.0**-26]),
    ),
    *cases(
        "lars_joint", "lars",
        product(trust_coefficient=[0.125], nesterov=[False, True], eps=[0.0, 0.125], **DECAY),
    ),
    *cases(
        "normalized_sgd", "normalize_by_update_norm",
        product(momentum=[0.875, 0.0], eps=[2.0**-10]),
    ),
]  # fmt: skip
OURS = {"decay": "rho", "beta": "momentum", "trust_coefficient": "eeta"}
#: What takes no learning rate, or has it as a factor of the gradient.
FREE = ("contrib.cocob",)


def ldog(learning_rate, **arguments):
    """The distance over the gradients is a part of a chain in optax."""
    scale = optax.scale_by_distance_over_gradients(param_dtype="float64", **arguments)
    return optax.chain(scale, optax.scale_by_learning_rate(learning_rate))


def normalized_sgd(learning_rate, momentum, eps):
    """Its norm is that of all the variables, so it is right for one."""
    mean = optax.ema(momentum, debias=False)
    step = optax.scale_by_learning_rate(learning_rate)
    return optax.chain(mean, optax.normalize_by_update_norm(eps=eps), step)


def madgrad(**arguments):
    """With its count in int64, since the root of an int32 is a float32 in jax."""
    inner = optax.contrib.madgrad(**arguments)

    def init(params):
        state = inner.init(params)
        return jax.tree.map(lambda x: x.astype("int64") if x.dtype == "int32" else x, state)

    return optax.GradientTransformation(init, inner.update)


def nadam(learning_rate, weight_decay, **arguments):
    assert weight_decay == 0
    return optax.nadam(learning_rate, **arguments)


COMPOSED = {
    "contrib.madgrad": madgrad,
    "nadam": nadam,
    "normalize_by_update_norm": normalized_sgd,
    "scale_by_distance_over_gradients": ldog,
}


def function_of(name):
    return COMPOSED.get(name) or attrgetter(name)(optax)


def ours_of(module, shared):
    if module in ("optimistic_adam", "optimistic_gd"):
        return shared
    return {OURS.get(name, name): value for name, value in shared.items()}


def measure(case):
    module, name, shared, alone = case
    rate = {} if name in FREE else {"learning_rate": 2.0**-7}
    peer = optax_peer(partial(function_of(name), **rate, **shared, **alone))
    shapes = [(4, 3)] if module == "normalized_sgd" else SHAPES
    with jax.enable_x64(True):
        return difference(module, {**ours_of(module, shared), **rate}, peer, shapes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: label(case[0], case[2]))
def test_the_same_steps_as_optax(case):
    assert measure(case) <= bound(case[0], "optax", case[1])
