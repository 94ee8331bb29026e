"""Who can share a process, and which races are run there."""

import importlib
from collections import namedtuple

from benchmarks.race.rules import DENSE, RULES, TF1_BUILT_IN

Contestant = namedtuple("Contestant", "name rules make models missing convert fresh")
Race = namedtuple("Race", "rule model")

#: What every race is measured by: C and the fused built-in, both with Adam.
YARDSTICKS = ("C", "Keras 2 built-in", "TF 1.15 built-in")

#: BERT-base is large: those who would not fit into memory beside each other stay away.
_BERT = ("C", "optdsl NumPy", "optdsl numba", "torch fused", "optdsl Keras V2", "Keras 2 built-in")


def _dense(rules, models):
    return [Race(rule, model) for model in models for rule in rules]


_DENSE = [*_dense(DENSE, ("big", "many")), Race("adam", "tiny"), Race("adam", "bert")]
_EMBEDDINGS = [
    Race("adam, lazy", "uniform"),
    Race("adam, lazy", "zipf"),
    Race("adam, exact", "uniform"),
    Race("radam, hybrid", "uniform"),
]
_BUILT_IN_RULES = dict.fromkeys((*TF1_BUILT_IN, "adabelief"))

_QUICK = "many", "uniform"

#: The files of contestants/, and the races, on one thread and on two.
ARENAS = {
    "numpy": (
        ("c", "optdsl_numpy", "textbook_numpy", "torch_adam", "optax_jitted"),
        {
            1: [*_DENSE, *_EMBEDDINGS],
            2: _dense(("adam",), ("big", "many")),
        },
    ),
    "tf221": (
        ("c", "optdsl_keras_v2", "keras_builtin", "keras_plain", "keras_3"),
        {1: [*_DENSE, *_EMBEDDINGS]},
    ),
    "tf215": (
        ("c", "optdsl_keras_v2", "keras_builtin", "addons"),
        {1: [*_dense(("adabelief", "lamb", "ranger"), ("big", "many")), *_EMBEDDINGS]},
    ),
    "tf115": (
        ("c", "optdsl_tf1", "tf1_builtin", "tf1_plain"),
        {1: [*_dense(_BUILT_IN_RULES, ("big", "many")), Race("adam", "tiny"), *_EMBEDDINGS]},
    ),
}


def contestants(arena):
    """All contestants of an arena, and a list of (name, why it is not there)."""
    found, missing = [], []
    for file in ARENAS[arena][0]:
        try:
            module = importlib.import_module("benchmarks.contestants." + file)
        except ImportError as error:
            missing.append((file, str(error)))
            continue
        of_module = {
            "models": None,
            "missing": None,
            "convert": getattr(module, "convert", _as_it_is),
            "fresh": getattr(module, "fresh", _nothing),
        }
        found += [Contestant(**{**of_module, **entry}) for entry in module.CONTESTANTS]
    missing += [(x.name, x.missing) for x in found if x.missing]
    return [x for x in found if not x.missing], missing


def races(arena, threads, quick):
    """The races of an arena; in a quick run every contestant and rule runs, but on one model."""
    found = ARENAS[arena][1][threads]
    if not quick:
        return found
    return [race for race in found if race.model in _QUICK or race == Race("adam", "tiny")]


#: What a process does instead of the races on a model.
CURVES = "curves"
#: Both, for a process that does everything.
ALL = "all"


def parts(arena, threads, quick):
    """What each process of an arena does: the races on one model, or the curves. TensorFlow does
    not give back the memory of variables, and all of them together would not fit; those of a quick
    run do.
    """
    if quick:
        return [ALL]
    models = dict.fromkeys(race.model for race in races(arena, threads, quick=False))
    return [*models, *[CURVES] * (threads == 1)]


def _as_it_is(gradients):
    return gradients


def _nothing():
    pass


def starters(race, those):
    """Who takes part in a race: (contestant, rule), among them the yardsticks."""
    pairs = [(x, race.rule) for x in those if race.rule in x.rules]
    if RULES[race.rule].sparse == "hybrid":
        pairs += [(x, "adam, lazy") for x in those if x.name.startswith("optdsl")]
    elif not RULES[race.rule].sparse and race.rule != "adam":
        pairs += [(x, "adam") for x in those if x.name.startswith(YARDSTICKS)]
    return [
        (x, RULES[rule])
        for x, rule in pairs
        if (x.models is None or race.model in x.models)
        and (race.model != "bert" or x.name in _BERT)
    ]
