"""The generated tf.train.Optimizer classes, as they are and with the option `xla`."""

import importlib
import inspect

from benchmarks.contestants.tensorflow_1 import convert, fresh, maker  # noqa: F401
from benchmarks.race.rules import DENSE, RULES, SPARSE, TF1_BUILT_IN, generated_file


def _class(rule):
    module = importlib.import_module("generated.tf1." + generated_file(rule))
    (found,) = [
        x
        for name, x in vars(module).items()
        if inspect.isclass(x) and x.__module__ == module.__name__ and name.endswith("Optimizer")
    ]
    return found


def _missing():
    has_option = "xla" in inspect.signature(_class(RULES["adabelief"]).__init__).parameters
    return None if has_option else "the generated classes have no option xla"


_RULES = tuple(dict.fromkeys((*DENSE, *TF1_BUILT_IN, *SPARSE)))
CONTESTANTS = [
    {
        "name": "optdsl TF1",
        "rules": _RULES,
        "make": maker(lambda rule: _class(rule)(**rule.settings)),
    },
    {
        "name": "optdsl TF1, xla",
        "rules": DENSE,
        # A resource variable takes over what was computed; to a reference variable it is copied.
        "make": maker(lambda rule: _class(rule)(xla=True, **rule.settings), resource=True),
        "missing": _missing(),
    },
]
