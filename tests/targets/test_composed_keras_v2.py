"""The classes that the tests of Keras V2 read are what their spec gives now."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = "tests/keras_v2/composed"


def test_composed_classes_are_current():
    command = [
        sys.executable,
        "-m",
        "optdsl.cli",
        "gen",
        "--check",
        "-t",
        "keras_v2",
        "-t",
        "numpy",
    ]
    done = subprocess.run(
        [*command, f"{FOLDER}/composed.opt", "-o", FOLDER],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
