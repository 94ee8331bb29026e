"""How far a generated NumPy class is from its peer: 100 steps in float64 on the same gradients."""

import numpy as np

from tests.support import load_generated

STEPS = 100
SHAPES = [(4, 3), (5,), ()]

#: What every comparison of this folder keeps to, relative to 1 + |value|.
TOLERANCE = 1e-9


def product(**choices):
    """All combinations of keyword arguments."""
    found = [{}]
    for name, values in choices.items():
        found = [dict(x, **{name: v}) for x in found for v in values]
    return found


def label(module, chosen):
    return "-".join([module, *(f"{k}={v}" for k, v in chosen.items())])


def gradient(step, index, shape):
    """Of different sizes from step to step, and 0 in some of them."""
    rng = np.random.RandomState(7 * step + index)
    return np.asarray(rng.standard_normal(shape) * 10 ** rng.uniform(-3, 2) * (step % 9 > 0))


def optimizer_class(module):
    """The optimizer of `generated/numpy/<module>.py`."""
    generated = load_generated("numpy", module)
    return next(c for c in vars(generated).values() if "update" in getattr(c, "__dict__", {}))


def difference(module, arguments, begin, shapes=SHAPES):
    """The largest difference on the way, relative to 1 + |value|.

    `begin` takes the variables to their peer: a function from the gradients of a step to the
    variables after it.
    """
    start = [np.asarray(np.random.RandomState(i).standard_normal(s)) for i, s in enumerate(shapes)]
    ours = [x.copy() for x in start]
    optimizer, peer = optimizer_class(module)(**arguments), begin(start)
    largest = 0.0
    for step in range(STEPS):
        grads = [gradient(step, i, s) for i, s in enumerate(shapes)]
        optimizer.update(ours, grads)
        for mine, theirs in zip(ours, peer(grads)):
            assert theirs.dtype == np.float64
            largest = max(largest, np.max(np.abs(mine - theirs) / (1 + np.abs(theirs))))
    assert all(np.abs(x - y).max() > 1e-6 for x, y in zip(ours, start)), "nothing has moved"
    assert not np.isnan(ours[0]).any()
    return largest


def torch_peer(make):
    """`begin` for an optimizer of torch: `make` takes the list of tensors to it."""
    import torch

    def begin(start):
        tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
        optimizer = make(tensors)

        def step(grads):
            for tensor, g in zip(tensors, grads):
                tensor.grad = torch.tensor(g, dtype=torch.float64)
            optimizer.step()
            return [tensor.detach().numpy() for tensor in tensors]

        return step

    return begin


def optax_peer(make):
    """`begin` for optax: `make()` is a gradient transformation. Only with `jax.enable_x64`."""
    import jax
    import optax

    def begin(start):
        peer = make()
        now = {"params": [jax.numpy.asarray(x) for x in start]}
        now["state"] = peer.init(now["params"])
        update = peer.update

        def step(grads):
            updates, now["state"] = update(grads, now["state"], now["params"])
            now["params"] = optax.apply_updates(now["params"], updates)
            return [np.asarray(x) for x in now["params"]]

        return step

    return begin
