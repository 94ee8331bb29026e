"""The generated OptimizerV2 classes."""

import importlib
import inspect

from benchmarks.contestants.tensorflow_2 import both_ways, convert  # noqa: F401
from benchmarks.race.rules import DENSE, SPARSE, generated_file


def _build(rule):
    module = importlib.import_module("generated.keras_v2." + generated_file(rule))
    (found,) = [
        x
        for x in vars(module).values()
        if inspect.isclass(x) and x.__module__ == module.__name__ and hasattr(x, "get_config")
    ]
    return found(**rule.settings)


CONTESTANTS = both_ways("optdsl Keras V2", DENSE + SPARSE, _build)
