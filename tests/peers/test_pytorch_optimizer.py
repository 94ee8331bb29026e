"""The generated NumPy classes against pytorch_optimizer: 100 steps in float64.

Its hyperparameters are numbers that float32 holds. What the two do not have in common is taken out
where a hook of the library allows it: the 1e-15 that most of its roots have inside beside epsilon
(`exp_avg_sq_eps`), and the float32 of what QHAdam keeps. Where the rules themselves differ there is
no case here, and the spec says why.
"""

from functools import partial

import pytest
import pytorch_optimizer
import torch
from pytorch_optimizer.base.optimizer import BaseOptimizer

from tests.peers.documented import bound
from tests.peers.measure import difference, label, product, torch_peer

pytestmark = pytest.mark.long

LR = 2.0**-7
EPS = {"epsilon": [2.0**-26, 2.0**-7]}
BETAS = {"beta_1": [0.875], "beta_2": [0.9375]}
DECAY = {"weight_decay": [0.0, 2.0**-4]}
ADAM = product(**BETAS, **EPS, **DECAY)
AMSGRAD = product(amsgrad=[False, True], **BETAS, **EPS, **DECAY)
PADAM = product(partial=[0.25, 0.5], amsgrad=[False], **BETAS, **EPS, **DECAY)
THREE = (0.875, 0.9375, 0.5)
LION = product(**BETAS, **DECAY)
BOUND = product(final_lr=[0.125], gamma=[2.0**-6], **BETAS, **EPS, **DECAY)
FLAG = (False, True)
#: An epsilon too small to be seen: the two add it at different places.
NO_EPS = product(epsilon=[2.0**-200], **BETAS, **DECAY)

THEIRS = {
    "learning_rate": "lr",
    "epsilon": "eps",
    "amsgrad": "ams_bound",
    "amsbound": "ams_bound",
    "eta": "delta",
    "initial_accumulator_value": "initial_accumulator",
}
#: What they take as one argument, and the order of ours in it.
TUPLES = {"betas": ("beta_1", "beta_2", "beta_3", "beta_0"), "nus": ("nu_1", "nu_2")}


def cases(module, theirs, chosen, **alone):
    """(module, their class, arguments of both by our names, arguments of theirs alone)."""
    return [(module, theirs, x, alone) for x in chosen]


def coupled(module, theirs, chosen, **alone):
    return cases(module, theirs, chosen, weight_decouple=False, **alone)


def decoupled(module, theirs, chosen, **alone):
    return cases(module, theirs, chosen, weight_decouple=True, **alone)


