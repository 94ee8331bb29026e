"""The generated classes that only tests use: those environments cannot generate them themselves."""

import pytest

from optdsl.cli import run
from tests.support import ROOT


@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_composed_classes_are_up_to_date(target, monkeypatch):
    """Else the command without `--check` mends it."""
    monkeypatch.chdir(ROOT)
    folder = f"tests/{target}/composed"
    arguments = ["-t", target, "-t", "numpy", f"{folder}/composed.opt", "-o", folder]
    assert run(["gen", "--check", *arguments]) == 0, f"optdsl gen {' '.join(arguments)}"
