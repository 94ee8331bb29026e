"""Overrides against the parameter groups of torch.optim.AdamW, which people write for a model with
LayerNorm: no weight decay for biases and norms, and a learning rate for every layer.
"""

import numpy as np
import pytest
import tensorflow.compat.v2 as tf
import torch

from tests.support import load_generated

pytestmark = pytest.mark.long

STEPS = 30
RATE, DECAY = 0.01, 0.1
#: Patterns of names, and what torch's groups of those parameters are told.
OVERRIDES = {
    r"/bias|norm/": {"weight_decay": 0.0},
    "^first/": {"learning_rate": "*0.25"},
    "^norm/": {"learning_rate": 0.002},
}


class Net(torch.nn.Module):
    """Two dense layers with a LayerNorm between them, in float64."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Linear(4, 5).double()
        self.norm = torch.nn.LayerNorm(5).double()
        self.last = torch.nn.Linear(5, 2).double()

    def forward(self, x):
        return self.last(torch.tanh(self.norm(self.first(x))))


def groups(net):
    """The groups as torch takes them, by hand."""
    return [
        {"params": [net.first.weight], "lr": RATE / 4},
        {"params": [net.first.bias], "lr": RATE / 4, "weight_decay": 0.0},
        {"params": [net.norm.weight, net.norm.bias], "lr": 0.002, "weight_decay": 0.0},
        {"params": [net.last.weight]},
        {"params": [net.last.bias], "weight_decay": 0.0},
    ]


def named(net):
    return {name.replace(".", "/"): x for name, x in net.named_parameters()}


def trained():
    """Start, the gradients of each step, and the end, by the names of the parameters."""
    net = Net()
    start = {n: x.detach().numpy().copy() for n, x in named(net).items()}
    peer = torch.optim.AdamW(groups(net), lr=RATE, weight_decay=DECAY, eps=1e-8)
    x, y = torch.randn(16, 4).double(), torch.randn(16, 2).double()
    grads = []
    for _ in range(STEPS):
        peer.zero_grad()
        torch.nn.functional.mse_loss(net(x), y).backward()
        grads.append({n: x.grad.numpy().copy() for n, x in named(net).items()})
        peer.step()
    return start, grads, {n: x.detach().numpy() for n, x in named(net).items()}


def by_numpy(start, grads):
    params = {n: x.copy() for n, x in start.items()}
    AdamW = load_generated("numpy", "adamw_debiased").AdamWDebiased
    optimizer = AdamW(RATE, DECAY, epsilon=1e-8, overrides=OVERRIDES)
    for g in grads:
        optimizer.update(params, g)
    return params


def by_tensorflow(start, grads, optimizer):
    w = {n: tf.Variable(x, name=n) for n, x in start.items()}
    for g in grads:
        optimizer.apply_gradients([(tf.constant(g[n]), w[n]) for n in w])
    return {n: x.numpy() for n, x in w.items()}


def by_tf1(start, grads):
    AdamW = load_generated("tf1", "adamw_debiased").AdamWDebiasedOptimizer
    return by_tensorflow(start, grads, AdamW(RATE, DECAY, epsilon=1e-8, overrides=OVERRIDES))


def by_keras(start, grads):
    AdamW = load_generated("keras_v2", "adamw_debiased").AdamWDebiased
    return by_tensorflow(start, grads, AdamW(RATE, DECAY, epsilon=1e-8, overrides=OVERRIDES))


@pytest.mark.parametrize("ours", [by_numpy, by_tf1, by_keras])
def test_the_parameter_groups_of_torch(ours):
    start, grads, want = trained()
    got = ours(start, grads)
    for name in want:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-9, atol=1e-9)
        assert np.abs(want[name] - start[name]).max() > 1e-3
