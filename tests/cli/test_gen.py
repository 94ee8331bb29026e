"""`optdsl gen` as users call it, in a project of their own."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optdsl import emit
from optdsl.resources import SPECS

from .conftest import sgd

MADE = Path("made/numpy/sgd.py")


def python_files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*") if p.is_file())


# ------------------------------------------------------------- what is written


def test_the_project_says_what_is_generated(project, optdsl):
    result = optdsl("gen")
    assert result.code == 0
    assert result.err == ""
    assert result.out.startswith("1 file in made: 1 written (")
    assert python_files("made") == ["__init__.py", "numpy/__init__.py", "numpy/sgd.py"]


def test_settings_count_from_any_folder_below(project, optdsl, monkeypatch):
    (project / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "src" / "deep")
    assert optdsl("gen").code == 0
    assert (project / MADE).is_file()
    assert emit.specs_of((project / MADE).read_text()) == ("specs/sgd.opt",)


def test_the_modules_can_be_imported_as_packages(project, optdsl):
    optdsl("gen")
    script = "from made.numpy.sgd import Sgd; print(Sgd.__name__)"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=project
    )
    assert run.stdout == "Sgd\n", run.stderr


def test_arguments_go_before_settings(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    assert optdsl("gen", "specs/other.opt", "-t", "tf1", "-o", "elsewhere/deep").code == 0
    assert not Path("made").exists()
    assert python_files("elsewhere/deep") == ["__init__.py", "tf1/__init__.py", "tf1/other.py"]


def test_without_a_project_everything_is_given_by_hand(tmp_path, monkeypatch, optdsl):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sgd.opt").write_text(sgd())
    assert optdsl("gen", "sgd.opt").code == 0
    assert sorted(os.listdir("generated")) == ["__init__.py", "keras_v2", "numpy", "tf1"]


def test_an_optimizer_of_the_library_by_name(project, optdsl):
    assert optdsl("gen", "lazy_adam").code == 0
    assert python_files("made/numpy") == ["__init__.py", "lazy_adam.py"]


def test_all_targets_and_optimizers_of_a_file(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd("One") + sgd("TwoWords"))
    optdsl("gen", "-t", "numpy", "-t", "keras_v2", "-t", "numpy")
    both = ["__init__.py", "one.py", "two_words.py"]
    assert python_files("made/numpy") == python_files("made/keras_v2") == both


def test_only_what_changed_is_rewritten(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    optdsl("gen")
    for name in ("sgd", "other"):
        os.utime(f"made/numpy/{name}.py", (1, 1))
    (project / "specs" / "other.opt").write_text(sgd("Other").replace("0.01", "0.02"))
    result = optdsl("gen")
    assert result.out.startswith("2 files in made: 1 written")
    assert MADE.stat().st_mtime == 1
    assert Path("made/numpy/other.py").stat().st_mtime != 1


def test_every_run_machine_and_hash_seed_gives_the_same_bytes(project, optdsl):
    texts = set()
    for seed in ("0", "1", "2"):
        run = subprocess.run(
            [sys.executable, "-m", "optdsl", "gen", "adam", "rmsprop", "-o", f"out{seed}"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
        assert b"written" in run.stdout
        names = python_files(f"out{seed}")
        texts.add("".join(name + Path(f"out{seed}", name).read_text() for name in names))
    assert len(texts) == 1


def test_nothing_of_this_machine_stands_in_a_file(project, optdsl):
    optdsl("gen")
    assert str(project) not in MADE.read_text()


# ------------------------------------------------------------ what is not written


def test_a_file_edited_by_hand_is_kept_and_the_others_are_written(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    optdsl("gen")
    mine = MADE.read_text() + "# mine\n"
    MADE.write_text(mine)
    Path("made/numpy/other.py").unlink()
    result = optdsl("gen")
    assert result.code == 1
    assert result.err == (
        "error: made/numpy/sgd.py is edited by hand and was kept; --force overwrites it\n"
    )
    assert MADE.read_text() == mine
    assert Path("made/numpy/other.py").is_file()
    assert optdsl("gen", "--force").code == 0
    assert "mine" not in MADE.read_text()


def test_a_file_of_the_users_is_kept(project, optdsl):
    MADE.parent.mkdir(parents=True)
    MADE.write_text("x = 1\n")
    assert "is not a file that optdsl wrote and was kept" in optdsl("gen").err
    assert MADE.read_text() == "x = 1\n"


def test_package_files_of_the_users_are_kept(project, optdsl):
    MADE.parent.mkdir(parents=True)
    for folder in ("made", "made/numpy"):
        Path(folder, "__init__.py").write_text("x = 1\n")
    assert optdsl("gen", "--force").code == 0
    assert Path("made/__init__.py").read_text() == "x = 1\n"
    assert Path("made/numpy/__init__.py").read_text() == "x = 1\n"


@pytest.mark.parametrize("place", ["made", "made/numpy"])
def test_a_file_where_a_folder_belongs(project, optdsl, place):
    Path(place).parent.mkdir(exist_ok=True)
    Path(place).write_text("")
    result = optdsl("gen")
    assert result.code == 1
    assert f"{place} is in the way: it is not a folder" in result.err
    assert "Traceback" not in result.err


def test_a_folder_where_a_file_belongs(project, optdsl):
    MADE.mkdir(parents=True)
    result = optdsl("gen", "--force")
    assert result.code == 1
    assert "sgd.py is in the way" in result.err


def test_specs_with_errors_are_all_reported_and_the_others_generated(project, optdsl):
    for name in ("bad_one", "bad_two"):
        Path(f"specs/{name}.opt").write_text(sgd("Bad").replace("lr*g", f"{name}*g"))
    result = optdsl("gen")
    assert result.code == 1
    assert "specs/bad_one.opt:4:10: error[O201]" in result.err
    assert "specs/bad_two.opt:4:10: error[O201]" in result.err
    assert python_files("made/numpy") == ["__init__.py", "sgd.py"]


def test_of_a_file_with_an_error_nothing_is_written(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd("Good") + sgd("Bad").replace("lr*g", "nothing*g"))
    assert optdsl("gen").code == 1
    assert not Path("made/numpy").exists()


def test_two_optimizers_of_one_file_name(project, optdsl):
    Path("specs/a.opt").write_text(sgd("Twice"))
    Path("specs/b.opt").write_text(sgd("TWICE"))
    result = optdsl("gen")
    assert result.code == 1
    assert (
        "numpy/twice.py would come from two optimizers: specs/a.opt and specs/b.opt" in result.err
    )
    assert python_files("made/numpy") == ["__init__.py", "sgd.py"]


def test_a_module_never_hides_what_it_imports(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd("Numpy"))
    optdsl("gen")
    assert python_files("made/numpy") == ["__init__.py", "numpy_.py"]


def test_a_folder_without_permission(project, optdsl, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere
    result = optdsl("gen")
    assert result.code == 1
    assert "cannot be written: Permission denied" in result.err


# -------------------------------------------------------------------- --check


def test_check_is_silent_about_what_is_up_to_date(project, optdsl):
    optdsl("gen")
    result = optdsl("gen", "--check")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("1 file compared")


def test_check_writes_nothing(project, optdsl):
    assert optdsl("gen", "--check").code == 1
    assert not Path("made").exists()


def drift_missing():
    MADE.unlink()


def drift_changed():
    Path("specs/sgd.opt").write_text(sgd().replace("0.01", "0.5"))


def drift_edited():
    MADE.write_text(MADE.read_text().replace("0.01", "0.5"))


@pytest.mark.parametrize(
    ("drift", "message"),
    [
        (drift_missing, "made/numpy/sgd.py is missing"),
        (drift_changed, "made/numpy/sgd.py is out of date"),
        (drift_edited, "made/numpy/sgd.py is edited by hand"),
    ],
)
def test_check_shows_what_differs(project, optdsl, drift, message):
    optdsl("gen")
    drift()
    before = MADE.read_text() if MADE.exists() else None
    result = optdsl("gen", "--check")
    assert result.code == 1
    assert result.err == f"error: {message}\n"
    assert "+++ made/numpy/sgd.py\n" in result.out
    assert (MADE.read_text() if MADE.exists() else None) == before


def test_check_misses_package_files(project, optdsl):
    optdsl("gen")
    Path("made/numpy/__init__.py").unlink()
    result = optdsl("gen", "--check")
    assert (result.code, result.err) == (1, "error: made/numpy/__init__.py is missing\n")


def test_files_whose_spec_is_gone(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    optdsl("gen")
    Path("specs/sgd.opt").unlink()
    stale = "made/numpy/sgd.py comes from no spec any more; delete it"
    result = optdsl("gen", "--check")
    assert (result.code, result.err) == (1, f"error: {stale}\n")
    result = optdsl("gen")
    assert (result.code, result.err) == (0, f"note: {stale}\n")
    assert MADE.exists()


def test_files_of_specs_that_were_not_asked_for_are_no_concern(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    optdsl("gen")
    for arguments in (["gen"], ["gen", "--check"]):
        result = optdsl(*arguments, "specs/other.opt")
        assert (result.code, result.err) == (0, "")


def test_a_spec_with_errors_does_not_make_its_file_stale(project, optdsl):
    (project / "specs" / "other.opt").write_text(sgd("Other"))
    optdsl("gen")
    Path("specs/sgd.opt").write_text("optimizer {\n")
    assert "comes from no spec" not in optdsl("gen", "--check").err


# --------------------------------------------------------------- hostile input

HOSTILE = [
    '"',
    '"" ""',
    "\\",
    "\\\\",
    "ends in a backslash \\",
    'quote and backslash \\"',
    "'''",
    "{{ 7*7 }}",
    "{% for x in y %}",
    "{# comment #}",
    "%s {0} {x}",
    "\\x41 \\N{DASH} \\u0041 \\n",
    "# coding: utf-16",
    "import os; os.abort()",
    "β − é 漢字 🙂",
    "<script>",
    "a\tb",
]


@pytest.mark.parametrize("target", ["numpy", "tf1", "keras_v2"])
@pytest.mark.parametrize("text", HOSTILE)
def test_documentation_stays_documentation(project, optdsl, text, target):
    """Every place that takes documentation gets it, in the form of quotes that can hold it."""
    spec = sgd().replace('"Plain steps down the gradient."', f'"""Doc. {text} .\n\n{text}\n"""')
    spec = spec.replace("[0, inf)", f'[0, inf) """Step. {text} ."""')
    Path("specs/sgd.opt").write_text(spec)
    result = optdsl("gen", "-t", target)
    assert result.code == 0, result.err
    module = ast.parse(Path(f"made/{target}/sgd.py").read_text())
    strings = {
        node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    squeezed = " ".join(" ".join(strings).split())
    assert f"Doc. {' '.join(text.split())} ." in squeezed


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "\u202e", "\u2028", "\x0c", "\x85", "a\rb"])
def test_characters_that_no_spec_may_hold(project, optdsl, text):
    spec = sgd().replace("Plain", text)
    Path("specs/sgd.opt").write_bytes(spec.encode())
    result = optdsl("gen")
    assert result.code == 1
    assert "error[O101]" in result.err
    assert not any(c in result.err for c in ("\x00", "\x1b", "\u202e", "\u2028", "\x0c", "\x85"))
    assert not MADE.exists()


@pytest.mark.parametrize(
    "name",
    ["a\nimport os.opt", 'a"""b.opt', "a'b.opt", "{{7*7}}.opt", "-t.opt", "a\x1bb.opt", "é.opt"],
)
def test_names_of_files_stay_in_their_comment(project, optdsl, name):
    optdsl("gen", "-o", "plain")
    Path("specs/sgd.opt").rename(Path("specs", name))
    assert optdsl("gen").code == 0
    plain, text = Path("plain/numpy/sgd.py").read_text(), MADE.read_text()
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(plain))
    assert optdsl("gen", "--check").code == 0


