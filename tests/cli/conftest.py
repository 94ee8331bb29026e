from types import SimpleNamespace

import pytest

from optdsl import cli

SGD = """\
optimizer {name} "Plain steps down the gradient." {{
  hyper lr = 0.01 as learning_rate in [0, inf)
  update {{
    w -= lr*g
  }}
}}
"""
PROJECT = """\
[tool.optdsl]
specs = ["specs"]
targets = ["numpy"]
output = "made"
"""


def sgd(name="Sgd"):
    return SGD.format(name=name)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """A cache folder that no other test has written to."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "optdsl" / "gen"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own with one spec, as the working directory."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "sgd.opt").write_text(sgd())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def optdsl(capsys):
    """Runs a command line in this process: `code`, `out` and `err` of the result."""

    def run(*arguments):
        code = cli.run([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run
