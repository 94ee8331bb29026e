"""The generated NumPy classes, with NumPy alone and with numba."""

import importlib
import inspect

from benchmarks.race.child import THREADS
from benchmarks.race.rules import DENSE, RULES, SPARSE, generated_file


def _class(rule):
    module = importlib.import_module("generated.numpy." + generated_file(rule))
    (found,) = [
        x
        for name, x in vars(module).items()
        if inspect.isclass(x) and x.__module__ == module.__name__ and hasattr(x, "update")
    ]
    return found


def _maker(engine):
    def make(rule, params):
        params = [x.copy() for x in params]
        found = _class(rule)
        optimizer = found(**rule.settings, engine=engine, threads=THREADS)
        return lambda grads: optimizer.update(params, grads), lambda: params

    return make


def _missing():
    """Why there is no fused loop of numba; None if there is one."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return "numba is not installed"
    return None


def _compiled(rules):
    """Those that numba has a loop for: elementwise, of operators that it knows."""
    return [name for name in rules if _class(RULES[name])._COMPILED]


CONTESTANTS = [
    {"name": "optdsl NumPy", "rules": DENSE + SPARSE, "make": _maker("numpy")},
    {
        "name": "optdsl numba",
        "rules": _compiled(DENSE + SPARSE),
        "make": _maker("numba"),
        "missing": _missing(),
    },
]
