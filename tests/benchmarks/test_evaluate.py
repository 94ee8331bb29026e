"""The arithmetic behind the tables, and that the tables show what was measured."""

import numpy as np
import pytest

from benchmarks import evaluate, report


def race(arena, rule, model, times, threads=1):
    results = [
        {"contestant": name, "rule": of, "seconds": seconds}
        for (name, of), seconds in times.items()
    ]
    of_race = {"arena": arena, "threads": threads, "rule": rule, "model": model}
    return {**of_race, "parameters": 1000, "results": results, "failed": []}


def test_a_ratio_is_taken_round_by_round():
    """The machine was four times slower in the second round, for both."""
    of = race("numpy", "adam", "big", {("a", "adam"): [2, 8, 3], ("C", "adam"): [1, 4, 1]})
    assert evaluate.ratio(of, ("a", "adam"), ("C", "adam")) == evaluate.Spread(2, 2, 2.5)
    assert evaluate.ratio(of, ("b", "adam"), ("C", "adam")) is None


@pytest.mark.parametrize(
    ("ours", "met"),
    [([3.0] * 4, "yes"), ([2.9, 2.9, 3.1, 3.1], "yes"), ([2.9, 3.1, 3.1, 3.1], "**no**"),
     ([2.9, 2.9, 3.2, 3.2, 3.2], "within the spread")],
)  # fmt: skip
def test_a_bound_is_met_by_the_median_or_by_a_quarter_of_the_rounds(ours, met):
    c = {("optdsl NumPy", "adam"): ours, ("C", "adam"): [1.0] * len(ours)}
    verdicts = list(evaluate.verdicts([race("numpy", "adam", "big", c)]))
    assert [x["met"] for x in verdicts if x["measured"]] == [met]
    assert all(x["met"] == "not measured" for x in verdicts if not x["measured"])


def test_how_many_times_faster_is_the_inverse_ratio():
    times = {("optdsl NumPy", "adam"): [1.0] * 3, ("textbook NumPy", "adam"): [5.0] * 3}
    (found,) = [
        x
        for x in evaluate.verdicts([race("numpy", "adam", "big", times)])
        if x["measured"] is not None
    ]
    assert (found["measured"].median, found["met"]) == (5, "yes")


def test_the_other_number_of_threads_does_not_count():
    times = {("optdsl NumPy", "adam"): [1.0], ("C", "adam"): [1.0]}
    met = {
        x["what"]: x["met"]
        for x in evaluate.verdicts([race("numpy", "adam", "big", times, threads=2)])
    }
    assert met["optdsl NumPy, adam: big, against C"] == "not measured"
    assert met["optdsl NumPy, adam, 2 threads: big, against C"] == "yes"


def test_a_line_finds_floor_and_slope():
    sizes = np.array([1, 10, 100, 1000])
    line = evaluate.fitted(sizes, 5 + 2.0 * sizes)
    assert np.allclose([line.floor, line.slope, line.deviation], [5, 2, 0])


@pytest.mark.parametrize("times", [[3, 2, 1], [1, 20, 400]])
def test_a_line_has_neither_a_negative_floor_nor_a_negative_slope(times):
    line = evaluate.fitted([1, 10, 100], times)
    assert line.floor >= 0 and line.slope >= 0 and line.deviation > 0


def test_memory_is_held_against_slots_or_the_built_in():
    numpy = {"arena": "numpy", "contestant": "optdsl NumPy", "rule": "adam", "slots": 2**27}
    keras = {"arena": "tf221", "rule": "adam", "slots": 2**27}
    found = evaluate.memory_verdicts(
        [
            {**numpy, "bytes": 2**27 + 2**20},
            {**numpy, "bytes": 2**28},
            {**keras, "contestant": "Keras 2 built-in", "bytes": 2**27},
            {**keras, "contestant": "optdsl Keras V2", "bytes": 1.2 * 2**27},
        ]
    )
    assert [x["met"] for x in found] == ["yes", "**no**", "yes", "**no**"]


def test_the_page_has_every_part():
    times = {("optdsl NumPy", "adam"): [0.003] * 3, ("C", "adam"): [0.001] * 3}
    of_race = race("numpy", "adam", "big", times)
    of_race["failed"] = [{"contestant": "Keras 3", "rule": "adam", "reason": "it does not"}]
    page = report.markdown(
        {
            "machine": {"cpu": "a CPU", "cpus": 2},
            "quick": False,
            "arenas": {"numpy": {"versions": [["numpy", "2"]], "missing": []}},
            "races": [of_race],
            "curves": [],
            "memory": [],
        }
    )
    assert "| optdsl NumPy | 3 ms · 3.00 (3.00–3.00) |" in page
    assert "| numpy | optdsl NumPy, adam: big, against C | ≤ 3 × | 3.00 (3.00–3.00) | yes |" in page
    assert "| Keras 3 | adam | it does not |" in page
