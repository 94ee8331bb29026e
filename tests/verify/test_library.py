"""Every optimizer of the library does in every target what its spec says."""

from __future__ import annotations

from pathlib import Path

import pytest

from optdsl.verify import drive_numpy, verify, verify_all

pytestmark = pytest.mark.long

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.opt"))


@pytest.mark.parametrize("spec", SPECS, ids=[s.stem for s in SPECS])
def test_numpy(spec: Path) -> None:
    report = verify(spec, "numpy")
    assert report.ok, report.table()  # of wrappers alone there is nothing to run


#: All kinds of rules; `.ci/run` proves tf1 for all of the library, in TensorFlow 1.15.
SAMPLE = (
    "accumulated_adam", "adam", "aggmo", "dog", "ema_sgd", "ftrl", "heun", "lamb",
    "lookahead_lazy_adam", "nadam", "novograd", "prodigy", "radam", "ranger", "ranger_gc", "rk23",
    "rmsprop", "sam_adamw", "sgd",
)  # fmt: skip


SOME = [spec for spec in SPECS if spec.stem in SAMPLE]


@pytest.mark.parametrize("spec", SOME, ids=[s.stem for s in SOME])
def test_numba(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled loop has the same bound as NumPy."""
    pytest.importorskip("numba")
    monkeypatch.setattr(drive_numpy, "ENGINE", "numba")
    report = verify(spec, "numpy")
    assert report.ok, report.table()


@pytest.mark.tf
@pytest.mark.parametrize(("target", "specs"), [("tf1", SOME), ("keras_v2", SPECS)])
def test_tensorflow(target: str, specs: list[Path]) -> None:
    report = verify_all([(spec, ()) for spec in specs], target, most=3)
    assert report.ok, report.table()
