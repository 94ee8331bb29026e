"""Averages of iterates against their authors' packages: 100 steps in float64, the weights in
training and those for evaluation.
"""

import numpy as np
import optax
import pytest
import schedulefree
import torch

from tests.peers.measure import SHAPES, STEPS, gradient, product
from tests.support import load_generated

pytestmark = pytest.mark.long

OPTIONS = product(
    warmup_steps=[0, 10], weight_decay=[0, 0.125], r=[0.0, 1.0], weight_lr_power=[2.0, 0.0]
)
SCHEDULE_FREE = [
    *(("schedule_free_sgd", dict(x, momentum=m)) for x in OPTIONS for m in (0.9, 0.5)),
    *(("schedule_free_adamw", dict(x, betas=b)) for x in OPTIONS for b in [(0.9, 0.999)]),
    ("schedule_free_adamw", {"betas": (0.5, 0.9), "eps": 1e-2}),
]
CLASSES = {
    "schedule_free_sgd": ("ScheduleFreeSGD", schedulefree.SGDScheduleFree),
    "schedule_free_adamw": ("ScheduleFreeAdamW", schedulefree.AdamWScheduleFree),
}
OURS = {"lr": "learning_rate", "r": "weight_power", "eps": "epsilon"}


def arguments(theirs):
    ours = {OURS.get(name, name): value for name, value in theirs.items()}
    if "betas" in ours:
        ours["beta_1"], ours["beta_2"] = ours.pop("betas")
    return ours


def close(ours, tensors):
    assert len(ours) == len(tensors) > 0
    for mine, tensor in zip(ours, tensors):
        np.testing.assert_allclose(mine, tensor.detach().numpy(), rtol=1e-9, atol=1e-9)


def start():
    arrays = [np.random.RandomState(i).standard_normal(s) for i, s in enumerate(SHAPES)]
    tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in arrays]
    return [x.copy() for x in arrays], tensors


def step(number, optimizer, params, peer, tensors, scale=1.0):
    grads = [scale * gradient(number, i, s) for i, s in enumerate(SHAPES)]
    optimizer.update(params, grads)
    for tensor, g in zip(tensors, grads):
        tensor.grad = torch.tensor(g, dtype=torch.float64)
    peer.step()


@pytest.mark.parametrize("lr", [0.01, 0.5])
@pytest.mark.parametrize("name, chosen", SCHEDULE_FREE)
def test_schedule_free(name, chosen, lr):
    ours, theirs = CLASSES[name]
    chosen = dict(chosen, lr=lr)
    params, tensors = start()
    optimizer = getattr(load_generated("numpy", name), ours)(**arguments(chosen))
    peer = theirs(tensors, foreach=False, **chosen)
    for number in range(STEPS):
        peer.train()
        step(number, optimizer, params, peer, tensors, scale=0.1)
        close(params, tensors)
        peer.eval()
        close(optimizer.evaluation_params(params), tensors)
    assert np.abs(optimizer.evaluation_params(params)[0] - params[0]).max() > 1e-3


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_schedule_free_with_a_schedule(name):
    """The weight of a step goes by the greatest rate so far."""
    ours, theirs = CLASSES[name]
    params, tensors = start()
    optimizer = getattr(load_generated("numpy", name), ours)(lr=lambda t: 0.5 / (1 + t % 7))
    peer = theirs(tensors, lr=0.5, foreach=False)
    for number in range(STEPS):
        peer.train()
        peer.param_groups[0]["lr"] = 0.5 / (1 + number % 7)
        step(number, optimizer, params, peer, tensors, scale=0.1)
        close(params, tensors)
        peer.eval()
        close(optimizer.evaluation_params(params), tensors)


@pytest.fixture
def float64_in_torch():
    """Torch keeps the numbers of a step in its default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("average_start", [0, 1, 30, 1000])
def test_the_mean_of_the_iterates(average_start, float64_in_torch):
    params, tensors = start()
    optimizer = load_generated("numpy", "averaged_sgd").AveragedSGD(
        learning_rate=0.01, average_start=average_start
    )
    peer = torch.optim.ASGD(tensors, lr=0.01, lambd=0, alpha=0, t0=average_start - 1)
    for number in range(STEPS):
        step(number, optimizer, params, peer, tensors)
        close(params, tensors)
        averages = [peer.state[tensor]["ax"] for tensor in tensors]
        close(optimizer.evaluation_params(params), averages)


@pytest.mark.parametrize("momentum", [0, 0.9])
@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_moving_average_without_its_start(decay, momentum):
    import jax

    params, tensors = start()
    optimizer = load_generated("numpy", "ema_sgd").EmaSGD(
        learning_rate=0.01, average_decay=decay, momentum=momentum, zero_debias=True
    )
    peer = torch.optim.SGD(tensors, lr=0.01, momentum=momentum)
    with jax.enable_x64(True):
        average = optax.ema(decay, debias=True)
        state = average.init(params)
        for number in range(STEPS):
            step(number, optimizer, params, peer, tensors)
            iterates = [tensor.detach().numpy() for tensor in tensors]
            found, state = average.update(iterates, state)
            for mine, theirs in zip(optimizer.evaluation_params(params), found):
                np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_moving_average(decay):
    params, tensors = start()
    optimizer = load_generated("numpy", "ema_sgd").EmaSGD(learning_rate=0.01, average_decay=decay)
    peer = torch.optim.SGD(tensors, lr=0.01)
    holder = torch.nn.ParameterList(tensors)
    average = torch.optim.swa_utils.AveragedModel(
        holder, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    average.update_parameters(holder)  # the first one is taken as it is
    for number in range(STEPS):
        step(number, optimizer, params, peer, tensors)
        average.update_parameters(holder)
        close(optimizer.evaluation_params(params), average.module)
