"""What an optimizer is tried on: every combination of its flags, on every kind of stream."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias

import numpy as np

from optdsl.oracle import FLOAT64, Gradient, Oracle, streams
from optdsl.oracle.arithmetic import Array, MissingAxis
from optdsl.semantics import model
from optdsl.syntax import tree

STEPS = 7
STREAMS = {"dense": streams.dense, "sparse": streams.sparse, "huge and tiny": streams.extreme}
#: Of more combinations of flags than this, only the first ones are tried.
MAX_SETTINGS = 32


@dataclass(frozen=True)
class Schedule:
    """A hyperparameter that changes: its values in the first steps."""

    values: tuple[float, ...]

    def __call__(self, step: int) -> float:
        return self.values[step]


@dataclass(frozen=True)
class Case:
    """An optimizer's arguments, by the spec's names, and what it is to be driven with.

    `gradients` are those of all the stages of all steps, one after the other.
    """

    name: str
    stream: str
    arguments: Mapping[str, bool | float | Schedule]
    variables: Mapping[str, Array]
    gradients: streams.Stream

    def steps(self, stages: int) -> Iterator[streams.Stream]:
        """The gradients of each step, those of all its stages."""
        for i in range(0, len(self.gradients), stages):
            yield self.gradients[i : i + stages]


def later(stages: streams.Stream) -> Callable[[object], Mapping[str, Gradient]]:
    """The gradients of the later stages of a step, whatever the variables are then."""
    rest = iter(stages[1:])
    return lambda values: next(rest)


def cases(optimizer: model.Optimizer) -> list[Case]:
    """The same cases in every run, with the variables that have what the rule reduces along."""
    rng = np.random.default_rng(zlib.crc32(optimizer.name.encode()))
    found = list(_cases(optimizer, rng))
    if any(call.options for call in calls(optimizer)):
        found = [_with_axes(optimizer, case) for case in found]
    return found


def _with_axes(optimizer: model.Optimizer, case: Case) -> Case:
    kept = {key: w for key, w in case.variables.items() if _has_axes(optimizer, case, key)}
    gradients = [{key: step[key] for key in kept} for step in case.gradients]
    return replace(case, variables=kept, gradients=gradients)


def _has_axes(optimizer: model.Optimizer, case: Case, key: str) -> bool:
    """Whether a variable has every axis along which the rule reduces in this case."""
    oracle = Oracle(optimizer, case.arguments, "numpy", FLOAT64)
    state = oracle.start({key: case.variables[key]})
    alone = replace(case, gradients=[{key: step[key]} for step in case.gradients])
    try:
        for stages in alone.steps(optimizer.stages):
            state = oracle.step(state, stages[0], later(stages))
    except MissingAxis:
        return False
    return True


def _cases(optimizer: model.Optimizer, rng: np.random.Generator) -> Iterator[Case]:
    required = {h.name: inside(rng, h.domain, 0.1) for h in optimizer.hypers if h.default is None}
    stages = optimizer.stages
    for stream in STREAMS:
        yield _case("defaults", required, rng, stream, stages)
    scheduled = {h.name: _schedule(rng, h) for h in optimizer.hypers}
    yield _case("schedules", scheduled, rng, "dense", stages)
    yield _case("schedules", scheduled, rng, "sparse", stages)
    for setting in _settings(optimizer):
        arguments = _numbers(rng, optimizer) | setting
        label = (
            ", ".join(f"{name}={str(x).lower()}" for name, x in setting.items()) or "other numbers"
        )
        yield _case(label, arguments, rng, "dense", stages)
        yield _case(label, arguments, rng, "sparse", stages)


Arguments: TypeAlias = Mapping[str, bool | float | Schedule]


def _case(
    name: str, arguments: Arguments, rng: np.random.Generator, stream: str, stages: int
) -> Case:
    variables = streams.variables(rng)
    return Case(name, stream, arguments, variables, STREAMS[stream](rng, variables, STEPS * stages))


def _settings(optimizer: model.Optimizer) -> Iterator[dict[str, bool | float]]:
    """Each flag on and off, each hyperparameter that the rule asks about given and 0."""
    of_uses = [call.args[0] for call in calls(optimizer) if call.function.text == "uses"]
    asked = {argument.text for argument in of_uses if isinstance(argument, tree.Name)}
    hypers = [h for h in optimizer.hypers if h.name in asked and 0 in h.domain]
    names = [f.name for f in optimizer.flags] + [h.name for h in hypers]
    for values in list(product((False, True), repeat=len(names)))[:MAX_SETTINGS]:
        given = dict(zip(names, values, strict=True))
        flags = {f.name: given[f.name] for f in optimizer.flags}
        yield flags | {h.name: 0.0 for h in hypers if not given[h.name]}


def calls(node: object) -> Iterator[tree.Call]:
    """The calls of functions anywhere in a part of an optimizer."""
    if isinstance(node, tree.Call):
        yield node
    if hasattr(node, "__dataclass_fields__"):
        node = tuple(v for k, v in vars(node).items() if k not in ("span", "sources"))
    for part in node if isinstance(node, tuple) else ():
        yield from calls(part)


def _schedule(rng: np.random.Generator, hyper: model.Hyper) -> Schedule:
    default = hyper.default or 0.1
    return Schedule(tuple(inside(rng, hyper.domain, default) for _ in range(STEPS)))


def _numbers(rng: np.random.Generator, optimizer: model.Optimizer) -> dict[str, bool | float]:
    hypers = {h.name: inside(rng, h.domain, h.default or 0.1) for h in optimizer.hypers}
    consts = {
        c.name: _few(rng, c.domain) if c.is_int else inside(rng, c.domain, c.default_value or 0.1)
        for c in optimizer.consts
    }
    return {**hypers, **consts}


def _few(rng: np.random.Generator, domain: model.Interval) -> int:
    """One of the first integers of a domain, so that what is counted happens in a few steps."""
    low = int(domain.low) + (not domain.low_closed) if np.isfinite(domain.low) else 1
    found = low + int(rng.integers(1, 3))
    return found if found in domain else low


def inside(rng: np.random.Generator, domain: model.Interval, default: float) -> float:
    """A number in the domain, of the size of the default, and not 0."""
    if np.isfinite(domain.low) and np.isfinite(domain.high):
        return float(domain.low + (domain.high - domain.low) * rng.uniform(0.05, 0.95))
    size = float(abs(default) * 10 ** rng.uniform(-0.5, 0.5))
    if np.isfinite(domain.low):
        return domain.low + size
    return domain.high - size if np.isfinite(domain.high) else float(np.copysign(size, default))
