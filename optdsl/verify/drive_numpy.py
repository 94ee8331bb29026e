"""Drives generated NumPy classes. Runs on Python 3.7. There is one mode, "numpy"."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

FRAMEWORK = "numpy"
#: What runs the rules of classes that leave the choice: numba would have to be compiled.
ENGINE = "numpy"


def run(case: dict[str, Any], generated: Any) -> list[dict[str, Any]]:
    """The state after every step."""
    arguments = {
        name: _schedule(value) if isinstance(value, list) else value
        for name, value in case["arguments"].items()
    }
    optimizer = generated(**arguments, **case["lists"])
    if getattr(generated, "_COMPILED", False):
        optimizer.engine = ENGINE
    sparse = sys.modules[generated.__module__].SparseGrad
    variables = {key: w.copy() for key, w in case["variables"].items()}
    states = []
    given = [
        {
            key: sparse(g["indices"], g["values"], variables[key].shape)
            if isinstance(g, dict)
            else g
            for key, g in gradients.items()
        }
        for gradients in case["gradients"]
    ]
    rest = iter(given)
    for _ in range(0, len(given), case["stages"]):
        with np.errstate(all="ignore"):
            if case["stages"] == 1:
                optimizer.update(variables, next(rest))
            else:
                optimizer.step(variables, lambda params: next(rest))
        states.append(_state(optimizer, variables, case["slots"]))
    return states


def _schedule(values: list[float]) -> Callable[[int], float]:
    return lambda step: values[step]


def _state(optimizer: Any, variables: dict[str, Any], slots: dict[str, str]) -> dict[str, Any]:
    # of a copy: rows that wait go on waiting, for more than one step
    kept = copy.deepcopy(optimizer).state_dict()["slots"]
    return {
        key: dict(w=w.copy(), **_slots(kept.get(key, {}), slots)) for key, w in variables.items()
    }


def _slots(kept: dict[str, Any], slots: dict[str, str]) -> dict[str, Any]:
    return {name: kept[public] for name, public in slots.items() if public in kept}
