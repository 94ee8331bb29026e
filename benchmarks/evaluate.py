"""Medians, quartiles, ratios and straight lines of what the races took."""

from dataclasses import dataclass

import numpy as np

from benchmarks.bounds import BOUNDS, KERAS_BUILT_IN, KERAS_FACTOR, SCRATCH, Bound


@dataclass(frozen=True)
class Spread:
    """The quartiles of the rounds."""

    low: float
    median: float
    high: float

    def __format__(self, digits):
        return f"{self.median:{digits}} ({self.low:{digits}}–{self.high:{digits}})"


def spread(values):
    return Spread(*(float(x) for x in np.quantile(values, (0.25, 0.5, 0.75))))


def seconds(race, contestant, rule):
    """What the rounds of a race took a contestant; None if it was not there."""
    for x in race["results"]:
        if (x["contestant"], x["rule"]) == (contestant, rule):
            return np.array(x["seconds"])
    return None


def ratio(race, contestant, against):
    """The spread over the rounds of the ratio of two (contestant, rule); None without both."""
    times, others = seconds(race, *contestant), seconds(race, *against)
    return None if times is None or others is None else spread(times / others)


def verdicts(races):
    """Of each bound and model: a dict with what was required and what was measured."""
    for bound in BOUNDS:
        for model, limit in (bound.at_most or bound.at_least or {}).items():
            yield _verdict(bound, model, limit, races)


def _verdict(bound: Bound, model, limit, races):
    against = (bound.against, bound.against_rule or bound.rule)
    pair = (bound.contestant, bound.rule), against
    measured = None
    for race in races:
        key = race["arena"], race["threads"], race["rule"], race["model"]
        if key == (bound.arena, bound.threads, bound.rule, model):
            measured = ratio(race, *(pair if bound.at_most else reversed(pair)))
    threads = f", {bound.threads} threads" if bound.threads > 1 else ""
    other_rule = "" if against[1] == bound.rule else f" {against[1]}"
    faster = "" if bound.at_most else " faster"
    return {
        "arena": bound.arena,
        "what": f"{bound.contestant}, {bound.rule}{threads}: {model}, against {bound.against}"
        + other_rule,
        "bound": f"{'≤' if bound.at_most else '≥'} {limit:g} ×{faster}",
        "measured": measured,
        "met": _met(measured, limit, bool(bound.at_most)),
    }


def _met(measured, limit, at_most):
    """ "yes" if the median keeps the bound, "within the spread" if a quarter of the rounds do."""
    if measured is None:
        return "not measured"
    if at_most:
        ends = measured.median <= limit, measured.low <= limit
    else:
        ends = measured.median >= limit, measured.high >= limit
    return "yes" if ends[0] else "within the spread" if ends[1] else "**no**"


def memory_verdicts(memory):
    """The same for the peaks of memory, in MiB."""
    peaks = {(x["contestant"], x["rule"]): x["bytes"] for x in memory}
    for x in memory:
        limit = x["slots"] + SCRATCH
        if x["arena"] != "numpy":
            limit = KERAS_FACTOR * peaks[KERAS_BUILT_IN, "adam"]
        yield {**x, "limit": limit, "met": "yes" if x["bytes"] <= limit else "**no**"}


@dataclass(frozen=True)
class Line:
    """seconds = floor + slope * size, and how far the points are from it at most, relatively."""

    floor: float
    slope: float
    deviation: float

    def at(self, size):
        return self.floor + self.slope * size


def fitted(sizes, times):
    """The line with the smallest squares of relative deviations, neither end below 0."""
    sizes, times = np.array(sizes, float), np.array(times)
    basis = np.stack([np.ones_like(sizes), sizes / sizes.max()], axis=1) / times[:, None]
    floor, slope = np.linalg.lstsq(basis, np.ones_like(times), rcond=None)[0]
    if slope < 0:
        floor, slope = 1 / np.mean(1 / times), 0.0
    if floor < 0:
        floor, slope = 0.0, 1 / np.mean(basis[:, 1])
    deviations = (floor + slope * sizes / sizes.max()) / times - 1
    return Line(float(floor), float(slope / sizes.max()), float(np.abs(deviations).max()))


def lines(curve):
    """Yields (contestant, sizes, medians, Line) of a curve."""
    names = list(dict.fromkeys(x["contestant"] for p in curve["points"] for x in p["results"]))
    for name in names:
        found = [
            (point["size"], spread(x["seconds"]).median)
            for point in curve["points"]
            for x in point["results"]
            if x["contestant"] == name
        ]
        sizes, times = zip(*found, strict=True)
        yield name, sizes, times, fitted(sizes, times)
