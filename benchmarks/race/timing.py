"""Rounds: in each of them every contestant takes its turn, so that noise meets all alike."""

import gc
import itertools
import math
import time

from benchmarks.race.child import THREADS

#: Seconds before a turn in which the threads of whoever was before go to sleep: those of OpenMP
#: spin for some milliseconds after a step, on the CPUs of whoever is next.
_REST = 0.02 if THREADS > 1 else 0

#: A turn is as many steps as take so many seconds: the clock is lost in it.
_TURN = 0.01

#: A race ends after so many rounds, or so many seconds if it has had the fewest.
ROUNDS, FEWEST_ROUNDS, RACE = 15, 3, 8.0


class Racer:
    """A contestant with what it works on: step(gradients), and the gradients that take turns."""

    def __init__(self, step, turns, period=1):
        self.step = step
        self.turns = itertools.cycle(turns)
        self.period = period
        self.repeats = period

    def steps(self, count):
        for _ in range(count):
            self.step(next(self.turns))

    def calibrate(self):
        """Sets how many steps a turn has: whole periods."""
        periods = math.ceil(_TURN / self.seconds() / self.period)
        self.repeats = self.period * periods

    def seconds(self):
        """The time of a step."""
        start = time.perf_counter()
        self.steps(self.repeats)
        return (time.perf_counter() - start) / self.repeats


def interleaved(racers, quick):
    """{name: Racer} -> {name: the seconds of a step in each round}."""
    times = {name: [] for name in racers}
    gc.collect()
    gc.disable()
    try:
        for racer in racers.values():
            racer.steps(racer.period)
            racer.calibrate()
        names = list(racers)
        end = time.perf_counter() + RACE
        for i in range(FEWEST_ROUNDS if quick else ROUNDS):
            if i >= FEWEST_ROUNDS and time.perf_counter() > end:
                break
            for name in names[i % len(names) :] + names[: i % len(names)]:
                time.sleep(_REST)
                times[name].append(racers[name].seconds())
    finally:
        gc.enable()
    return times
