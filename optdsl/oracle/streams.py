"""Variables and streams of gradients: what optimizers meet in practice, and should survive.

A stream is a list of steps, a step a gradient for each variable: an array, rows, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from optdsl.oracle.arithmetic import Array
from optdsl.oracle.interpreter import Gradient, Sparse

Variables: TypeAlias = Mapping[str, Array]
Stream: TypeAlias = list[dict[str, Gradient]]

#: Every rank and odd shape, every dtype with a matrix, and all of them in one step.
SHAPES: dict[str, tuple[tuple[int, ...], type[np.floating[Any]]]] = {
    "matrix": ((4, 3), np.float32),
    "matrix16": ((4, 3), np.float16),
    "matrix64": ((4, 3), np.float64),
    "cube": ((3, 2, 2), np.float32),
    "vector64": ((5,), np.float64),
    "row16": ((1, 3), np.float16),
    "scalar": ((), np.float32),
    "scalar64": ((), np.float64),
    "empty": ((0, 3), np.float32),
}


def variables(rng: np.random.Generator) -> dict[str, Array]:
    """One variable of each kind, with values around 1."""
    return {key: _normal(rng, shape, dtype) for key, (shape, dtype) in SHAPES.items()}


def dense(rng: np.random.Generator, of: Variables, steps: int) -> Stream:
    """Dense gradients of different sizes; in the third step all are 0, in the fifth two miss."""
    stream: Stream = []
    for step in range(steps):
        size = (1.0, 0.03, 0.0, 5.0)[step % 4]
        stream.append({key: _normal(rng, w.shape, w.dtype, size) for key, w in of.items()})
    for key in list(of)[1::4] if steps > 4 else ():
        stream[4][key] = None
    return stream


def sparse(rng: np.random.Generator, of: Variables, steps: int) -> Stream:
    """Rows for what has rows: some twice, none, all, sums of 0; the last step is dense."""
    kinds = (_some, _some, _none, _all, _cancelling)
    stream: Stream = []
    for step in range(steps - 1):
        rows = kinds[step % len(kinds)]
        stream.append({key: _rows(rng, w, rows) for key, w in of.items()})
    return [*stream, *dense(rng, of, 1)]


def extreme(rng: np.random.Generator, of: Variables, steps: int) -> Stream:
    """Values over the whole range of the dtype, zeros and subnormal numbers among them."""
    stream = sparse(rng, of, steps - 2) + dense(rng, of, 2)
    return [{key: _stretched(rng, g) for key, g in step.items()} for step in stream]


def _normal(rng: np.random.Generator, shape: Any, dtype: Any, size: float = 1.0) -> Array:
    return np.asarray(rng.normal(size=shape) * size).astype(dtype)


Rows: TypeAlias = Callable[[np.random.Generator, int], Array]


def _rows(rng: np.random.Generator, w: Array, rows: Rows) -> Gradient:
    if not w.ndim:
        return _normal(rng, w.shape, w.dtype)
    indices = rows(rng, len(w)).astype(np.int64)
    values = _normal(rng, (len(indices), *w.shape[1:]), w.dtype)
    if rows is _cancelling and len(indices) == 2:
        values[1] = -values[0]
    return Sparse(indices, values)


def _some(rng: np.random.Generator, rows: int) -> Array:
    """About half of the rows, some of them several times."""
    return (
        rng.integers(0, max(rows, 1), size=min(rows, 1) * (rows // 2 + 2))
        if rows
        else _none(rng, 0)
    )


def _none(rng: np.random.Generator, rows: int) -> Array:
    return np.zeros(0)


def _all(rng: np.random.Generator, rows: int) -> Array:
    return rng.permutation(rows)


def _cancelling(rng: np.random.Generator, rows: int) -> Array:
    return np.full(2, rows - 1) if rows else _none(rng, 0)


def _stretched(rng: np.random.Generator, gradient: Gradient) -> Gradient:
    if gradient is None:
        return None
    if isinstance(gradient, Sparse):
        return Sparse(gradient.indices, _over_the_range(rng, gradient.values))
    return _over_the_range(rng, gradient)


def _over_the_range(rng: np.random.Generator, x: Array) -> Array:
    info = np.finfo(x.dtype)
    low, high = np.log10(float(info.smallest_subnormal)), np.log10(float(info.max))
    sizes = 10 ** rng.uniform(low, high, size=x.shape)
    return np.asarray(np.sign(x) * np.minimum(sizes, float(info.max))).astype(x.dtype)
