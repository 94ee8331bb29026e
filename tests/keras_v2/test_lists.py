"""An argument that is a list of numbers."""

import copy
import json
import pickle

import numpy as np
import pytest

from tests.keras_v2.helpers import keras
from tests.support import load_generated

pytestmark = pytest.mark.tf

AggMo = load_generated("keras_v2", "aggmo").AggMo


@pytest.mark.parametrize("given", [[0, 0.5, 0.75], (0.0, 0.5, 0.75), np.array([0, 0.5, 0.75])])
def test_any_sequence_of_the_length(given):
    optimizer = AggMo(betas=given)
    assert optimizer.betas == (0.0, 0.5, 0.75)
    assert {type(x) for x in optimizer.betas} == {float}


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (0.5, TypeError, "betas has to be a list of 3 numbers, got 0.5"),
        ([0.5, 0.5], ValueError, "betas has to be a list of 3 numbers, got 2"),
        ([0.5, 1, 0.5], ValueError, r"`betas\[1\]` must be between \[0, 1\)"),
        ([0.5, 0.5, "x"], TypeError, r"betas\[2\] is fixed at construction"),
    ],
)
def test_what_is_no_such_list(given, error, message):
    with pytest.raises(error, match=message):
        AggMo(betas=given)


def test_the_config_goes_through_json():
    config = AggMo(betas=(0.125, 0.5, 0.75)).get_config()
    assert config["betas"] == [0.125, 0.5, 0.75]
    config["betas"][0] = 0.25  # the optimizer has a tuple of its own
    twin = AggMo.from_config(json.loads(json.dumps(config)))
    assert twin.betas == (0.25, 0.5, 0.75) and twin.get_config() == config


def test_serialize_and_deserialize():
    saved = keras.optimizers.serialize(AggMo(betas=(0.125, 0.5, 0.75)))
    twin = keras.optimizers.deserialize(json.loads(json.dumps(saved)))
    assert type(twin) is AggMo and twin.betas == (0.125, 0.5, 0.75)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(twin):
    assert twin(AggMo(betas=(0.125, 0.5, 0.75))).betas == (0.125, 0.5, 0.75)
