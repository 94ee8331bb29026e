"""The generated NumPy classes against torch.optim: 100 steps in float64.

Only where the rules are the same. Torch decays weights by adding them to the gradient and has no
form of Adamax, RAdam or Adagrad with another epsilon; RAdam divides by an uncorrected root, which
an epsilon too small to be seen makes the same.
"""

from functools import partial

import numpy as np
import pytest
import torch

from tests.peers.documented import bound
from tests.peers.measure import STEPS, difference, label, product, torch_peer
from tests.support import load_generated

pytestmark = pytest.mark.long


def cases(module, theirs, chosen):
    """(module, torch's optimizer, its arguments); ours follow from those."""
    return [(module, theirs, x) for x in chosen]


EPS = {"eps": [1e-8, 1e-2]}
BETAS = {"betas": [(0.9, 0.999), (0.5, 0.8)]}
ADAM = product(amsgrad=[False, True], **BETAS, **EPS)
DECAY = {"weight_decay": [0.0, 2.0**-4]}
WAYS = {"decoupled_weight_decay": [False, True], **DECAY}
HALVES = {"betas": [(0.875, 0.9375)], "eps": [2.0**-26, 2.0**-7]}
TWO = {"momentum": [0, 0.875], "centered": [False, True]}
SGD = [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}]
RMSPROP = product(alpha=[0.9], momentum=[0, 0.9], centered=[False, True], **EPS)

CASES = [
    *cases("gradient_descent", "SGD", SGD[:1]),
    *cases("sgd", "SGD", SGD),
    *cases("momentum", "SGD", SGD[1:]),
    *cases("nag", "SGD", SGD[2:]),
    *cases("adagrad", "Adagrad", product(initial_accumulator_value=[0, 0.1], **EPS)),
    *cases("adadelta", "Adadelta", product(lr=[1.0, 0.1], rho=[0.9, 0.5], **EPS)),
    *cases("rmsprop_eps_outside", "RMSprop", RMSPROP),
    *cases("rmsprop", "RMSprop", [x for x in RMSPROP if not x["momentum"]]),
    *cases("adam_debiased", "Adam", ADAM),
    *cases("adamw_debiased", "AdamW", product(weight_decay=[0, 0.1], **BETAS)),
    *cases("adamw_debiased", "AdamW", ADAM),
    *cases("adamax_eps_inside", "Adamax", product(**BETAS, **EPS)),
    *cases("nadam", "NAdam", product(momentum_decay=[0.004, 1.0], **BETAS, **EPS)),
    *cases("radam", "RAdam", product(betas=[(0.9, 0.999), (0.8, 0.9)], eps=[1e-60])),
    *cases("sgd_torch", "SGD", product(momentum=[0.0], **DECAY)),
    *cases("sgd_torch", "SGD", product(momentum=[0.875], dampening=[0.0, 0.25], **DECAY)),
    *cases("sgd_torch", "SGD", product(momentum=[0.875], nesterov=[True], **DECAY)),
    *cases("adam_l2", "Adam", product(amsgrad=[False, True], **HALVES, **DECAY)),
    *cases("adagrad_torch", "Adagrad", product(lr_decay=[0.0, 0.125], eps=[2.0**-26], **DECAY)),
    *cases("adagrad_torch", "Adagrad", product(initial_accumulator_value=[0.5], **DECAY)),
    *cases("rmsprop_torch", "RMSprop", product(alpha=[0.875], **TWO, **DECAY)),
    *cases("adadelta_torch", "Adadelta", product(rho=[0.875], eps=[2.0**-20], **DECAY)),
    *cases("adamax_torch", "Adamax", product(**HALVES, **DECAY)),
    *cases("nadam_torch", "NAdam", product(momentum_decay=[2.0**-8], **HALVES, **WAYS)),
    *cases("radam_torch", "RAdam", product(**HALVES, **WAYS)),
    *cases("rprop", "Rprop", product(lr=[2.0**-7, 1.0], etas=[(0.5, 1.25)])),
    *cases("rprop", "Rprop", product(step_sizes=[(2.0**-8, 0.125)], etas=[(0.75, 1.5)])),
]
OURS = {"alpha": "rho", "eps": "epsilon", "lr": "learning_rate"}
PAIRS = {
    "betas": ("beta_1", "beta_2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}


def arguments(module, theirs):
    ours = {OURS.get(name, name): value for name, value in theirs.items()}
    for name, parts in PAIRS.items():
        ours.update(zip(parts, ours.pop(name, ())))
    if module == "nag":  # it is nothing else
        ours.pop("nesterov")
    if module == "nadam":
        ours["schedule_decay"] = ours.pop("momentum_decay")
    return ours


def measure(case):
    module, theirs, chosen = case
    chosen = {"lr": 2.0**-7, **chosen}
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which it keeps some numbers of a step
    try:
        peer = torch_peer(partial(getattr(torch.optim, theirs), **chosen))
        return difference(module, arguments(module, chosen), peer)
    finally:
        torch.set_default_dtype(usual)


@pytest.mark.parametrize("case", CASES, ids=lambda case: label(case[0], case[2]))
def test_the_same_steps_as_torch(case):
    assert measure(case) <= bound(case[0], "torch", case[1])


def test_the_same_sparse_steps_as_torch_s_sparse_adam():
    generated = load_generated("numpy", "lazy_adam")
    w = np.random.RandomState(0).standard_normal((8, 3))
    tensor = torch.tensor(w, requires_grad=True)
    optimizer = generated.LazyAdam(lr=0.01, epsilon=1e-8)
    peer = torch.optim.SparseAdam([tensor], lr=0.01, eps=1e-8)
    for step in range(STEPS):
        rng = np.random.RandomState(step)
        indices, values = rng.randint(0, 8, 4), rng.standard_normal((4, 3))
        optimizer.update([w], [generated.SparseGrad(indices, values)])
        tensor.grad = torch.sparse_coo_tensor(indices[None], values, (8, 3), check_invariants=True)
        peer.step()
        np.testing.assert_allclose(w, tensor.detach().numpy(), rtol=1e-9, atol=1e-9)
