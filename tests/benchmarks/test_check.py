"""Nobody is timed who computes something else."""

import types

import numpy as np
import pytest

from benchmarks.contestants import optdsl_numpy, textbook_numpy
from benchmarks.race import check, models
from benchmarks.race.rules import DENSE, RULES, SPARSE

ENTRIES = {x["name"]: x for x in (*textbook_numpy.CONTESTANTS, *optdsl_numpy.CONTESTANTS)}


def contestant(name, other_rule=None):
    """A contestant of NumPy; with another rule than the one that it says."""

    def make(rule, params):
        return ENTRIES[name]["make"](other_rule or rule, params)

    return types.SimpleNamespace(name=name, make=make, convert=lambda grads: grads)


@pytest.mark.parametrize("rule", [*DENSE, *SPARSE])
def test_the_generated_classes_pass(rule):
    check.check_small(contestant("optdsl NumPy"), RULES[rule])


@pytest.mark.parametrize(
    ("rule", "other"),
    [("amsgrad", "adam"), ("adam", "amsgrad"), ("diffgrad", "adam"), ("adabelief", "adam"),
     ("lamb", "adam"), ("ranger", "radam, hybrid"), ("adam, exact", "adam, lazy"),
     ("adam, lazy", "adam, exact"), ("radam, hybrid", "adam, lazy")],
)  # fmt: skip
def test_another_rule_does_not(rule, other):
    of_other = RULES[other]._replace(sparse=RULES[rule].sparse and RULES[other].sparse)
    with pytest.raises(check.WrongResult):
        check.check_small(contestant("textbook NumPy", of_other), RULES[rule])


@pytest.mark.parametrize("rule", ["adam", "lamb", "adam, exact"])
def test_a_model_is_compared_after_the_race_too(rule):
    rule = RULES[rule]
    shapes = [(300, 4)]
    turns = [models.gradients(shapes)]
    if rule.sparse:
        turns = [[models.rows(shapes[0], "uniform", i, 50)] for i in range(2)]
    params = models.parameters(shapes)
    step, read = ENTRIES["textbook NumPy"]["make"](rule, params)
    for grads in turns:
        step(grads)
    right = read()
    check.check_large(contestant("x"), rule, params, turns, right)
    wrong = [x + np.float32(0.01) for x in right]
    with pytest.raises(check.WrongResult):
        check.check_large(contestant("x"), rule, params, turns, wrong)


def test_the_models_have_the_sizes_of_the_networks():
    sizes = {
        name: [int(np.prod(shape)) for shape in shapes()] for name, shapes in models.MODELS.items()
    }
    assert (len(sizes["many"]), sum(sizes["many"])) == (161, 25_557_032)
    assert (len(sizes["bert"]), sum(sizes["bert"])) == (199, 109_482_240)
