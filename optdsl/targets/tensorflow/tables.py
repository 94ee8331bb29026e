"""How TensorFlow writes the operators. The targets differ in what they call `where` alone."""

from __future__ import annotations

from collections.abc import Sequence

from optdsl.ir.nodes import Literal_, Op
from optdsl.semantics.level import Level
from optdsl.targets.printer import ARITHMETIC, Form


def _fill(op: Op, args: Sequence[str]) -> str:
    """One number over the shape of the second argument."""
    number, like = op.args[0], args[1]
    if number.level == Level.ELEMENT:  # a reduction along axes, which kept the dimensions
        return f"tf.broadcast_to({args[0]}, tf.shape({like}))"
    if isinstance(number, Literal_) and number.value in (0, 1):
        return f"tf.{'ones' if number.value else 'zeros'}_like({like})"
    value = f"tf.constant({args[0]}, {like}.dtype)" if isinstance(number, Literal_) else args[0]
    return f"tf.fill(tf.shape({like}), {value})"


def _along(function: str) -> Form:
    """A reduction along axes, which keeps the dimensions."""
    return lambda op, args: f"_along({function}, {args[0]}, [{', '.join(args[1:])}])"


def where(function: str) -> Form:
    """`_chosen` where one condition is for whole tensors, else this function."""

    def form(op: Op, args: Sequence[str]) -> str:
        condition, *choices = (arg.level for arg in op.args)
        whole = condition < Level.ELEMENT and min(choices) == Level.ELEMENT
        return f"{'_chosen' if whole else function}({', '.join(args)})"

    return form


#: For elements, and for one number per variable. `typed`, `square` and the second argument of
#: `fill` come from `adapt`; what starts with an underscore is a function of the generated file.
ELEMENTS: dict[str, Form] = {
    **ARITHMETIC,
    **{f: f"tf.{f}({{0}})" for f in ("sqrt", "square", "abs", "sign", "exp", "tanh", "sigmoid")},
    **{f: f"tf.{f}({{0}})" for f in ("floor", "round")},
    **{f: f"tf.math.{f}({{0}})" for f in ("log", "log1p", "expm1", "ceil")},
    "isfinite": "tf.math.is_finite({0})",
    "cbrt": "_cbrt({0})",
    "eq": "tf.equal({0}, {1})",  # of two tensors, == asks in TF 1 whether they are one object
    "ne": "tf.not_equal({0}, {1})",
    "min": "tf.minimum({0}, {1})",
    "max": "tf.maximum({0}, {1})",
    "atan2": "tf.atan2({0}, {1})",
    "where": where("tf.where"),
    "and": "tf.logical_and({0}, {1})",
    "or": "tf.logical_or({0}, {1})",
    "not": "tf.logical_not({0})",
    "sum": "tf.reduce_sum({0})",
    "mean": "_mean({0})",
    "norm": "tf.sqrt(tf.reduce_sum(tf.square({0})))",
    "rms": "tf.sqrt(_mean(tf.square({0})))",
    "amax": "_amax({0})",
    "amin": "_amin({0})",
    "dot": "tf.reduce_sum(tf.multiply({0}, {1}))",
    "sum_along": _along("tf.reduce_sum"),
    "mean_along": _along("tf.reduce_mean"),
    "amax_along": _along("tf.reduce_max"),
    "amin_along": _along("tf.reduce_min"),
    "size": "_size({0})",
    "rank": "_rank({0})",
    "typed": "tf.constant({0}, {1}.dtype)",
    "fill": _fill,
}

#: What is different for the numbers of a step, which are float64.
IN_A_STEP: dict[str, Form] = {"typed": "tf.constant({0}, tf.float64)"}

#: Functions of several tensors, and the first argument that settles their dtype: a literal there
#: would become a tensor of float32 or int32.
SETTLING_ARGUMENT = {"eq": 0, "ne": 0, "min": 0, "max": 0, "atan2": 0, "where": 1}

#: Operators that are written with a function at the end of the file, and its name there.
HELPERS = {
    "cbrt": "cbrt", "mean": "mean", "rms": "mean", "amax": "amax", "amin": "amin",
    "size": "size", "rank": "rank",
    **dict.fromkeys(("sum_along", "mean_along", "amax_along", "amin_along"), "along"),
}  # fmt: skip
