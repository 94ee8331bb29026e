import pytest

from tests import support


def test_a_generated_module_is_loaded_by_path_and_once(tmp_path, monkeypatch):
    folder = tmp_path / "generated" / "numpy"
    folder.mkdir(parents=True)
    (folder / "probe_once.py").write_text("VALUE = object()\n")
    monkeypatch.setattr(support, "ROOT", str(tmp_path))
    first = support.load_generated("numpy", "probe_once")
    assert support.load_generated("numpy", "probe_once").VALUE is first.VALUE


def test_a_module_that_fails_is_tried_again(tmp_path, monkeypatch):
    folder = tmp_path / "generated" / "numpy"
    folder.mkdir(parents=True)
    (folder / "probe_broken.py").write_text("1/0\n")
    monkeypatch.setattr(support, "ROOT", str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            support.load_generated("numpy", "probe_broken")