@pytest.mark.parametrize(
    "name", ["__import__", "eval", "exec", "lambda", "None", "self", "_x", "Σ", "a b"]
)
def test_names_of_optimizers(project, optdsl, name):
    """A hostile name is an error of the spec or harmless; never a traceback or a broken file."""
    Path("specs/sgd.opt").write_text(sgd(name))
    result = optdsl("gen")
    assert "Traceback" not in result.err
    if result.code == 0:
        for path in Path("made/numpy").glob("*.py"):
            ast.parse(path.read_text())
    else:
        assert "error[" in result.err


@pytest.mark.parametrize(
    "name", ["eval", "self", "np", "numpy", "float", "isinstance", "w_", "tf", "super"]
)
@pytest.mark.parametrize("target", ["numpy", "tf1", "keras_v2"])
def test_names_of_hyperparameters_and_aliases(project, optdsl, name, target):
    spec = sgd().replace("lr*g", f"{name}*g").replace("hyper lr", f"hyper {name}")
    Path("specs/sgd.opt").write_text(spec)
    Path("specs/alias.opt").write_text(sgd("Alias").replace("learning_rate", name))
    result = optdsl("gen", "-t", target)
    assert "Traceback" not in result.err
    for path in Path("made", target).glob("*.py"):
        compile(path.read_text(), str(path), "exec")


