"""NumPy as it stands in a textbook: one expression for each equation."""

import numpy as np

from benchmarks.race.rules import DENSE, SPARSE


class Functions:
    """The functions of a rule, on arrays and Python's numbers."""

    sqrt, square, abs, sign = np.sqrt, np.square, np.abs, np.sign
    maximum, larger = np.maximum, max

    @staticmethod
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def norm(x):
        """A number of Python's, which leaves the dtype of an array alone."""
        return float(np.sqrt(np.sum(np.square(x))))

    @staticmethod
    def where(condition, x, y):
        return x if condition else y

    @staticmethod
    def equal(x, y):
        return x == y

    @staticmethod
    def choose(condition, x, y):
        return x() if condition else y()


class Textbook:
    """A rule on a list of arrays; each step makes new ones."""

    def __init__(self, rule, params):
        self.rule = rule
        self.t = 0
        self.states = [
            [w, *[np.full_like(w, w if x is None else x) for x in rule.slots]] for w in params
        ]

    def step(self, grads):
        self.t += 1
        step = self._row_step if self.rule.sparse else self._new
        self.states = [step(g, state) for g, state in zip(grads, self.states)]

    def params(self):
        return [state[0] for state in self.states]

    def _new(self, g, state):
        return self.rule.compute(Functions, self.t, g, *state)

    def _row_step(self, gradient, state):
        if self.rule.sparse == "exact":
            g = np.zeros_like(state[0])
            np.add.at(g, gradient.indices, gradient.values)
            return self._new(g, state)
        rows, places = np.unique(gradient.indices, return_inverse=True)
        g = np.zeros((len(rows), *gradient.values.shape[1:]), gradient.values.dtype)
        np.add.at(g, places, gradient.values)
        new = self._new(g, [x[rows] for x in state])
        for array, factor in zip(state[1:], self.rule.decays):  # hybrid: all rows decay
            np.multiply(array, factor, out=array)
        for array, values in zip(state, new):
            array[rows] = values
        return state


def _make(rule, params):
    optimizer = Textbook(rule, [x.copy() for x in params])
    return optimizer.step, optimizer.params


CONTESTANTS = [{"name": "textbook NumPy", "rules": DENSE + SPARSE, "make": _make}]
