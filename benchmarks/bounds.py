"""What the generated optimizers have to reach, as ratios of contestants of one race."""

from dataclasses import dataclass

KERAS, TF1 = "optdsl Keras V2", "optdsl TF1"
KERAS_BUILT_IN, TF1_BUILT_IN = "Keras 2 built-in", "TF 1.15 built-in"


@dataclass(frozen=True)
class Bound:
    """In the races of an arena with a rule: the times of `contestant` by those of `against`.

    at_most: the highest ratio. at_least: how many times faster the contestant has to be.
    models: the models and their bounds. against_rule: the rule of `against`, if it is another.
    """

    arena: str
    rule: str
    contestant: str
    against: str
    at_most: dict[str, float] | None = None
    at_least: dict[str, float] | None = None
    against_rule: str | None = None
    threads: int = 1


def _dense():
    yield Bound("numpy", "adam", "optdsl NumPy", "C", {"big": 3.0, "many": 3.1})
    yield Bound("numpy", "adam", "optdsl NumPy", "C", {"big": 2.1, "many": 2.1}, threads=2)
    yield Bound("numpy", "adam", "optdsl numba", "C", {"big": 1.1, "many": 1.1, "tiny": 1.0})
    yield Bound("numpy", "adam", "optdsl NumPy", "torch fused", at_least={"tiny": 2.5})
    textbook = {"big": 4.3, "many": 1.8}
    yield Bound("numpy", "adam", "optdsl NumPy", "textbook NumPy", at_least=textbook)
    as_adam = {"big": 1.0, "many": 1.3}
    yield Bound("tf221", "adabelief", KERAS, KERAS_BUILT_IN, as_adam, against_rule="adam")
    for rule in ("adam", "amsgrad"):
        yield Bound("tf221", rule, KERAS, KERAS_BUILT_IN, {"big": 1.02, "many": 1.05})
    for rule in ("adabelief", "diffgrad", "ranger"):
        yield Bound("tf221", rule, KERAS, "plain ops", at_least={"big": 2.8, "many": 2.1})
    eager = KERAS + ", eager", KERAS_BUILT_IN + ", eager"
    yield Bound("tf221", "adam", *eager, at_least={"tiny": 5.0})
    for rule in ("adam", "momentum", "adagrad", "rmsprop", "adadelta", "adamax", "ftrl"):
        yield Bound("tf115", rule, TF1, TF1_BUILT_IN, {"big": 1.05, "many": 1.05})
    xla = TF1 + ", xla"
    yield Bound("tf115", "adabelief", xla, TF1_BUILT_IN, {"many": 1.9}, against_rule="adam")
    yield Bound("tf115", "adabelief", TF1, "plain ops", at_least={"many": 1.25})


def _sparse():
    yield Bound("tf221", "adam, exact", KERAS, KERAS_BUILT_IN, at_least={"uniform": 4.0})
    yield Bound("tf215", "adam, lazy", KERAS, "tensorflow-addons", {"uniform": 1.0})
    numpy = "optdsl NumPy"
    yield Bound("numpy", "adam, lazy", numpy, "textbook NumPy", at_least={"uniform": 5.0})
    for arena, name in (("numpy", numpy), ("tf221", KERAS), ("tf115", TF1)):
        lazy = {"against_rule": "adam, lazy"}
        yield Bound(arena, "radam, hybrid", name, name, {"uniform": 1.3}, **lazy)
    for arena, name, sweep in (("numpy", numpy, "textbook NumPy"), ("tf221", KERAS, "plain ops")):
        yield Bound(arena, "radam, hybrid", name, sweep, at_least={"uniform": 15.0})


BOUNDS = [*_dense(), *_sparse()]

#: Peak memory beside parameters and gradients, of dense rules with one stage: for NumPy no more
#: than the slots and a block of scratch, for Keras no more than the built-in Adam's and a tenth.
MEMORY = [
    ("numpy", "optdsl NumPy", "adam"),
    ("numpy", "optdsl NumPy", "adabelief"),
    ("numpy", "optdsl NumPy", "lion"),
    ("tf221", KERAS_BUILT_IN, "adam"),
    ("tf221", KERAS, "adam"),
    ("tf221", KERAS, "adabelief"),
]
SCRATCH = 4 * 2**20
KERAS_FACTOR = 1.1
