"""Whether what a target did is what the rule says, within the error that rounding allows.

Every step is judged by itself: the oracle starts from the state in which the target was seen
before it. A state that was seen inside its bound is a right one, so what is left to explain is the
rounding of the next step alone, and the bound stays as sharp in the last step as in the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from optdsl.oracle import FLOAT64, Gradient, Oracle, Sparse, State
from optdsl.oracle.arithmetic import Array
from optdsl.semantics import model
from optdsl.verify import kernels
from optdsl.verify.cases import Case, later
from optdsl.verify.enclosure import Accuracy, Enclosure
from optdsl.verify.sets import Enclosed, Set
from optdsl.verify.waiting import ROUNDINGS, waiting_slots

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
    mode: str = "",
) -> Measured:
    """Judge the states after each step of a case that ran in a mode of the target."""
    return _Comparison(optimizer, target, case, accuracy, mode).run(states)


@dataclass(frozen=True)
class _Result:
    """One state of one variable after a step: as seen, where it must lie, as the oracle has it."""

    place: str
    seen: Array
    limits: Enclosed
    before: Array
    value: Array

    @property
    def shape_fault(self) -> str:
        """What is wrong with its dtype or shape, if anything."""
        found = f"{self.seen.dtype}{list(self.seen.shape)}"
        wanted = f"{self.limits.dtype}{list(self.limits.low.shape)}"
        return f"{self.place} is {found}, should be {wanted}" if found != wanted else ""

    @property
    def outside(self) -> Array:
        """The indices of the elements that are not where they must be."""
        x, limits = self.seen, self.limits
        inside = (limits.low <= x) & (x <= limits.high) | np.isnan(x) & limits.nan
        return np.argwhere(~inside)


class _Comparison:
    def __init__(
        self, optimizer: model.Optimizer, target: str, case: Case, accuracy: Accuracy, mode: str
    ) -> None:
        self._case, self._stages = case, optimizer.stages
        self._sets = Enclosure(accuracy)
        self._bounds = kernels.bounds(optimizer, case.arguments, target, mode, self._sets)
        self._exact = Oracle(optimizer, case.arguments, target, FLOAT64)
        rows = any(isinstance(g, Sparse) for step in case.gradients for g in step.values())
        self._waiting = waiting_slots(optimizer, target) if rows else frozenset()
        self._counted = self._unbounded = 0
        self._measured = Measured()

    def run(self, states: Sequence[Seen]) -> Measured:
        bounds = self._bounds.start(self._case.variables)
        exact = self._exact.start(self._case.variables)
        for stages, seen in zip(self._case.steps(self._stages), states, strict=True):
            before, gradients = exact, stages[0]
            bounds = self._bounds.step(bounds, gradients, later(stages))
            exact = self._exact.step(exact, gradients, later(stages))
            for result in self._results(gradients, seen, before, bounds, exact):
                self._judge(result)
            bounds = _seen(bounds, seen, self._left)
            exact = _seen(exact, seen, lambda _, x: FLOAT64.state(x))
        self._measured.open = self._unbounded / max(self._counted, 1)
        return self._measured

    def _left(self, name: str, x: Array) -> Set:
        """The state that the next step goes on from, where this was seen."""
        return self._sets.near(x, ROUNDINGS) if name in self._waiting else self._sets.state(x)

    def _results(
        self,
        gradients: Mapping[str, Gradient],
        seen: Seen,
        before: State[Array],
        bounds: State[Set],
        exact: State[Array],
    ) -> Iterator[_Result]:
        for key, allowed in bounds.variables.items():
            for name, limits in allowed.items():
                place = f"step {bounds.t}: {name} of {key}"
                old, value = before.variables[key][name], exact.variables[key][name]
                x, gradient = seen.get(key, {}).get(name), gradients.get(key)
                assert isinstance(limits, Enclosed)
                if x is not None:
                    yield _Result(place, x, _rested(limits, gradient), old, value)
                elif gradient is not None:
                    self._measured.failures.append(f"{place} is missing")

    def _judge(self, result: _Result) -> None:
        if result.shape_fault:
            self._measured.failures.append(result.shape_fault)
            return
        if len(result.outside):
            self._measured.failures.append(_fault(result, tuple(result.outside[0])))
        self._measure(result.seen.astype(float), result.limits, result.before, result.value)

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


def _fault(result: _Result, at: tuple[int, ...]) -> str:
    x, value = float(result.seen[at]), float(result.value[at])
    low, high = float(result.limits.low[at]), float(result.limits.high[at])
    nan = " or NaN" if result.limits.nan[at] else ""
    place = f"{result.place}{list(map(int, at))}"
    return f"{place} is {x!r}, should be {value!r}: {low!r} to {high!r}{nan}"


def _rested(limits: Enclosed, gradient: Gradient) -> Enclosed:
    """What rows do that a gradient does not mention is said of finite numbers only."""
    if not isinstance(gradient, Sparse) or not limits.low.ndim:
        return limits
    mentioned = np.isin(np.arange(len(limits.low)), gradient.indices)
    free = limits.nan & ~mentioned.reshape(-1, *[1] * (limits.low.ndim - 1))
    low, high = np.where(free, -np.inf, limits.low), np.where(free, np.inf, limits.high)
    return replace(limits, low=low, high=high)


def _seen(state: State[Any], seen: Seen, number: Callable[[str, Array], Any]) -> State[Any]:
    """The state with what was seen of it in place of what was expected."""
    variables = {
        key: {**expected, **{name: number(name, x) for name, x in seen.get(key, {}).items()}}
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
