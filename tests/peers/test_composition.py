"""Wrappers and methods of several stages beside optax, torch and pytorch_optimizer.

The same gradients for 100 steps in float64, with hyperparameters that float32 holds.
"""

import jax
import numpy as np
import optax
import pytest
import pytorch_optimizer
import torch

import optdsl

pytestmark = pytest.mark.long

jax.config.update("jax_enable_x64", True)

STEPS = 100
TOLERANCE = 1e-9
SHAPES = {"a": (4, 3), "b": (5,), "c": (2, 2, 3, 2)}


def ours(composition, **arguments):
    """The NumPy class of a composition of the library."""
    text = f"optimizer Composed = {composition}"
    return optdsl.load(text, "numpy", "Composed")(**arguments)


def start():
    random = np.random.default_rng(3)
    return {key: random.normal(size=shape) for key, shape in SHAPES.items()}


def gradients():
    random = np.random.default_rng(4)
    for step in range(STEPS):
        size = (1.0, 5.0, 0.01)[step % 3]
        yield {key: size * random.normal(size=shape) for key, shape in SHAPES.items()}


def assert_near(found, expected):
    for key, x in expected.items():
        np.testing.assert_allclose(found[key], np.asarray(x), rtol=TOLERANCE, atol=TOLERANCE)


# -- optax: transformations around an optimizer

ADAM = "Adam(lr=0.125, b1=0.875, b2=0.96875, eps=0.0009765625)"
ADAM_DEBIASED = "AdamDebiased(lr=0.125, b1=0.875, b2=0.96875, eps=0.0009765625)"


def adam():
    return optax.adam(0.125, b1=0.875, b2=0.96875, eps=2.0**-10)


OPTAX = {
    "ClipValue(c=0.5)": lambda: optax.chain(optax.clip(0.5), adam()),
    "ClipNorm(c=0.5)": lambda: optax.chain(_clip_by_norm(0.5), adam()),
    "ClipGlobalNorm(c=2)": lambda: optax.chain(optax.clip_by_global_norm(2.0), adam()),
    "L2(wd=0.25)": lambda: optax.chain(optax.add_decayed_weights(0.25), adam()),
    "ClipGlobalNorm(c=2) of L2(wd=0.25)": lambda: optax.chain(
        optax.clip_by_global_norm(2.0), optax.add_decayed_weights(0.25), adam()
    ),
    "SkipNotFinite": lambda: optax.apply_if_finite(adam(), 10**6),
}


def _clip_by_norm(limit):
    """Each variable by itself, which is optax.clip_by_block_rms for norms."""

    def update(grads, state, params=None):
        del params
        return jax.tree.map(
            lambda g: g * limit / jax.numpy.maximum(jax.numpy.linalg.norm(g), limit), grads
        ), state

    return optax.GradientTransformation(lambda params: (), update)


@pytest.mark.parametrize("wrappers", OPTAX)
def test_optax(wrappers):
    optimizer, peer = ours(f"{wrappers} of {ADAM_DEBIASED}"), OPTAX[wrappers]()
    params = start()
    theirs = {key: jax.numpy.asarray(x) for key, x in params.items()}
    state, update = peer.init(theirs), jax.jit(peer.update)
    for step, grads in enumerate(gradients()):
        if wrappers == "SkipNotFinite" and step % 7 == 3:
            grads["b"][2] = np.nan if step % 2 else np.inf
        updates, state = update(grads, state, theirs)
        theirs = optax.apply_updates(theirs, updates)
        optimizer.update(params, grads)
    assert_near(params, theirs)


@pytest.mark.parametrize("k", [1, 4])
def test_accumulation_is_optax_on_the_means(k):
    """optax.MultiSteps itself accumulates in float32."""
    optimizer = ours(f"Accumulate(k={k}) of ClipGlobalNorm(c=2) of {ADAM_DEBIASED}")
    peer, params = optax.chain(optax.clip_by_global_norm(2.0), adam()), start()
    theirs = {key: jax.numpy.asarray(x) for key, x in params.items()}
    state, update = peer.init(theirs), jax.jit(peer.update)
    sums = dict.fromkeys(params, 0)
    for step, grads in enumerate(gradients(), 1):
        optimizer.update(params, grads)
        sums = {key: sums[key] + g for key, g in grads.items()}
        if step % k == 0:
            means = {key: total / k for key, total in sums.items()}
            updates, state = update(means, state, theirs)
            theirs = optax.apply_updates(theirs, updates)
            sums = dict.fromkeys(params, 0)
        assert_near(params, theirs)


def test_lookahead_of_optax():
    optimizer = ours(f"Lookahead(k=5, alpha=0.25) of {ADAM_DEBIASED}")
    peer = optax.lookahead(adam(), sync_period=5, slow_step_size=0.25)
    params = start()
    theirs = optax.LookaheadParams.init_synced(jax.tree.map(jax.numpy.asarray, params))
    state, update = peer.init(theirs), jax.jit(peer.update)
    for grads in gradients():
        updates, state = update(grads, state, theirs)
        theirs = optax.apply_updates(theirs, updates)
        optimizer.update(params, grads)
    assert_near(params, theirs.fast)


