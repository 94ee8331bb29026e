"""The generated NumPy schedules against torch and optax, in float64.

Only where the rules are the same. torch's schedulers are recursions whose error grows with the
steps; optax computes in the dtype of the step, float64 here. The errors measured are below 1e-13
of the first value with torch, below 1e-15 with optax; the tests allow ten times as much.
"""

import jax
import numpy as np
import optax
import pytest
import torch
from torch.optim import lr_scheduler

from tests.support import load_generated

pytestmark = pytest.mark.long

LR = 0.3


def generated(module, **arguments):
    """The schedule of a generated module."""
    name = "".join(word.capitalize() for word in module.split("_"))
    return getattr(load_generated("numpy", module), name)(**arguments)


def torch_values(scheduler, steps, lr=LR, **arguments):
    """What the scheduler of torch sets the learning rate to, step by step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    made = scheduler(optimizer, **arguments)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        made.step()
    return np.array(values)


INITIAL = {"initial_learning_rate": LR}
EXPONENTIAL = {"decay_steps": 1, "decay_rate": 0.97, **INITIAL}
STAIRS = {"decay_steps": 7, "decay_rate": 0.5, "staircase": True, **INITIAL}
POLYNOMIAL = {"decay_steps": 40, "power": 2.5, "end_learning_rate": 0, **INITIAL}
RESTARTS = {"first_decay_steps": 7, **INITIAL}
WARMUP = {"initial_learning_rate": LR / 4, "target_learning_rate": LR, "warmup_steps": 11}
CYCLE = {"max_learning_rate": 0.5, "total_steps": 60, "pct_start": 0.3}
PIECES = {"boundaries": [9, 29], "values": [LR, LR / 10, LR / 100]}

TORCH = [
    ("exponential_decay", EXPONENTIAL, lr_scheduler.ExponentialLR, {"gamma": 0.97}, 60),
    ("exponential_decay", STAIRS, lr_scheduler.StepLR, {"step_size": 7, "gamma": 0.5}, 60),
    (
        "polynomial_decay",
        POLYNOMIAL,
        lr_scheduler.PolynomialLR,
        {"total_iters": 40, "power": 2.5},
        60,
    ),
    (
        "cosine_decay",
        {"decay_steps": 50, "alpha": 0.25, **INITIAL},
        lr_scheduler.CosineAnnealingLR,
        {"T_max": 50, "eta_min": LR / 4},
        51,
    ),
    (
        "cosine_decay_restarts",
        {"t_mul": 1, **RESTARTS},
        lr_scheduler.CosineAnnealingWarmRestarts,
        {"T_0": 7},
        60,
    ),
    (
        "cosine_decay_restarts",
        {"t_mul": 2, "alpha": 0.5, **RESTARTS},
        lr_scheduler.CosineAnnealingWarmRestarts,
        {"T_0": 7, "T_mult": 2, "eta_min": LR / 2},
        200,
    ),
    (
        "linear_warmup",
        WARMUP,
        lr_scheduler.LinearLR,
        {"start_factor": 0.25, "total_iters": 11},
        30,
    ),
    (
        "one_cycle",
        CYCLE,
        lr_scheduler.OneCycleLR,
        {"max_lr": 0.5, "total_steps": 60, "cycle_momentum": False},
        60,
    ),
    (
        "one_cycle",
        {"linear": True, "div_factor": 10, "final_div_factor": 100, **CYCLE},
        lr_scheduler.OneCycleLR,
        {
            "max_lr": 0.5, "total_steps": 60, "cycle_momentum": False,
            "anneal_strategy": "linear", "div_factor": 10, "final_div_factor": 100,
        },
        60,
    ),
    # a boundary belongs to the value after it in torch, to that before it here
    (
        "piecewise_constant",
        PIECES,
        lr_scheduler.MultiStepLR,
        {"milestones": [10, 30], "gamma": 0.1},
        60,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("module", "arguments", "scheduler", "its", "steps"), TORCH)
def test_torch(module, arguments, scheduler, its, steps):
    schedule = generated(module, **arguments)
    expected = torch_values(scheduler, steps, **its)
    found = np.array([schedule(step) for step in range(steps)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * LR)


def test_noam_is_the_papers():
    """torch's LambdaLR with equation 3 of the paper, whose steps count from 1."""

    def factor(step):
        return 64**-0.5 * min((step + 1) ** -0.5, (step + 1) * 20**-1.5)

    schedule = generated("noam", scale=2, d_model=64, warmup_steps=20)
    expected = torch_values(lr_scheduler.LambdaLR, 100, lr=2.0, lr_lambda=factor)
    np.testing.assert_allclose([schedule(t) for t in range(100)], expected, rtol=1e-15)


OPTAX = [
    ("exponential_decay", EXPONENTIAL, optax.exponential_decay(LR, 1, 0.97)),
    ("exponential_decay", STAIRS, optax.exponential_decay(LR, 7, 0.5, staircase=True)),
    ("polynomial_decay", POLYNOMIAL, optax.polynomial_schedule(LR, 0.0, 2.5, 40)),
    (
        "cosine_decay",
        {"decay_steps": 50, "alpha": 0.25, **INITIAL},
        optax.cosine_decay_schedule(LR, 50, 0.25),
    ),
    (
        "cosine_decay_warmup",
        {
            "initial_learning_rate": 0.05, "warmup_target": LR, "warmup_steps": 12,
            "decay_steps": 38, "alpha": 0.25,
        },
        optax.warmup_cosine_decay_schedule(0.05, LR, 12, 50, LR / 4),
    ),
    ("linear_warmup", WARMUP, optax.linear_schedule(LR / 4, LR, 11)),
    (
        "piecewise_constant",
        PIECES,
        optax.piecewise_constant_schedule(LR, {10: 0.1, 30: 0.1}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("module", "arguments", "peer"), OPTAX)
def test_optax(module, arguments, peer):
    schedule = generated(module, **arguments)
    with jax.enable_x64(True):
        expected = [float(peer(jax.numpy.float64(step))) for step in range(80)]
    found = [schedule(step) for step in range(80)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14 * LR)
