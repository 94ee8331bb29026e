"""MirroredStrategy over two logical CPUs equals one device. In processes of their own."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1

pytestmark = pytest.mark.tf

FOLDER = os.path.dirname(os.path.abspath(__file__))
CASES = "adam amsgrad sgd nadam novograd rmsprop clipped constrained".split()
CASES += "float64 overrides restored fit".split()
COMPOSED = "accumulated small_batches slow clipped_together heun fit_heun".split()
EVALUATION = "ema schedule_free fit_evaluation".split()
# What TF 1.15 says where it cannot: it adds up the gradients of the replicas where nothing can
# reach between that and the update, Keras refuses a sparse gradient with a constraint, and its
# `fit` takes one gradient a step.
REFUSED = {
    "clipped": "TF 1.15 adds up",
    "clipped_together": "TF 1.15 adds up",
    "heun": "TF 1.15 adds up",
    "constrained": "constraint",
    "fit_heun": "takes one gradient a step",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with the results of all the cases, of one process for each script."""
    folder = str(tmp_path_factory.mktemp("results"))
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    scripts = {"mirrored.py": CASES + COMPOSED, "mirrored_evaluation.py": EVALUATION}
    for script, cases in scripts.items():
        command = [sys.executable, "-W", "ignore", os.path.join(FOLDER, script), folder]
        subprocess.run(command + cases, env=environment, check=True, timeout=600)
    return folder


@pytest.mark.parametrize("case", CASES + COMPOSED + EVALUATION)
def test_two_devices_equal_one(case, results):
    path = os.path.join(results, case)
    error = ""
    if os.path.exists(path + ".error"):
        with open(path + ".error", encoding="utf-8") as file:
            error = file.read()
    if TF1 and case in REFUSED:
        assert REFUSED[case] in error
        return
    assert not error
    found = np.load(path + ".npz")
    names = sorted(name[4:] for name in found.files if name.startswith("one_"))
    assert names and names == sorted(name[4:] for name in found.files if name.startswith("two_"))
    tolerance = 1e-12 if case in ("float64", "small_batches") else 2e-5
    tolerance = 1e-5 if case in ("accumulated", "slow", "clipped_together") else tolerance
    for name in names:
        np.testing.assert_allclose(
            found["two_" + name], found["one_" + name], rtol=tolerance, atol=tolerance
        )
