"""Whether what a target did is what the rule says, within the error that rounding allows.

Every step is judged by itself: the oracle starts from the state in which the target was seen
before it. A state that was seen inside its bound is a right one, so what is left to explain is the
rounding of the next step alone, and the bound stays as sharp in the last step as in the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from optdsl.oracle import FLOAT64, Gradient, Oracle, Sparse, State
from optdsl.oracle.arithmetic import Array
from optdsl.semantics import model
from optdsl.verify.cases import Case
from optdsl.verify.enclosure import Accuracy, Enclosure
from optdsl.verify.sets import Enclosed, Set

Seen = Mapping[str, Mapping[str, Array]]


@dataclass
class Measured:
    """The result of one case.

    `ulps`: by the dtype in which a state is kept, the largest error of one step in ulp of it.
    `use`: the largest part of its bound that an error took; beyond 1 is a failure. Neither counts
    results that have overflowed or underflowed as they should, or of which rounding leaves no
    digit; `use` none in float16, where a result is rounded to its bound. `open`: the part of the
    numbers for which rounding allows anything. `failures`: what is wrong, one line each.
    """

    ulps: dict[str, float] = field(default_factory=dict)
    use: float = 0.0
    open: float = 0.0
    failures: list[str] = field(default_factory=list)


def compare(
    optimizer: model.Optimizer,
    target: str,
    case: Case,
    states: Sequence[Seen],
    accuracy: Accuracy,
) -> Measured:
    """Judge the states after each step of a case."""
    return _Comparison(optimizer, target, case, accuracy).run(states)


class _Comparison:
    def __init__(
        self, optimizer: model.Optimizer, target: str, case: Case, accuracy: Accuracy
    ) -> None:
        self._case = case
        self._sets = Enclosure(accuracy)
        self._bounds = Oracle(optimizer, case.arguments, target, self._sets)
        self._exact = Oracle(optimizer, case.arguments, target, FLOAT64)
        self._counted = self._unbounded = 0
        self._measured = Measured()

    def run(self, states: Sequence[Seen]) -> Measured:
        bounds = self._bounds.start(self._case.variables)
        exact = self._exact.start(self._case.variables)
        for step, (gradients, seen) in enumerate(zip(self._case.gradients, states, strict=True), 1):
            before = exact
            bounds = self._bounds.step(bounds, gradients)
            exact = self._exact.step(exact, gradients)
            for key, allowed in bounds.variables.items():
                for name, limits in allowed.items():
                    x = seen.get(key, {}).get(name)
                    place = f"step {step}: {name} of {key}"
                    values = before.variables[key][name], exact.variables[key][name]
                    if x is not None:
                        self._judge(place, x, self._rested(limits, gradients.get(key)), *values)
                    elif gradients.get(key) is not None:
                        self._measured.failures.append(f"{place} is missing")
            bounds, exact = _seen(bounds, seen, self._sets.state), _seen(exact, seen, FLOAT64.state)
        self._measured.open = self._unbounded / max(self._counted, 1)
        return self._measured

    def _rested(self, limits: Set, gradient: Gradient) -> Set:
        """What rows do that a gradient does not mention is said of finite numbers only."""
        assert isinstance(limits, Enclosed)
        if not isinstance(gradient, Sparse) or not limits.low.ndim:
            return limits
        mentioned = np.isin(np.arange(len(limits.low)), gradient.indices)
        free = limits.nan & ~mentioned.reshape(-1, *[1] * (limits.low.ndim - 1))
        low, high = np.where(free, -np.inf, limits.low), np.where(free, np.inf, limits.high)
        return replace(limits, low=low, high=high)

    def _judge(self, place: str, x: Array, limits: Set, before: Array, value: Array) -> None:
        assert isinstance(limits, Enclosed) and limits.dtype is not None
        if (x.dtype, x.shape) != (limits.dtype, limits.low.shape):
            self._measured.failures.append(
                f"{place} is {x.dtype}{list(x.shape)}, should be "
                f"{limits.dtype}{list(limits.low.shape)}"
            )
            return
        inside = ((limits.low <= x) & (x <= limits.high)) | (np.isnan(x) & limits.nan)
        if not np.all(inside):
            self._fail(place, x, limits, value, np.argwhere(~inside)[0])
        self._measure(x.astype(float), limits, before, value)

    def _fail(self, place: str, x: Array, limits: Enclosed, value: Array, at: Array) -> None:
        i = tuple(at)
        low, high = limits.low[i], limits.high[i]
        nan = " or NaN" if limits.nan[i] else ""
        self._measured.failures.append(
            f"{place}{list(map(int, i))} is {float(x[i])!r}, should be {float(value[i])!r}: "
            f"{float(low)!r} to {float(high)!r}{nan}"
        )

    def _measure(self, x: Array, limits: Enclosed, before: Array, value: Array) -> None:
        assert limits.dtype is not None
        with np.errstate(all="ignore"):
            unit = ulp(np.fmax(np.abs(before), np.abs(value)), limits.dtype)
            error = np.abs(x - value)
            bound = np.where(x > value, limits.high - value, value - limits.low)
            near = (limits.low - unit <= value) & (value <= limits.high + unit)
            some_digit = bound < unit / np.finfo(limits.dtype).eps
            known = near & some_digit & ~_tiny(x, value, limits.dtype)
            ulps, use = (error / unit)[known], np.where(error > 0, error / bound, 0)[known]
        self._counted += x.size
        self._unbounded += int(np.sum(np.isinf(limits.high) & np.isinf(limits.low)))
        if ulps.size:
            m, dtype = self._measured, limits.dtype.name
            m.ulps[dtype] = max(m.ulps.get(dtype, 0.0), float(np.max(ulps)))
            if limits.dtype != np.float16:
                m.use = max(m.use, float(np.max(use)))


def _seen(state: State[Any], seen: Seen, number: Any) -> State[Any]:
    """The state with what was seen of it in place of what was expected."""
    variables = {
        key: {**expected, **{name: number(x) for name, x in seen.get(key, {}).items()}}
        for key, expected in state.variables.items()
    }
    return State(state.t, state.shared, variables)


def ulp(x: Array, dtype: Any) -> Array:
    """The distance of neighbouring numbers of this dtype at x."""
    info = np.finfo(dtype)
    size = np.clip(x, float(info.tiny), float(info.max))
    return np.asarray(np.spacing(size.astype(dtype)), np.float64)


def _tiny(x: Array, value: Array, dtype: Any) -> Array:
    """Where both are 0 as far as the normal numbers of the dtype go: an underflow."""
    return np.asarray(np.maximum(np.abs(x), np.abs(value)) < float(np.finfo(dtype).tiny))
