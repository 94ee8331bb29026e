"""Optimizers with totals beside their authors' own code: DoG, Prodigy, D-Adaptation, and Adai.

The same gradients for 100 steps in float64, with hyperparameters that float32 holds.
"""

import dadaptation
import dog
import numpy as np
import prodigyopt
import pytest
import pytorch_optimizer
import torch

from tests.support import load_generated

pytestmark = pytest.mark.long

STEPS = 100
TOLERANCE = 1e-9

#: Module, class and arguments of ours, and how the peer is made.
CASES = {
    "dog": ("dog", "DoG", {}, lambda p: dog.DoG(p, reps_rel=1e-6)),
    "dog-lr": (
        "dog",
        "DoG",
        {"lr": 0.5, "reps": 0.25},
        lambda p: dog.DoG(p, lr=0.5, reps_rel=0.25),
    ),
    "ldog": ("ldog", "LDoG", {}, lambda p: dog.LDoG(p, reps_rel=1e-6)),
    "prodigy": ("prodigy", "Prodigy", {}, prodigyopt.Prodigy),
    "prodigy-bias": (
        "prodigy",
        "Prodigy",
        {"bias_correction": True, "d0": 2.0**-12, "lr": 0.5},
        lambda p: prodigyopt.Prodigy(p, 0.5, use_bias_correction=True, d0=2.0**-12),
    ),
    "prodigy-decay": (
        "prodigy",
        "Prodigy",
        {"wd": 0.25, "b1": 0.75, "b2": 0.875, "coef": 0.5, "growth": 1.5},
        lambda p: prodigyopt.Prodigy(
            p, weight_decay=0.25, betas=(0.75, 0.875), d_coef=0.5, growth_rate=1.5
        ),
    ),
    "dadapt_sgd": (
        "dadapt_sgd",
        "DAdaptSGD",
        {"mu": 0.875},
        lambda p: dadaptation.DAdaptSGD(p, lr=1.0, momentum=0.875),
    ),
    "dadapt_sgd-plain": (
        "dadapt_sgd",
        "DAdaptSGD",
        {"mu": 0.0, "lr": 0.5, "d0": 2.0**-10},
        lambda p: dadaptation.DAdaptSGD(p, lr=0.5, d0=2.0**-10),
    ),
    "adai": (
        "adai",
        "Adai",
        {"b0": 0.125, "b2": 0.96875, "eps": 2.0**-10},
        lambda p: pytorch_optimizer.Adai(
            p, betas=(0.125, 0.96875), eps=2.0**-10, stable_weight_decay=False
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_agrees(case):
    module, name, arguments, make = CASES[case]
    random = np.random.default_rng(0)
    start = {"a": random.normal(size=(4, 3)), "b": random.normal(size=5)}
    params = {key: x.copy() for key, x in start.items()}
    peers = {key: torch.nn.Parameter(torch.tensor(x)) for key, x in start.items()}
    ours = getattr(load_generated("numpy", module), name)(**arguments)
    theirs = make(list(peers.values()))
    for _ in range(STEPS):
        grads = {key: random.normal(size=x.shape) + x for key, x in params.items()}
        for key, parameter in peers.items():
            parameter.grad = torch.tensor(grads[key])
        theirs.step()
        ours.update(params, grads)
    assert all(np.any(params[key] != start[key]) for key in params)
    for key, parameter in peers.items():
        np.testing.assert_allclose(
            params[key], parameter.detach().numpy(), rtol=TOLERANCE, atol=TOLERANCE
        )
