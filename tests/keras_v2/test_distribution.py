"""MirroredStrategy over two logical CPUs equals one device. A process of its own for each."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1

pytestmark = pytest.mark.tf

FOLDER = os.path.dirname(os.path.abspath(__file__))
CASES = "adam amsgrad sgd nadam novograd rmsprop clipped constrained float64 overrides fit".split()
EVALUATION = "ema schedule_free fit_evaluation".split()


def train(case, path):
    script = "mirrored_evaluation.py" if case in EVALUATION else "mirrored.py"
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    return subprocess.run(
        [sys.executable, "-W", "ignore", os.path.join(FOLDER, script), case, path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("case", CASES + EVALUATION)
def test_two_devices_equal_one(case, tmp_path):
    path = str(tmp_path / "result.npz")
    done = train(case, path)
    if TF1 and case in ("clipped", "constrained"):
        # 1.15 adds up the gradients of the replicas where nothing can reach between that and the
        # update: clipping says so, and a sparse gradient with a constraint is refused by Keras
        assert done.returncode != 0
        assert ("TF 1.15 adds up" if case == "clipped" else "constraint") in done.stderr
        return
    assert done.returncode == 0, done.stderr[-3000:]
    found = np.load(path)
    names = sorted(name[4:] for name in found.files if name.startswith("one_"))
    assert names == sorted(name[4:] for name in found.files if name.startswith("two_"))
    tolerance = 1e-12 if case == "float64" else 2e-5
    for name in names:
        np.testing.assert_allclose(
            found["two_" + name], found["one_" + name], rtol=tolerance, atol=tolerance
        )