# -- torch and pytorch_optimizer


def torch_run(make, wanted=gradients, before=lambda parameters: None):
    """What a torch optimizer makes of the start; `before` is called before every step."""
    peers = {key: torch.nn.Parameter(torch.tensor(x)) for key, x in start().items()}
    optimizer = make(list(peers.values()))
    for grads in wanted():
        for key, parameter in peers.items():
            parameter.grad = torch.tensor(grads[key])
        before(list(peers.values()))
        optimizer.step()
    return {key: x.detach().numpy() for key, x in peers.items()}


def run(optimizer):
    params = start()
    for grads in gradients():
        optimizer.update(params, grads)
    return params


def torch_sgd(parameters):
    return torch.optim.SGD(parameters, 0.125, momentum=0.875)


#: v = mu*v + g, w -= lr*v, which is what torch calls SGD
SGD = "Momentum(lr=0.125, mu=0.875)"


def test_clip_value_of_torch():
    def clip(parameters):
        torch.nn.utils.clip_grad_value_(parameters, 0.5)

    assert_near(run(ours(f"ClipValue(c=0.5) of {SGD}")), torch_run(torch_sgd, before=clip))


def test_l2_of_torch():
    def make(parameters):
        return torch.optim.SGD(parameters, 0.125, momentum=0.875, weight_decay=0.25)

    assert_near(run(ours(f"L2(wd=0.25) of {SGD}")), torch_run(make))


def test_adam_with_l2_of_torch():
    def make(parameters):
        return torch.optim.Adam(parameters, 0.125, (0.875, 0.96875), 2.0**-10, weight_decay=0.25)

    assert_near(run(ours(f"L2(wd=0.25) of {ADAM_DEBIASED}")), torch_run(make))


def test_decay_is_adamw_without_the_rate():
    def make(parameters):
        return torch.optim.AdamW(parameters, 0.125, (0.875, 0.96875), 2.0**-10, weight_decay=0.25)

    assert_near(run(ours(f"Decay(wd=0.03125) of {ADAM_DEBIASED}")), torch_run(make))


def test_lookahead_of_pytorch_optimizer():
    def make(parameters):
        return pytorch_optimizer.Lookahead(torch_sgd(parameters), k=4, alpha=0.25)

    assert_near(run(ours(f"Lookahead(k=4, alpha=0.25) of {SGD}")), torch_run(make))


def test_swap_of_wrappers_matters():
    """Lookahead around Accumulate syncs every k steps, inside it every k of its own."""
    inside = run(ours(f"Accumulate(k=2) of Lookahead(k=2) of {SGD}"))
    outside = run(ours(f"Lookahead(k=2) of Accumulate(k=2) of {SGD}"))
    assert any(np.any(inside[key] != outside[key]) for key in inside)


# -- sharpness-aware minimization: the loss is evaluated twice


def loss(values):
    """Some function of all variables, for NumPy (with its gradients) and torch."""
    total = sum(0.25 * torch.sin(x).sum() + (x**2).mean() for x in values.values())
    return total + 0.125 * sum(x.sum() for x in values.values()) ** 2


def closure(params):
    values = {key: torch.tensor(x, requires_grad=True) for key, x in params.items()}
    found = loss(values)
    found.backward()
    return float(found.detach()), {key: x.grad.numpy() for key, x in values.items()}


def test_sam_of_optax():
    optimizer, params = ours(f"SAM(rho=0.25) of {SGD}"), start()
    ascent = optax.chain(optax.contrib.normalize(), optax.sgd(0.25))
    peer = optax.contrib.sam(optax.sgd(0.125, momentum=0.875), ascent, sync_period=2)
    theirs = {key: jax.numpy.asarray(x) for key, x in params.items()}
    state, update = peer.init(theirs), jax.jit(peer.update)
    for _ in range(STEPS):
        optimizer.step(params, closure)
        for _ in range(2):  # the ascent, and the step
            _, grads = closure({key: np.array(x) for key, x in theirs.items()})
            updates, state = update(grads, state, theirs)
            theirs = optax.apply_updates(theirs, updates)
        assert_near(params, theirs)


def test_asam_of_its_paper():
    """With torch's SGD inside; pytorch_optimizer takes the norm in float32."""
    optimizer, params = ours(f"ASAM(rho=0.25, eta=0.125) of {SGD}"), start()
    peers = {key: torch.nn.Parameter(torch.tensor(x)) for key, x in params.items()}
    peer = torch_sgd(list(peers.values()))
    for _ in range(STEPS):
        optimizer.step(params, closure)
        before = {key: x.detach().numpy().copy() for key, x in peers.items()}
        _, grads = closure(before)
        scaled = {key: (abs(before[key]) + 0.125) * g for key, g in grads.items()}
        norm = np.sqrt(sum((x**2).sum() for x in scaled.values()))
        worst = {key: x + 0.25 * (abs(x) + 0.125) * scaled[key] / norm for key, x in before.items()}
        _, grads = closure(worst)
        for key, parameter in peers.items():
            parameter.grad = torch.tensor(grads[key])
        peer.step()
        assert_near(params, {key: x.detach().numpy() for key, x in peers.items()})
