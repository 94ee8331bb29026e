"""What is a convention of Keras. All data."""

from __future__ import annotations

import builtins
import keyword

from optdsl.targets.tensorflow import tables as tensorflow

#: For elements, and for one number per variable.
ELEMENTS = tensorflow.ELEMENTS

#: For the numbers of a step.
NUMBERS = {**ELEMENTS, **tensorflow.IN_A_STEP}

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

#: What None means for an argument, and 0 where it is not in the domain.
NONE_MEANS = {"epsilon": "keras.backend.epsilon()"}

#: Other names of arguments: how to get them out of **kwargs (the base class knows `lr` itself).
ALIASES = {"learning_rate": 'kwargs.get("lr", {0})', "decay": 'kwargs.pop("schedule_decay", {0})'}

#: Identifiers that no local may have inside a method.
TAKEN = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}) | frozenset(
    "changes contextlib copy dtype functools keras math np numbers others overrides".split()
    + "re self tf weakref".split()
)

#: Names that an optimizer's class may not have, beside those that start with an underscore.
MODULE_NAMES = frozenset("contextlib copy functools keras math np numbers re tf weakref".split())

#: Arguments of every constructor; `lr`, `decay` and `overrides` are read from **kwargs.
OWN_ARGUMENTS = frozenset(
    "clipnorm clipvalue global_clipnorm kwargs lr name overrides self".split()
)

#: Public members of OptimizerV2 in any of its versions, and of the generated classes: a
#: hyperparameter, constant or flag of such a name would hide it.
MEMBERS = frozenset(
    """
    add_slot add_weight apply_gradients assign_evaluation_weights attach build catch_up clipnorm
    clipvalue evaluation evaluation_weights from_config get_config get_gradients get_slot
    get_slot_names get_updates get_weights global_clipnorm gradient_aggregator
    gradient_transformers iterations minimize set_weights variables weights
    """.split()
)

#: The names of other things that Keras tracks beside the shared values.
TRACKED = frozenset({"decay", "iter"})
