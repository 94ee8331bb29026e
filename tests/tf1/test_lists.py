"""An argument that is a list of numbers."""

import copy
import json
import pickle

import numpy as np
import pytest

from tests.tf1.harness import generated

pytestmark = pytest.mark.tf


@pytest.mark.parametrize("given", [[0, 0.5, 0.75], (0.0, 0.5, 0.75), np.array([0, 0.5, 0.75])])
def test_any_sequence_of_the_length(given):
    optimizer = generated("aggmo")(betas=given)
    assert optimizer.b == (0.0, 0.5, 0.75)
    assert {type(x) for x in optimizer.b} == {float}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0.5, "betas must be a list of 3 numbers, got 0.5"),
        ([0.5, 0.5], "betas must be a list of 3 numbers"),
        ([0.5, 1, 0.5], r"betas\[1\] must be in \[0, 1\), got 1"),
        ([0.5, 0.5, "x"], r"betas\[2\] must be a plain number"),
    ],
)
def test_what_is_no_such_list(given, message):
    with pytest.raises(ValueError, match=message):
        generated("aggmo")(betas=given)


def test_the_config_goes_through_json():
    config = generated("aggmo")(betas=(0.125, 0.5, 0.75)).get_config()
    assert config["betas"] == [0.125, 0.5, 0.75]
    config["betas"][0] = 0.25  # the optimizer has a tuple of its own
    twin = generated("aggmo").from_config(json.loads(json.dumps(config)))
    assert twin.b == (0.25, 0.5, 0.75) and twin.get_config() == config


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(twin):
    assert twin(generated("aggmo")(betas=(0.125, 0.5, 0.75))).b == (0.125, 0.5, 0.75)
