"""Nobody is timed who computes something else: contestants against the rule in float64."""

import numpy as np

from benchmarks.contestants.textbook_numpy import Textbook
from benchmarks.race import models

#: Lookahead syncs in step 6; until then RAdam has left v alone, from then on it divides by it.
STEPS = 7

#: How large the gradients are: where they only grow, AMSGrad and Adam are the same.
_SIZES = (1, 0.01, 0.01, 0.01, 0.5, 0.01, 0.01)

#: 1 - b2^t, which float32 knows to 2^-24/0.001 in the first step, is in the step of the built-ins
#: as a root: 3e-5. Rounding of w, which is about 1, comes on top. Another rule is 1e-2 away.
_OF_STEP, _OF_W = 2e-4, STEPS * 2.0**-23

#: RAdam's r is 1999 - 1994 in its first steps: of 1 - b2^t's error of 1e-5 in step 6, 2e-2 arrive
#: in it. Of the root of (r-4)*(r-2)/r that is 3e-3, in two of the seven steps, the smaller ones.
_OF_RECTIFIED_STEP = 3e-3

_DENSE_SHAPES = [(4, 300), (257,), ()]
_TABLE_SHAPE = (50, 8)


class WrongResult(Exception):
    """A contestant computes something else."""


def check_small(contestant, rule):
    """Takes a few steps with another gradient each time, small ones after large ones."""
    shapes = [_TABLE_SHAPE] if rule.sparse else _DENSE_SHAPES
    turns = [_gradients(rule, shapes, i, np.float32(size)) for i, size in enumerate(_SIZES)]
    params = models.parameters(shapes)
    step, read = contestant.make(rule, params)
    for grads in turns:
        step(contestant.convert(grads))
    _compare(rule, params, turns, read(), contestant.name)


def _gradients(rule, shapes, seed, size):
    if rule.sparse:
        g = models.rows(_TABLE_SHAPE, "uniform", seed, 20)
        return [g._replace(values=size * g.values)]
    return [np.asarray(size * g) for g in models.gradients(shapes, 100 * seed)]


def check_large(contestant, rule, params, turns, result):
    """Compares what some steps on a model gave, on a sample of it where that is enough."""
    if rule.elementwise:
        samples = [_sample(*x) for x in zip(params, result, *turns)]
        params, result, *turns = map(list, zip(*samples))
    _compare(rule, params, turns, result, contestant.name)


def _sample(w, result, *gradients):
    """The first elements of a tensor, or the first rows and those of the first few indices."""
    if not isinstance(gradients[0], models.Rows):
        return [np.ravel(x)[:100] for x in (w, result, *gradients)]
    kept = np.union1d(gradients[0].indices[:100], np.arange(20))
    return [w[kept], result[kept], *[_among(g, kept) for g in gradients]]


def _among(gradient, kept):
    """The gradient of the rows `kept` alone."""
    inside = np.isin(gradient.indices, kept)
    places = np.searchsorted(kept, gradient.indices[inside])
    shape = (len(kept), gradient.shape[1])
    return models.Rows(places, gradient.values[inside], shape)


def _compare(rule, params, turns, result, name):
    expected = _reference(rule, params, turns)
    of_step = _OF_RECTIFIED_STEP if rule.rectified else _OF_STEP
    for w, right, got in zip(params, expected, result):
        step = np.max(np.abs(right - w), initial=0)
        error = np.max(np.abs(right - np.asarray(got, np.float64)), initial=0)
        if not error <= of_step * step + _OF_W * np.max(np.abs(right), initial=0):
            raise WrongResult(f"{name} does not compute {rule.name}: off by {error / step:.1e}")


def _reference(rule, params, turns):
    optimizer = Textbook(rule, [w.astype(np.float64) for w in params])
    for grads in turns:
        optimizer.step([_wide(g) for g in grads])
    return optimizer.params()


def _wide(g):
    if isinstance(g, models.Rows):
        return g._replace(values=g.values.astype(np.float64))
    return g.astype(np.float64)
