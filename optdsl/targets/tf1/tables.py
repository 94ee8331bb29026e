"""How TensorFlow writes the operators, and which identifiers it keeps for itself."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Callable, Sequence

from optdsl.ir.nodes import Literal_, Op
from optdsl.targets.printer import ARITHMETIC, Form


def _fill(op: Op, args: Sequence[str]) -> str:
    """One number over the shape of the second argument."""
    number, like = op.args[0], args[1]
    if isinstance(number, Literal_) and number.value in (0, 1):
        return f"tf.{'ones' if number.value else 'zeros'}_like({like})"
    value = f"tf.constant({args[0]}, {like}.dtype)" if isinstance(number, Literal_) else args[0]
    return f"tf.fill(tf.shape({like}), {value})"


#: Element by element, and for one number per variable. The operators `typed` and `square` are
#: made by `adapt`; what starts with an underscore is defined in the generated file.
ELEMENTS: dict[str, Form] = {
    **ARITHMETIC,
    **{f: f"tf.{f}({{0}})" for f in ("sqrt", "abs", "sign", "exp", "tanh", "sigmoid", "floor")},
    **{f: f"tf.math.{f}({{0}})" for f in ("log", "log1p", "expm1", "ceil")},
    "round": "tf.round({0})",
    "cbrt": "_cbrt({0})",
    "square": "tf.square({0})",
    "isfinite": "tf.math.is_finite({0})",
    "eq": "tf.equal({0}, {1})",  # of two tensors, == asks in TF 1 whether they are one object
    "ne": "tf.not_equal({0}, {1})",
    "min": "tf.minimum({0}, {1})",
    "max": "tf.maximum({0}, {1})",
    "atan2": "tf.atan2({0}, {1})",
    "where": "tf.where_v2({0}, {1}, {2})",
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
    "size": "_size({0})",
    "rank": "_rank({0})",
    "typed": "tf.constant({0}, {1}.dtype)",
    "fill": _fill,
}

#: Operators that are functions of the generated file, and by which of them.
HELPERS = {
    "cbrt": "cbrt", "mean": "mean", "rms": "mean", "amax": "amax", "amin": "amin",
    "size": "size", "rank": "rank",
}  # fmt: skip

#: Functions of several tensors, and the first of the arguments that settle their dtype: a number
#: there would become a tensor of float32.
TYPING_ARGUMENT = {"eq": 0, "ne": 0, "min": 0, "max": 0, "atan2": 0, "where": 1}


def _float64(name: str) -> Callable[[Op, Sequence[str]], str]:
    """The form of such a function in the step, where every number is a float64."""
    form, place = ELEMENTS[name], TYPING_ARGUMENT[name]
    assert isinstance(form, str)

    def text(op: Op, args: Sequence[str]) -> str:
        number = op.args[place]
        typed = list(args)
        if isinstance(number, Literal_) and not number.is_bool:
            typed[place] = f"tf.constant({args[place]}, tf.float64)"
        return form.format(*typed)

    return text


#: The numbers of a step.
NUMBERS: dict[str, Form] = {**ELEMENTS, **{name: _float64(name) for name in TYPING_ARGUMENT}}

#: Identifiers that no value may have inside a method.
TAKEN = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
    | {"self", "tf", "math", "numbers", "typing", "step", "coefficients"}
)

#: Arguments of every constructor.
OWN_ARGUMENTS = ("use_locking", "name")
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")

#: Attributes that every generated class has, beside those that start with an underscore.
MEMBERS = frozenset(
    "GATE_GRAPH GATE_NONE GATE_OP apply_gradients compute_gradients from_config get_config"
    " get_name get_slot get_slot_names minimize variables".split()
)
