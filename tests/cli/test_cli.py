"""The command line as a whole: exit codes, wrong use, and no tracebacks whatever is put in."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import sgd

COMMAND = [sys.executable, "-m", "optdsl"]


def command(*arguments, **options):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, **options)


# ---------------------------------------------------------------------- speed


def test_help_is_quick_and_imports_nothing_heavy():
    script = (
        "import sys; from optdsl import cli; code = cli.run(['--help']);"
        " print(code, sorted({'lark', 'jinja2', 'numpy', 'tensorflow'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.endswith("0 []\n")
    times = []
    for _ in range(5):
        start = time.monotonic()
        command("--help", check=True)
        times.append(time.monotonic() - start)
    assert min(times) < 0.3


def test_gen_never_imports_tensorflow(project):
    script = (
        "import sys; from optdsl import cli;"
        "cli.run(['gen', 'adam', '-t', 'tf1', '-t', 'keras_v2']);"
        " print(sorted({'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.endswith("[]\n"), run.stderr


# ------------------------------------------------------------------ wrong use


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gne"], "No such command"),
        (["gen", "--chekc"], "No such option"),
        (["gen", "nothing.opt"], "there is no spec 'nothing.opt'"),
        (["gen", "adm"], "there is no spec 'adm'; did you mean 'adam'?"),
        (["gen", "-t", "numpi"], "there is no target 'numpi'; did you mean 'numpy'?"),
        (["gen", "-t", "x"], "there is no target 'x'; there are numpy, tf1, keras_v2"),
        (["check", "--format", "xml"], "xml"),
        (["explain"], "Missing argument"),
        (["explain", "adm"], "did you mean 'adam'?"),
        (["verify", "--python", "/no/python"], "there is no program '/no/python'"),
        (["verify", "-t", "numpi"], "did you mean 'numpy'?"),
    ],
)
def test_wrong_use(project, optdsl, arguments, message):
    result = optdsl(*arguments)
    assert result.code == 2
    assert message in result.err


def test_nothing_to_do(tmp_path, monkeypatch, optdsl):
    monkeypatch.chdir(tmp_path)
    result = optdsl("gen")
    assert result.code == 2
    assert "no SPEC is given, and there is no [tool.optdsl] in pyproject.toml" in result.err


def test_a_broken_pyproject(project, optdsl):
    Path("pyproject.toml").write_text("[tool.optdsl\n")
    result = optdsl("gen")
    assert result.code == 2
    assert "is no TOML" in result.err


# ------------------------------------------------------------------- bad input

BAD = {
    "empty": b"",
    "binary": bytes(range(256)),
    "latin-1": "optimizer Ä".encode("latin-1"),
    "utf-16": sgd().encode("utf-16"),
    "nulls": b"\0" * 1000,
    "huge": b"#" * (2 << 20),
    "one long line": b"optimizer A { " + b"x" * 500_000,
    "no end": b"optimizer A {\n",
    "braces": b"{" * 100_000,
    "deep": sgd().replace("lr*g", f"{'(' * 5000}g{')' * 5000}").encode(),
    "long sum": sgd().replace("lr*g", " + ".join("g" for _ in range(20_000))).encode(),
    "huge number": sgd().replace("0.01", "9^9^9^9").encode(),
    "many digits": sgd().replace("0.01", "1" * 100_000).encode(),
    "blow-up": sgd()
    .replace(
        "  update {",
        "  def d0(x) = x + x\n"
        + "".join(f"  def d{i}(x) = d{i - 1}(d{i - 1}(x))\n" for i in range(1, 30))
        + "  update {",
    )
    .replace("lr*g", "d29(g)")
    .encode(),
    "markup": b"<html></html>",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("verb", ["gen", "check", "explain"])
def test_any_bytes_end_in_diagnostics(project, optdsl, verb, name):
    Path("specs/sgd.opt").write_bytes(BAD[name])
    start = time.monotonic()
    result = optdsl(verb, "specs/sgd.opt")
    assert time.monotonic() - start < 10
    assert result.code == 1
    assert "specs/sgd.opt:" in result.out + result.err
    assert "Traceback" not in result.err
    assert not Path("made/numpy/sgd.py").exists()


@pytest.mark.parametrize("verb", ["gen", "check", "explain"])
def test_what_cannot_be_read(project, optdsl, verb):
    Path("specs/link.opt").symlink_to("nowhere.opt")
    result = optdsl(verb, "specs/link.opt")
    assert result.code == 1
    assert result.err.startswith("error: specs/link.opt cannot be read: No such file")


def test_a_pyproject_further_up_that_is_a_folder(project, optdsl, monkeypatch):
    inner = project / "inner"
    (inner / "pyproject.toml").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert optdsl("gen").code == 0


# ----------------------------------------------------------------------- check


def test_check_counts(project, optdsl):
    result = optdsl("check")
    assert (result.code, result.out) == (0, "1 spec checked: 0 errors, 0 warnings\n")


def test_check_shows_warnings_and_is_content(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd().replace("  update", "  hyper idle = 1\n  update"))
    result = optdsl("check")
    assert result.code == 0
    assert "warning[W203]" in result.out
    assert result.out.endswith("1 spec checked: 0 errors, 1 warning\n")


def test_check_reports_all_the_errors_of_all_files(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd().replace("lr*g", "one*two"))
    Path("specs/other.opt").write_text(sgd().replace("lr*g", "three*g"))
    result = optdsl("check")
    assert result.code == 1
    assert all(f"'{name}' is not declared" in result.out for name in ("one", "two", "three"))
    assert result.out.endswith("2 specs checked: 3 errors, 0 warnings\n")


def test_check_as_json(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd().replace("lr*g", "oops*g"))
    result = optdsl("check", "--format", "json")
    assert result.code == 1
    (finding,) = json.loads(result.out)
    assert (finding["code"], finding["file"]) == ("O201", "specs/sgd.opt")
    assert (finding["line"], finding["column"], finding["end_column"]) == (4, 10, 14)
    Path("specs/sgd.opt").write_text(sgd())
    assert json.loads(optdsl("check", "--format", "json").out) == []


# --------------------------------------------------------------------- explain


def test_explain(project, optdsl):
    result = optdsl("explain", "adam")
    assert result.code == 0
    assert "decays: with g = 0 it is multiplied by b1" in result.out


# ---------------------------------------------------------------------- verify


def test_verify(project, optdsl):
    result = optdsl("verify")
    assert (result.code, result.err) == (0, "")
    assert "Sgd   numpy   dense" in result.out
    assert result.out.endswith("cases, 0 failed\n")


def test_verify_fails_where_the_generated_code_is_wrong(project, optdsl, monkeypatch):
    from optdsl import api

    right = api.render
    monkeypatch.setattr(api, "render", lambda *a: right(*a).replace("w - ", "w + "))
    result = optdsl("verify")
    assert result.code == 1
    assert "FAILED" in result.out


def test_verify_of_a_spec_with_errors(project, optdsl):
    Path("specs/bad.opt").write_text(sgd("Bad").replace("lr*g", "oops*g"))
    result = optdsl("verify")
    assert result.code == 1
    assert "specs/bad.opt:4:10: error[O201]" in result.err
    assert "Sgd   numpy" in result.out


def test_verify_with_an_interpreter_that_lacks_the_framework(project, optdsl):
    Path("python").write_text("#!/bin/sh\necho no numpy here >&2\nexit 1\n")
    Path("python").chmod(0o755)
    result = optdsl("verify", "--python", "./python")
    assert result.code == 1
    assert "cannot run numpy" in result.err
    assert "no numpy here" in result.err
    assert "Traceback" not in result.err


# ----------------------------------------------------- interrupts, closed pipes


def test_ctrl_c(project):
    script = (  # a shell's background job would inherit that the signal is ignored
        "import signal, sys, time; from optdsl import cli, generation;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "generation.generate = lambda *a: (print('on', flush=True), time.sleep(30));"
        "sys.exit(cli.run(['gen']))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "on\n"
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=20)
    assert (run.returncode, err) == (130, "\ninterrupted\n")


@pytest.mark.parametrize("arguments", [["explain", "adam"], ["check", "adam"], ["--help"]])
def test_a_closed_pipe(project, arguments):
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([*COMMAND, *arguments], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (run.returncode, run.stderr) == (1, "")


def test_a_terminal_without_unicode(project):
    Path("specs/sgd.opt").write_text(sgd().replace("lr*g", "é*g"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run([*COMMAND, "check"], capture_output=True, env=environment)
    assert run.returncode == 1
    assert b"Traceback" not in run.stderr


def test_names_that_are_no_text(project):
    run = subprocess.run([*COMMAND, "gen", "-o", b"\xff"], capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.startswith(b"1 file in \\udcff: 1 written")


def test_the_version():
    assert command("--version").stdout.startswith("optdsl, version ")


def test_verify_reports_what_cannot_be_generated(tmp_path):
    wrapper = "wrapper S {\n slot s: scalar\n update {\n  inner\n  s += norm(w)\n  w -= s\n }\n}\n"
    (tmp_path / "o.opt").write_text(wrapper + "optimizer O = S of LazyAdam\n")
    run = command("verify", "-t", "numpy", "o.opt", cwd=tmp_path)
    assert run.returncode == 1
    assert "error[O901]" in run.stderr and "Traceback" not in run.stderr
