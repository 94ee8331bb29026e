"""An argument that is a list of numbers."""

import copy
import json
import pickle

import numpy as np
import pytest

from tests.support import load_generated

AggMo = load_generated("numpy", "aggmo").AggMo


@pytest.mark.parametrize("given", [[0, 0.5, 0.75], (0.0, 0.5, 0.75), np.array([0, 0.5, 0.75])])
@pytest.mark.parametrize("name", ["b", "betas"])
def test_any_sequence_of_the_length(name, given):
    optimizer = AggMo(**{name: given})
    assert optimizer.b == optimizer.betas == (0.0, 0.5, 0.75)
    assert {type(x) for x in optimizer.b} == {float}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (0.5, TypeError, "betas must be a list of 3 numbers, not 0.5"),
        ([0.5, 0.5], ValueError, "betas must be a list of 3 numbers, not of 2"),
        ([0.1] * 4, ValueError, "betas must be a list of 3 numbers, not of 4"),
        ([0.5, 1, 0.5], ValueError, r"betas\[1\] must be in \[0, 1\), not 1"),
        ([0.5, 0.5, "x"], TypeError, r"betas\[2\] must be a number, not 'x'"),
        ("abc", TypeError, r"betas\[0\] must be a number"),
        (np.zeros((3, 2)), TypeError, r"betas\[0\] must be a number"),
    ],
)
def test_what_is_no_such_list(given, error, message):
    with pytest.raises(error, match=message):
        AggMo(betas=given)


def test_it_is_fixed():
    optimizer = AggMo()
    with pytest.raises(AttributeError, match="betas.*fixed at construction"):
        optimizer.betas = (0, 0, 0)
    assert optimizer.b == (0.0, 0.9, 0.99)


def test_the_config_goes_through_json():
    config = AggMo(betas=(0.125, 0.5, 0.75)).get_config()
    assert config["b"] == [0.125, 0.5, 0.75]
    config["b"][0] = 0.25  # the optimizer has a tuple of its own
    twin = AggMo.from_config(json.loads(json.dumps(config)))
    assert twin.b == (0.25, 0.5, 0.75) and twin.get_config() == config


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(twin):
    assert twin(AggMo(betas=(0.125, 0.5, 0.75))).betas == (0.125, 0.5, 0.75)


def test_the_paper_s_algorithm():
    rng, betas = np.random.RandomState(0), (0.0, 0.5, 0.875)
    w = rng.standard_normal((3, 2))
    expected, momenta = w.copy(), [np.zeros_like(w) for _ in betas]
    optimizer = AggMo(lr=0.3, betas=betas, wd=0.1)
    for _ in range(20):
        g = rng.standard_normal((3, 2))
        optimizer.update([w], [g])
        g = g + 0.1 * expected
        momenta = [beta * v + g for beta, v in zip(betas, momenta)]
        expected = expected - 0.3 / 3 * sum(momenta)
        np.testing.assert_allclose(w, expected, rtol=1e-13)
    assert set(optimizer.state_dict()["slots"][0]) == {"momentum_0", "momentum_1", "momentum_2"}


def test_it_differs_from_variable_to_variable_in_no_way():
    with pytest.raises((TypeError, ValueError), match="betas"):
        AggMo(overrides={"w": {"betas": (0, 0, 0)}})
