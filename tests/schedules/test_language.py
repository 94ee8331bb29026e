"""What can be said in a schedule, in every target beside the oracle."""

import subprocess
import sys

import numpy as np
import pytest

import optdsl
from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from optdsl.oracle.schedules import evaluate
from optdsl.verify import verify

EVERYTHING = """
def half(x) = x/2
schedule Everything "All of the language." {
  const a = 0.1 as first_value in (0, 1]
  const b = half(a) in [0, inf)
  const n: int = 3 in [1, 9]
  const marks = [10, 20, 30]
  const rates = [1, 2, 3, 4] as values in (0, inf)
  const step = 2
  const lambda = 3
  flag loud = true
  def wave(x) = cos(2*pi*x)
  value {
    let x = t/10
    let name = piecewise(x, marks, rates)
    let small = min(a, b, 0.5)
    if loud and t > 5 or t == 3 {
      x += half(sigmoid(x))
      let inside = clip(x, -1, 1)
      value = inside*a
    } else if n > 2 {
      value = where(t % 2 == 0, wave(x), max(b, small))
    } else {
      value = 1
    }
    if not loud {
      value *= sqrt(abs(x)) + log(1+t) + log1p(t) + exp(-t) + expm1(-t) + tanh(x) + floor(x)
    }
    value += ceil(x) + round(x) + sign(x-1) + atan2(x, 1) + cbrt(x) + t^n/step + lambda + name
    if isfinite(value) {
      value = value / (1 + rounds(t))
    }
  }
  def rounds(x) = x % 7
  for keras_v2 { class AllOfIt  b as beta }
}
""".replace("class AllOfIt  b as beta", "class AllOfIt\n    b as beta\n    a = 0.25\n  ")


@pytest.mark.parametrize(
    "target",
    [
        "numpy",
        pytest.param("tf1", marks=pytest.mark.tf),
        pytest.param("keras_v2", marks=pytest.mark.tf),
    ],
)
def test_everything(target):
    """With other defaults than its own a target is driven by the arguments of the case."""
    text = EVERYTHING.replace("    a = 0.25\n", "")
    report = verify(text, target)
    assert report.ok and report.rows, report.table()


def test_settings_of_a_target():
    text = optdsl.generate(EVERYTHING, "keras_v2")
    assert "class AllOfIt(keras" in text
    assert "first_value=0.25" in text and "beta=None" in text
    assert "class Everything:" in optdsl.generate(EVERYTHING, "numpy")


@pytest.mark.parametrize("target", ["numpy", "tf1", "keras_v2"])
@pytest.mark.parametrize(
    "body",
    ["value = 0.5^(t+1)", "value = 0.1", "flag f = true\n value = where(f and t > 1, 1, t)"],
)
def test_without_numbers(target, body, tmp_path):
    """The generated file is as ruff wants it, too."""
    path = tmp_path / "generated.py"
    path.write_text(optdsl.generate(f"schedule A {{\n {body}\n}}\n", target), encoding="utf-8")
    for command in (["check", "--select", "F"], ["format", "--check", "--line-length", "100"]):
        run = subprocess.run([sys.executable, "-m", "ruff", *command, str(path)])
        assert run.returncode == 0


def test_a_wrong_generated_schedule_is_found(monkeypatch):
    """One constant of the generated code is off by 1e-14."""
    spec = "schedule A {\n  const a = 0.1\n  value = a * exp(-t/100)\n}\n"
    assert verify(spec, "numpy").ok
    right = api.generate

    def wrong(*args):
        text = right(*args)
        assert "np.exp(-t / 100)" in text
        return text.replace("np.exp(-t / 100)", "np.exp(-t / 100.000000000001)")

    monkeypatch.setattr(api, "generate", wrong)
    assert not verify(spec, "numpy").ok


def test_a_boundary_on_the_wrong_side_is_found(monkeypatch):
    """A number that has to be exact is wrong."""
    spec = "schedule A {\n  const b = [9]\n  const v = [1, 2]\n  value = piecewise(t, b, v)\n}\n"
    assert verify(spec, "numpy").ok
    right = api.generate
    wrong = 'np.searchsorted(self.b, t, "right")'
    monkeypatch.setattr(
        api, "generate", lambda *a: right(*a).replace("np.searchsorted(self.b, t)", wrong)
    )
    report = verify(spec, "numpy")
    assert not report.ok and "after 9 steps" in report.table()


def test_files_with_both(tmp_path, monkeypatch):
    """An optimizer and a schedule of one file, used together."""
    spec = """optimizer Plain {
  hyper lr = 0.1
  update { w -= lr*g }
}
schedule Halved { value = 0.5^(t+1) }
"""
    plain = optdsl.load(spec, "numpy", "Plain")
    halved = optdsl.load(spec, "numpy", "Halved")
    w = np.ones(1)
    optimizer = plain(halved())
    for _ in range(3):
        optimizer.update({"w": w}, {"w": np.ones(1)})
    assert w[0] == 1 - 0.5 - 0.25 - 0.125
    with pytest.raises(ValueError, match="'Plain' or 'Halved'"):
        optdsl.load(spec, "numpy")


def test_the_oracle():
    spec = """schedule A {
  const b = [2, 5]
  const v = [1, 2, 3]
  flag up = false
  value {
    value = piecewise(t, b, v)
    if up {
      let more = 10
      value += more
    }
  }
}
"""
    (schedule,) = api.resolve_all(Source("a.opt", spec), Diagnostics()).schedules
    assert [evaluate(schedule, t) for t in (0, 2, 3, 5, 6)] == [1, 1, 2, 2, 3]
    assert evaluate(schedule, 3, {"up": True, "b": [3], "v": [0.5, 1]}) == 10.5
