"""How TensorFlow writes the operators, and what is a convention of Keras. All data."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Sequence

from optdsl.ir.nodes import Literal_, Op
from optdsl.targets.printer import ARITHMETIC, Form


def _fill(op: Op, args: Sequence[str]) -> str:
    """One number over the shape of the second argument."""
    number, like = op.args[0], args[1]
    if isinstance(number, Literal_) and number.value in (0, 1):
        return f"tf.{'ones' if number.value else 'zeros'}_like({like})"
    value = f"tf.constant({args[0]}, {like}.dtype)" if isinstance(number, Literal_) else args[0]
    return f"tf.fill(tf.shape({like}), {value})"


#: For elements, and for one number per variable. `typed`, `square` and the second argument of
#: `fill` come from `adapt`; what starts with an underscore is in templates/keras_v2/helpers.
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
    "where": "tf.where({0}, {1}, {2})",
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

#: For the numbers of a step.
NUMBERS: dict[str, Form] = {**ELEMENTS, "typed": "tf.constant({0}, tf.float64)"}

#: Functions of several tensors, and the first argument that settles their dtype: a literal there
#: would become a tensor of float32 or int32.
SETTLING_ARGUMENT = {"eq": 0, "ne": 0, "min": 0, "max": 0, "atan2": 0, "where": 1}

#: Operators that are written with a function at the end of the file, and its name there.
HELPERS = {
    "cbrt": "cbrt", "mean": "mean", "rms": "mean", "amax": "amax", "amin": "amin",
    "size": "size", "rank": "rank",
}  # fmt: skip

#: What Keras calls the hyperparameters that many optimizers have.
CONVENTIONS = {
    "lr": "learning_rate",
    "b1": "beta_1",
    "b2": "beta_2",
    "eps": "epsilon",
    "wd": "weight_decay",
}

#: Hyperparameters that Keras keeps as plain attributes of Python, not as variables.
PLAIN = frozenset({"epsilon"})

#: What None means for an argument.
NONE_MEANS = {"epsilon": "keras.backend.epsilon()"}

#: Identifiers that no local may have inside a method.
TAKEN = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}) | frozenset(
    "contextlib copy dtype keras math np numbers others self tf".split()
)

#: Names that an optimizer's class may not have, beside those that start with an underscore.
MODULE_NAMES = frozenset("contextlib copy keras math np numbers tf".split())

#: Arguments of every constructor; `lr` and `decay` are read from **kwargs.
OWN_ARGUMENTS = frozenset("clipnorm clipvalue global_clipnorm kwargs lr name self".split())

#: Public members of OptimizerV2 in any of its versions, and of the generated classes: a
#: hyperparameter, constant or flag of such a name would hide it.
MEMBERS = frozenset(
    """
    add_slot add_weight apply_gradients build clipnorm clipvalue from_config get_config
    get_gradients get_slot get_slot_names get_updates get_weights global_clipnorm
    gradient_aggregator gradient_transformers iterations minimize set_weights variables weights
    """.split()
)

#: The names of other things that Keras tracks beside the shared values.
TRACKED = frozenset({"decay", "iter"})