CASES = [
    *decoupled("sgdw", "SGDW", product(nesterov=[False, True], momentum=[0.875], **DECAY)),
    *decoupled("sgdw", "SGDW", product(momentum=[0.0], **DECAY)),
    *decoupled("adamod", "AdaMod", product(beta_3=[0.9375], **BETAS, **EPS, **DECAY)),
    *coupled("adabound", "AdaBound", BOUND),
    *coupled("amsbound", "AdaBound", BOUND, ams_bound=True),
    *decoupled("adaboundw", "AdaBound", [dict(x, amsbound=a) for x in BOUND for a in FLAG]),
    *coupled("qhm", "QHM", product(momentum=[0.875], nu=[0.75, 0.0, 1.0], **DECAY)),
    *coupled("qhadam", "QHAdam", [dict(x, nu_1=0.75, nu_2=0.5) for x in ADAM]),
    *coupled("qhadam", "QHAdam", ADAM),
    *coupled("madgrad", "MADGRAD", product(momentum=[0.875, 0.5], epsilon=[2.0**-20], **DECAY)),
    *decoupled("laprop", "LaProp", NO_EPS),
    *decoupled("tiger", "Tiger", product(beta=[0.875, 0.5], **DECAY)),
    *decoupled("ademamix", "AdEMAMix", [dict(x, beta_3=0.984375, alpha=4.0) for x in ADAM]),
    *decoupled("adopt", "ADOPT", product(**BETAS, **EPS), clip_lambda=lambda s: (s - 1) ** 0.25),
    *cases("adopt", "ADOPT", product(use_clipping=[False], **BETAS), clip_lambda=None),
    # With this beta the mean of the weights is exact in the first step, where its sign counts.
    *cases("focus", "FOCUS", product(beta_1=[0.875], beta_2=[0.5], gamma=[0.125])),
    *decoupled("kate", "Kate", product(eta=[0.0, 0.5], epsilon=[2.0**-200], **DECAY)),
    *cases("gravity", "Gravity", product(beta=[0.875, 0.5]), alpha=0.0),
    *decoupled("cautious_adamw", "AdEMAMix", ADAM, betas=THREE, cautious=True, alpha=0.0),
    *decoupled("cautious_lion", "Lion", LION, cautious=True),
    *decoupled("grams", "Grams", ADAM),
    *decoupled("stable_adamw", "StableAdamW", ADAM),
    *decoupled("adasmooth", "AdaSmooth", ADAM),
    *decoupled("adanorm", "AdaNorm", [dict(x, r=0.875) for x in AMSGRAD]),
    *coupled("padam", "PAdam", PADAM),
    *cases("fromage", "Fromage", [{}]),
    *decoupled("exadam", "EXAdam", ADAM),
    *cases("srmm", "SRMM", product(beta=[0.5, 0.75], memory_length=[7, 100])),
    *coupled("aida", "Aida", ADAM),
    *decoupled("pnm", "PNM", product(beta_1=[0.875], beta_0=[1.0, 0.5], **DECAY)),
    *decoupled("adapnm", "AdaPNM", [dict(x, beta_0=0.5) for x in AMSGRAD]),
    *decoupled("mars", "MARS", [dict(x, gamma=0.125) for x in AMSGRAD], optimize_1d=True),
    *decoupled(
        "mars_lion", "MARS", product(beta_1=[0.875], gamma=[0.125], **DECAY),
        betas=THREE[:2], mars_type="lion", optimize_1d=True,
    ),
    *cases("acc_sgd", "AccSGD", product(kappa=[64.0], xi=[4.0], constant=[0.75], **DECAY)),
    *coupled("pid", "PID", product(momentum=[0.875], dampening=[0.0, 0.25], **DECAY)),
    *coupled("aggmo", "AggMo", product(betas=[(0.0, 0.875, 0.9375)], **DECAY)),
    *decoupled("ano", "Ano", ADAM),
    *cases("msvag", "MSVAG", product(beta=[0.875, 0.5])),
    *decoupled(
        "grokfast_adamw", "GrokFastAdamW",
        [dict(x, normalize_lr=n, grokfast_alpha=0.875) for x in ADAM for n in FLAG],
    ),
    *coupled("novograd_nv", "NovoGrad", [dict(x, grad_averaging=a) for x in ADAM for a in FLAG]),
    # What was in the library before.
    *decoupled("adabelief", "AdaBelief", product(**BETAS, **EPS)),
    *decoupled("adan", "Adan", product(beta_1=[0.875], beta_2=[0.75], beta_3=[0.9375], **EPS)),
    *decoupled("diffgrad", "DiffGrad", product(**BETAS, **EPS)),
    *decoupled("lion", "Lion", LION),
    *coupled("adamax_eps_inside", "AdaMax", product(**BETAS, **EPS)),
    *coupled("adamax_torch", "AdaMax", ADAM),
    *coupled("adadelta_torch", "AdaDelta", product(rho=[0.875], **EPS, **DECAY)),
    *decoupled("signum", "SignSGD", product(momentum=[0.875, 0.5])),
    *decoupled("sign_sgd", "SignSGD", [{}], momentum=0.0),
    *decoupled("yogi", "Yogi", product(initial_accumulator_value=[2.0**-20], **BETAS, **EPS)),
]  # fmt: skip


def their_arguments(chosen):
    """Ours, by their names."""
    rest, found = dict(chosen), {}
    for name, parts in TUPLES.items():
        if any(part in rest for part in parts):
            found[name] = tuple(rest.pop(part) for part in parts if part in rest)
    return dict(found, **{THEIRS.get(name, name): value for name, value in rest.items()})


def make(name, arguments, tensors):
    optimizer = getattr(pytorch_optimizer, name)(tensors, foreach=False, **arguments)
    if name == "QHAdam":
        keep_in_float64(optimizer, tensors)
    return optimizer


def keep_in_float64(optimizer, tensors):
    """The state that it would make in its first step, with weights of the means in float32."""
    for tensor in tensors:
        number, like = torch.zeros(1, dtype=torch.float64), torch.zeros_like
        optimizer.state[tensor] = {
            "beta1_weight": number, "beta2_weight": number.clone(),
            "exp_avg": like(tensor), "exp_avg_sq": like(tensor),
        }  # fmt: skip


def measure(case):
    module, name, chosen, alone = case
    theirs = {**their_arguments(chosen), "lr": LR, **alone}
    peer = torch_peer(partial(make, name, theirs))
    original = BaseOptimizer.apply_ams_bound
    BaseOptimizer.apply_ams_bound = staticmethod(partial(original, exp_avg_sq_eps=0.0))
    try:
        return difference(module, dict(chosen, learning_rate=LR), peer)
    finally:
        BaseOptimizer.apply_ams_bound = staticmethod(original)


@pytest.mark.parametrize("case", CASES, ids=lambda case: label(case[0], case[2]))
def test_the_same_steps_as_pytorch_optimizer(case):
    assert measure(case) <= bound(case[0], "pytorch_optimizer", case[1])
