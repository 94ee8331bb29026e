"""What is a convention of TF 1, and which identifiers it keeps for itself. All data."""

from __future__ import annotations

import builtins
import keyword

from optdsl.targets.printer import Form
from optdsl.targets.tensorflow import tables as tensorflow

#: For elements, and for one number per variable; `tf` is the module of TF 1 here.
ELEMENTS: dict[str, Form] = {**tensorflow.ELEMENTS, "where": tensorflow.where("tf.where_v2")}

#: For the numbers of a step.
NUMBERS = {**ELEMENTS, **tensorflow.IN_A_STEP}

#: Identifiers that no value may have inside a method.
TAKEN = frozenset(
    {*keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
    | {"self", "tf", "math", "numbers", "re", "typing", "step", "coefficients"}
)

#: Arguments of every constructor.
OWN_ARGUMENTS = ("use_locking", "name", "overrides", "xla")
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")

#: Attributes that every generated class has, beside those that start with an underscore.
MEMBERS = frozenset(
    "GATE_GRAPH GATE_NONE GATE_OP apply_gradients catch_up compute_gradients evaluation_ops"
    " evaluation_weights from_config get_config get_name get_slot get_slot_names minimize"
    " run_stages stage_ops variables".split()
)
