"""torch.optim: one fused loop, lists of tensors (foreach), a loop over tensors, sparse rows."""

import torch

from benchmarks.race.child import THREADS
from benchmarks.race.models import Rows
from benchmarks.race.rules import EPS, LR

torch.set_num_threads(THREADS)


def _maker(optimizer, **way):
    def make(rule, params):
        params = [torch.tensor(x, requires_grad=True) for x in params]
        amsgrad = {"amsgrad": True} if rule.name == "amsgrad" else {}
        of_params = optimizer(params, lr=LR, eps=EPS, **amsgrad, **way)

        def step(grads):
            for param, g in zip(params, grads):
                param.grad = _sparse(g) if isinstance(g, Rows) else g
            of_params.step()

        return step, lambda: [x.detach().numpy() for x in params]

    return make


def _sparse(g):
    """Made anew for each step, as backward() does: a step would sum the duplicates for good."""
    return torch.sparse_coo_tensor(g.indices, g.values, g.shape, check_invariants=False)


def _tensors(g):
    if isinstance(g, Rows):
        indices = torch.tensor(g.indices[None], dtype=torch.int64)
        return Rows(indices, torch.tensor(g.values), g.shape)
    return torch.tensor(g)


def convert(gradients):
    return [_tensors(g) for g in gradients]


_DENSE = "adam", "amsgrad"
CONTESTANTS = [
    {"name": "torch fused", "rules": _DENSE, "make": _maker(torch.optim.Adam, fused=True)},
    {"name": "torch foreach", "rules": _DENSE, "make": _maker(torch.optim.Adam, foreach=True)},
    {"name": "torch for-loop", "rules": _DENSE, "make": _maker(torch.optim.Adam, foreach=False)},
    {
        "name": "torch SparseAdam",
        "rules": ("adam, lazy",),
        "make": _maker(torch.optim.SparseAdam),
    },
]
