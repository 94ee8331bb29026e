"""What the interpreter computes with: an interface, and plain float64.

A number is whatever the arithmetic says: here a float64 array, in `verify/enclosure.py` a pair of
ends between which the number of a target must lie. A truth value likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
N = TypeVar("N")


def computation_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What a variable of this dtype is computed in: at least float32."""
    return np.promote_types(dtype, np.float32)


class Arithmetic(Protocol[N]):
    """Numbers of the type N and what the interpreter does with them."""

    def constant(self, x: bool | float | Array) -> N:
        """A number or truth value that is known in float64."""

    def state(self, x: Array) -> N:
        """The value of a variable, its gradient or a slot, of the array's dtype and shape."""

    def apply(self, op: str, *args: N) -> N:
        """The operator of that name (`semantics/operators.py`), element by element or reducing."""

    def along(self, op: str, axes: tuple[int, ...], *args: N) -> N:
        """A reduction along some axes, spread over the shape of what it is of again."""

    def total(self, parts: Sequence[N]) -> N:
        """The sum of one number per variable, in float64."""

    def whole(self, x: N) -> int:
        """A number that is an integer, as one."""

    def truth(self, condition: N) -> bool | None:
        """Whether a condition holds; None where both sides of it are wanted."""

    def either(self, condition: N, then: N, orelse: N) -> N:
        """What a name stands for after the two sides, given what it stands for in each."""

    def assigned(self, x: N, old: N) -> N:
        """`x` in the shape of `old`, whose place it takes within the step."""

    def stored(self, x: N, old: N) -> N:
        """`x` in the dtype in which `old`, whose place it takes, is kept between steps."""

    def shape(self, x: N) -> tuple[int, ...]:
        """The shape of x."""

    def sum_rows(self, x: N, row: Array, rows: int) -> N:
        """An array of so many rows; x[i] is added to the row number row[i]."""

    def take(self, x: N, rows: Array) -> N:
        """These rows of x."""

    def put(self, x: N, rows: Array, values: N) -> N:
        """`x` with other values in these rows."""


def _over(function: Callable[[Array], Any], x: Array) -> Any:
    """A reduction; over no elements it is 0."""
    return function(x) if np.size(x) else 0.0


class MissingAxis(ValueError):
    """A rule reduces along an axis that a variable does not have."""


def lines(shape: tuple[int, ...], axes: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """Indices of the parts of an array that are reduced by themselves. May raise MissingAxis."""
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise MissingAxis(f"a shape of {shape} does not have the axes {axes}")
    along = {axis % len(shape) for axis in axes}
    places = [[slice(None)] if i in along else range(n) for i, n in enumerate(shape)]
    return product(*places)


def _sigmoid(x: Array) -> Any:
    """1/(1 + exp(-x)), of which no part overflows."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "mod": np.mod,
    "pow": np.power,
    "neg": np.negative,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "tanh": np.tanh,
    "cos": np.cos,
    "sigmoid": _sigmoid,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "min": lambda *xs: np.minimum.reduce(np.broadcast_arrays(*xs)),
    "max": lambda *xs: np.maximum.reduce(np.broadcast_arrays(*xs)),
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "where": np.where,
    "atan2": np.arctan2,
    "cbrt": np.cbrt,
    "isfinite": np.isfinite,
    "sum": lambda x: _over(np.sum, x),
    "mean": lambda x: _over(np.mean, x),
    "norm": lambda x: np.sqrt(_over(np.sum, x * x)),
    "rms": lambda x: np.sqrt(_over(np.mean, x * x)),
    "amax": lambda x: _over(np.max, x),
    "amin": lambda x: _over(np.min, x),
    "dot": lambda x, y: _over(np.sum, x * y),
    "size": np.size,
    "rank": np.ndim,
}


class Float64:
    """Plain float64: numbers and truth values are NumPy arrays."""

    def constant(self, x: bool | float | Array) -> Array:
        array = np.asarray(x)
        return array if array.dtype == bool else array.astype(np.float64)

    def state(self, x: Array) -> Array:
        return np.asarray(x, np.float64)

    def apply(self, op: str, *args: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(FUNCTIONS[op](*args))

    def along(self, op: str, axes: tuple[int, ...], *args: Array) -> Array:
        found = np.empty(args[0].shape)
        for index in lines(args[0].shape, axes):
            found[index] = self.apply(op, *(x[index] for x in args))
        return found

    def total(self, parts: Sequence[Array]) -> Array:
        return np.asarray(sum(parts, np.zeros(())))

    def whole(self, x: Array) -> int:
        return int(x)

    def truth(self, condition: Array) -> bool | None:
        return bool(condition)

    def either(self, condition: Array, then: Array, orelse: Array) -> Array:
        raise AssertionError("in float64 every condition is known")

    def assigned(self, x: Array, old: Array) -> Array:
        return np.broadcast_to(x, old.shape)

    def stored(self, x: Array, old: Array) -> Array:
        return x

    def shape(self, x: Array) -> tuple[int, ...]:
        return x.shape

    def sum_rows(self, x: Array, row: Array, rows: int) -> Array:
        total = np.zeros((rows, *x.shape[1:]))
        np.add.at(total, row, x)
        return total

    def take(self, x: Array, rows: Array) -> Array:
        return x[rows]

    def put(self, x: Array, rows: Array, values: Array) -> Array:
        new = x.copy()
        new[rows] = values
        return new


FLOAT64 = Float64()
