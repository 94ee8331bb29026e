"""Every optimizer of the library does in every target what its spec says."""

from __future__ import annotations

from pathlib import Path

import pytest

from optdsl.verify import verify, verify_all

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.opt"))


@pytest.mark.parametrize("spec", SPECS, ids=[s.stem for s in SPECS])
def test_numpy(spec: Path) -> None:
    report = verify(spec, "numpy")
    assert report.ok, report.table()


@pytest.mark.tf
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_tensorflow(target: str) -> None:
    report = verify_all(SPECS, target, most=3)
    assert report.ok, report.table()
