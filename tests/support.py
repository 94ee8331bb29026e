"""What tests of every environment share. It runs on Python 3.7 and imports nothing heavy."""

import importlib.util
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


#: Modules that have all kinds of rules between them: for tests in frameworks that would take long
#: over the whole library, of which `optdsl verify` runs all the rules.
SAMPLE = (
    "adabelief", "adadelta", "adam", "adamax", "adamw", "adan", "adopt", "ftrl", "lamb", "lars",
    "lazy_adam", "lion", "momentum", "nadam", "novograd", "radam", "rmsprop", "rmsprop_tf", "sgd",
    "yogi",
)  # fmt: skip


def is_optimizer(target, file):
    """Whether a generated file holds an optimizer, and no schedule."""
    with open(os.path.join(ROOT, "generated", target, file), encoding="utf-8") as text:
        return "def _rule(" in text.read()


def load_generated(target, name):
    """The module `generated/<target>/<name>.py`, imported by its path; one object per file."""
    key = f"generated_{target}_{name}"
    if key not in sys.modules:
        path = os.path.join(ROOT, "generated", target, name + ".py")
        spec = importlib.util.spec_from_file_location(key, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[key] = module  # pickle finds a class by its module's name
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[key]
            raise
    return sys.modules[key]
