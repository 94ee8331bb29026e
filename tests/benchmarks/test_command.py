"""The command on small models: it runs, and every contestant that is there is timed."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.tf
@pytest.mark.long
@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_a_quick_run(tmp_path):
    pytest.importorskip("matplotlib")
    command = [sys.executable, "benchmarks", "--quick", "-o", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=900)
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    places = results["races"] + [x for curve in results["curves"] for x in curve["points"]]
    assert [x for place in places for x in place["failed"]] == []
    timed = {x["contestant"] for race in results["races"] for x in race["results"]}
    assert {"C", "optdsl NumPy", "optdsl Keras V2", "Keras 2 built-in", "torch fused"} <= timed
    assert {x.name for x in tmp_path.iterdir()} == {
        "results.json", "README.md", "adam.png", "rules.png", "sparse.png", "growth.png"
    }  # fmt: skip
