"""The classes that tests of TensorFlow 1 run are what the compiler makes of their spec."""

from pathlib import Path

import pytest

COMPOSED = Path(__file__).parents[1] / "tf1" / "composed"


@pytest.mark.parametrize("target", ["tf1", "numpy"])
def test_composed_classes_are_up_to_date(target, tmp_path):
    """Else: `optdsl gen -t tf1 -t numpy tests/tf1/composed/composed.opt -o tests/tf1/composed`."""
    from optdsl.cli import run

    code = run(["gen", "-t", target, str(COMPOSED / "composed.opt"), "-o", str(tmp_path)])
    assert code == 0
    made = {path.name: path.read_text() for path in (tmp_path / target).glob("*.py")}
    kept = {path.name: path.read_text() for path in (COMPOSED / target).glob("*.py")}
    assert made == kept
