"""The commands on files with schedules."""

from pathlib import Path

from optdsl.cli import run

SPEC = """schedule WarmUp {
  const steps = 100 in (0, inf)
  value = min(t/steps, 1)
}
"""


def write(folder, text=SPEC):
    (folder / "warm_up.opt").write_text(text, encoding="utf-8")


def test_gen(tmp_path, monkeypatch):
    """The file is called as that of an optimizer would be; what is up to date stays."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    assert run(["gen", "warm_up.opt", "-o", "out"]) == 0
    found = sorted(str(p.relative_to("out")) for p in Path("out").glob("*/warm_up.py"))
    assert found == ["keras_v2/warm_up.py", "numpy/warm_up.py", "tf1/warm_up.py"]
    assert run(["gen", "warm_up.opt", "-o", "out", "--check"]) == 0
    write(tmp_path, SPEC.replace("100", "200"))
    assert run(["gen", "warm_up.opt", "-o", "out", "--check"]) == 1


def test_check(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    assert run(["check", "warm_up.opt"]) == 0
    write(tmp_path, SPEC.replace("t/steps", "g/steps"))
    assert run(["check", "warm_up.opt"]) == 1
    assert "warm_up.opt:3:15: error[O308]: a schedule has no 'g'" in capsys.readouterr().out


def test_explain_shows_values(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    assert run(["explain", "warm_up.opt"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  steps: in (0, inf)" in lines
    assert "  value = min(t/steps, 1)" in lines
    assert [line.split() for line in lines if "t = 10 " in line] == [["t", "=", "10", "0.1"]]


def test_verify(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    assert run(["verify", "warm_up.opt", "-t", "numpy"]) == 0
    assert "WarmUp" in capsys.readouterr().out


def test_a_schedule_of_the_library_is_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["gen", "cosine_decay", "-t", "numpy", "-o", "out"]) == 0
    assert Path("out/numpy/cosine_decay.py").exists()
