"""The generated NumPy classes against torch.optim: 100 steps in float64.

Only where the rules are the same. Torch decays weights by adding them to the gradient and has no
form of Adamax, RAdam or Adagrad with another epsilon; RAdam divides by an uncorrected root, which
an epsilon too small to be seen makes the same.
"""

import numpy as np
import pytest
import torch

from tests.support import load_generated

STEPS = 100
SHAPES = [(4, 3), (5,), ()]


def product(**choices):
    """All combinations of keyword arguments."""
    found = [{}]
    for name, values in choices.items():
        found = [dict(x, **{name: v}) for x in found for v in values]
    return found


def cases(module, name, theirs, chosen):
    """(module, class, torch's optimizer, its arguments); ours follow from those."""
    return [(module, name, theirs, x) for x in chosen]


EPS = {"eps": [1e-8, 1e-2]}
BETAS = {"betas": [(0.9, 0.999), (0.5, 0.8)]}
ADAM = product(amsgrad=[False, True], **BETAS, **EPS)
SGD = [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.9, "nesterov": True}]
RMSPROP = product(alpha=[0.9], momentum=[0, 0.9], centered=[False, True], **EPS)

CASES = [
    *cases("gradient_descent", "GradientDescent", "SGD", SGD[:1]),
    *cases("sgd", "SGD", "SGD", SGD),
    *cases("momentum", "Momentum", "SGD", SGD[1:]),
    *cases("nag", "NAG", "SGD", SGD[2:]),
    *cases("adagrad", "Adagrad", "Adagrad", product(initial_accumulator_value=[0, 0.1], **EPS)),
    *cases("adadelta", "Adadelta", "Adadelta", product(lr=[1.0, 0.1], rho=[0.9, 0.5], **EPS)),
    *cases("rmsprop_eps_outside", "RMSpropEpsOutside", "RMSprop", RMSPROP),
    *cases("rmsprop", "RMSprop", "RMSprop", [x for x in RMSPROP if not x["momentum"]]),
    *cases("adam_debiased", "AdamDebiased", "Adam", ADAM),
    *cases("adamw_debiased", "AdamWDebiased", "AdamW", product(weight_decay=[0, 0.1], **BETAS)),
    *cases("adamw_debiased", "AdamWDebiased", "AdamW", ADAM),
    *cases("adamax_eps_inside", "AdamaxEpsInside", "Adamax", product(**BETAS, **EPS)),
    *cases("nadam", "Nadam", "NAdam", product(momentum_decay=[0.004, 1.0], **BETAS, **EPS)),
    *cases("radam", "RAdam", "RAdam", product(betas=[(0.9, 0.999), (0.8, 0.9)], eps=[1e-60])),
]
OURS = {"alpha": "rho", "momentum_decay": "schedule_decay", "eps": "epsilon", "lr": "learning_rate"}


def arguments(module, theirs):
    ours = {OURS.get(name, name): value for name, value in theirs.items()}
    if module == "nag":  # it is nothing else
        ours.pop("nesterov")
    if "betas" in ours:
        ours["beta_1"], ours["beta_2"] = ours.pop("betas")
    return ours


def label(case):
    module, _, _, theirs = case
    return "-".join([module, *(f"{k}={v}" for k, v in theirs.items())])


def gradient(step, index, shape):
    """Of different sizes from step to step, and 0 in some of them."""
    rng = np.random.RandomState(7 * step + index)
    return rng.standard_normal(shape) * 10 ** rng.uniform(-3, 2) * (step % 9 > 0)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_the_same_steps_as_torch(case):
    module, name, theirs, chosen = case
    chosen = {"lr": 0.01, **chosen}
    start = [np.random.RandomState(i).standard_normal(s) for i, s in enumerate(SHAPES)]
    ours = [x.copy() for x in start]
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    optimizer = getattr(load_generated("numpy", module), name)(**arguments(module, chosen))
    peer = getattr(torch.optim, theirs)(tensors, **chosen)
    for step in range(STEPS):
        grads = [gradient(step, i, s) for i, s in enumerate(SHAPES)]
        optimizer.update(ours, grads)
        for tensor, g in zip(tensors, grads):
            tensor.grad = torch.tensor(g, dtype=torch.float64)
        peer.step()
        for mine, tensor in zip(ours, tensors):
            np.testing.assert_allclose(mine, tensor.detach().numpy(), rtol=1e-9, atol=1e-9)
    assert all(np.abs(x - y).max() > 1e-6 for x, y in zip(ours, start))


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
