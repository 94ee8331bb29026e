"""How NumPy writes the operators, and which identifiers it keeps for itself."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Sequence

from optdsl.ir.nodes import Literal_, Op
from optdsl.semantics.level import Level
from optdsl.targets.printer import ARITHMETIC, CONDITIONAL, LOGIC, Form

#: The number of dimensions is an argument of the rule: it sees a number as an array of one element.
RANK = "rank"


def _sigmoid(op: Op, args: Sequence[str]) -> str:
    """Of what is never negative it takes half as many operations."""
    of = op.args[0]
    return f"_sigmoid{'_from_0' if isinstance(of, Op) and of.op == 'abs' else ''}({args[0]})"


#: Element by element; reductions over no elements are 0, which NumPy's own are not.
_ELEMENTS: dict[str, Form] = {
    **ARITHMETIC,
    **{f: f"np.{f}({{0}})" for f in ("sqrt", "sign", "exp", "log", "log1p", "expm1", "tanh")},
    **{f: f"np.{f}({{0}})" for f in ("floor", "ceil", "round", "cbrt", "isfinite", "sum")},
    "abs": "np.abs({0})",
    "sigmoid": _sigmoid,
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "atan2": "np.arctan2({0}, {1})",
    "and": "np.logical_and({0}, {1})",
    "or": "np.logical_or({0}, {1})",
    "not": "np.logical_not({0})",
    "mean": "_mean({0})",
    "norm": "np.sqrt(np.sum(np.square({0})))",
    "rms": "np.sqrt(_mean(np.square({0})))",
    "amax": "_amax({0})",
    "amin": "_amin({0})",
    "dot": "np.sum(np.multiply({0}, {1}))",
}


def _along(function: str) -> Form:
    """A reduction along axes, which keeps the dimensions."""

    def write(op: Op, args: Sequence[str]) -> str:
        axes = f"({', '.join(args[1:])},)" if len(args) == 2 else f"({', '.join(args[1:])})"
        return f"_along({function}, {args[0]}, {axes})"

    return write


_ALONG: dict[str, Form] = {
    f"{name}_along": _along(f"np.{name}") for name in ("sum", "mean", "amax", "amin")
}

#: One number: Python's own logic, and of a choice only the side that counts is computed.
VARIABLES: dict[str, Form] = {**LOGIC, "where": CONDITIONAL}


def chooses_number(op: Op) -> bool:
    """Whether it is a choice between numbers, of which one is a literal: it has no dtype yet."""
    numbers = op.op == "where" and all(a.level < Level.ELEMENT for a in op.args[1:])
    return numbers and not op.is_bool and any(isinstance(a, Literal_) for a in op.args[1:])


def elements(w: str) -> dict[str, Form]:
    """The forms inside a function where the old array is called `w`."""

    def where(op: Op, args: Sequence[str]) -> str:
        cast = f".astype({w}.dtype)" if chooses_number(op) else ""
        return f"np.where({', '.join(args)}){cast}"

    # a Python integer in a NumPy function becomes float64, and so would all that it meets
    number = f"{w}.dtype.type({{0}})"
    size, rank = number.format("np.size({0})"), number.format(RANK)

    def fill(op: Op, args: Sequence[str]) -> str:
        if op.args[0].level == Level.ELEMENT:  # a reduction that kept the dimensions
            return f"np.broadcast_to({args[0]}, {w}.shape)"
        return f"np.full_like({w}, {args[0]})"

    return {**_ELEMENTS, **_ALONG, "where": where, "fill": fill, "size": size, "rank": rank}


def numbers(w: str) -> dict[str, Form]:
    """The forms for the numbers of a step."""
    return {**elements(w), **VARIABLES}


#: Functions at the end of the files that call them.
HELPERS = ("along", "amax", "amin", "mean", "sigmoid", "sigmoid_from_0")

#: Operators that numba compiles, of single numbers, as NumPy computes them of arrays.
COMPILED = frozenset(
    """
    add sub mul div mod pow neg lt le gt ge eq ne abs min max where and or not
    sqrt sign exp log log1p expm1 tanh floor ceil round cbrt isfinite atan2
    """.split()
)

#: Identifiers that no value may have inside a method.
TAKEN = frozenset(
    {
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        "self",
        "np",
        "math",
        "coefficients",
        "shared",
        "rule",
        RANK,
        *("at", "put", "numbers", "first", "element", "new"),  # of the loop for numba
    }
)

#: Attributes and arguments that every generated class has.
MEMBERS = frozenset(
    "clipnorm clipvalue engine evaluation evaluation_params from_config get_config get_weights"
    " global_clipnorm load load_state_dict overrides save set_weights state_dict step t threads"
    " update".split()
)

#: Names at the top of every generated module.
MODULE_NAMES = frozenset(
    "Mapping SparseGrad ThreadPoolExecutor contextlib deque functools importlib json namedtuple"
    " numba numbers operator os re warnings".split()
)
