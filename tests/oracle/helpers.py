"""Specs to oracles, in a line."""

from __future__ import annotations

import numpy as np

from optdsl import api
from optdsl.diagnostics import Diagnostics, Source, SpecError
from optdsl.oracle import FLOAT64, Oracle, Sparse
from optdsl.semantics.model import Optimizer


def resolved(text: str) -> Optimizer:
    """The one optimizer of a spec."""
    diagnostics = Diagnostics()
    optimizers = api.resolve_source(Source("spec.opt", text), diagnostics)
    if diagnostics.has_errors:
        raise SpecError(diagnostics.all)
    (optimizer,) = optimizers
    return optimizer


def rule(body: str, declarations: str = "") -> Optimizer:
    """An optimizer with a learning rate, these declarations and this update block."""
    head = f"optimizer X {{\n  hyper lr = 0.5 in [0, inf)\n{declarations}\n"
    return resolved(f"{head}  update {{\n{body}\n  }}\n}}\n")


def oracle(optimizer: Optimizer, **arguments: object) -> Oracle:
    return Oracle(optimizer, arguments, "numpy", FLOAT64)


def steps(machine: Oracle, w: object, gradients: list[object]) -> list[dict[str, np.ndarray]]:
    """The state of the one variable after each step."""
    state = machine.start({"w": np.asarray(w, float)})
    seen = []
    for gradient in gradients:
        given = gradient if isinstance(gradient, Sparse) else np.asarray(gradient, float)
        state = machine.step(state, {"w": given})
        seen.append({**state.variables["w"], **state.shared})
    return seen


def rows(indices: list[int], values: object) -> Sparse:
    return Sparse(np.asarray(indices, np.int64), np.asarray(values, float))