def test_the_second_lock(project, optdsl, monkeypatch):
    """Suppose that documentation could end its docstring: still nothing of it is written."""
    optdsl("gen")
    before = MADE.read_text()
    attack = 'Nice."""; import shutil; """'
    unescaped = lambda doc: doc.replace("Plain", attack)
    monkeypatch.setattr("optdsl.targets.text.escaped", unescaped)
    result = optdsl("gen", "--force")
    assert result.code == 1
    assert "was refused: line" in result.err
    assert "comes from no spec" not in result.err
    assert MADE.read_text() == before


# ---------------------------------------------------------------------- a kill


@pytest.mark.long
def test_a_killed_run_leaves_every_file_old_or_new(project):
    """SIGKILL in the middle of a run over the library, at several times."""
    command = [sys.executable, "-m", "optdsl", "gen", str(SPECS), "-o", "out"]
    subprocess.run(command, check=True, capture_output=True)
    whole = {p.name: p.read_text() for p in Path("out/numpy").glob("*.py")}
    for attempt in range(6):
        for path in list(Path("out/numpy").glob("*.py"))[attempt::2]:
            path.unlink()
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(0.4 + 0.35 * attempt)
        run.send_signal(signal.SIGKILL)
        run.wait()
        for path in Path("out/numpy").glob("*.py"):
            assert path.read_text() == whole[path.name]
    subprocess.run(command, check=True, capture_output=True)
    assert {p.name: p.read_text() for p in Path("out/numpy").glob("*.py")} == whole
