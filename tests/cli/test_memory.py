"""What a second `optdsl gen` does not do again, and what it notices."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import optdsl as package
from optdsl import generation
from optdsl.resources import SPECS, TEMPLATES

from .conftest import sgd

MADE = Path("made/numpy/sgd.py")


def times(factor):
    return f"wrapper Times {{\n  update {{\n    g *= {factor}\n    inner\n  }}\n}}\n"


@pytest.fixture
def generated(monkeypatch):
    """The names of the specs that were generated so far."""
    names = []
    real = generation.generate

    def generate(spec, targets, findings):
        names.append(spec.name)
        return real(spec, targets, findings)

    monkeypatch.setattr(generation, "generate", generate)
    return names


def without_time(text):
    return text.rpartition("(")[0]


# --------------------------------------------------------- what is not done again


def test_a_second_run_generates_nothing_and_says_the_same(project, optdsl, generated, cache):
    Path("specs/other.opt").write_text(sgd("Other"))
    first = optdsl("gen")
    assert generated == ["specs/other.opt", "specs/sgd.opt"]
    assert len(list(cache.glob("run-*"))) == 1
    second = optdsl("gen")
    assert len(generated) == 2
    assert (second.code, second.err) == (0, "")
    assert without_time(second.out) == without_time(first.out).replace("2 written", "0 written")


def test_only_what_changed_is_generated(project, optdsl, generated):
    Path("specs/other.opt").write_text(sgd("Other"))
    optdsl("gen")
    Path("specs/sgd.opt").write_text(sgd().replace("0.01", "0.02"))
    optdsl("gen", "specs/sgd.opt")
    assert generated == ["specs/other.opt", "specs/sgd.opt", "specs/sgd.opt"]
    optdsl("gen")
    assert len(generated) == 3


def test_compositions_and_what_makes_no_file_are_known_too(project, optdsl, generated):
    Path("specs/times.opt").write_text(times(2))
    Path("specs/wrapped.opt").write_text("optimizer Wrapped = Times of Sgd\n")
    arguments = ("gen", "specs", "Times of Lookahead of Adam", "--library", "specs")
    for _ in range(2):
        assert optdsl(*arguments).code == 0
        assert len(generated) == 4


def test_a_run_that_has_nothing_to_do_imports_little(project):
    script = (
        "import sys; from optdsl import cli; cli.run(['gen']);"
        " print(sorted({'lark', 'jinja2', 'numpy', 'optdsl.api'} & set(sys.modules)))"
    )
    for expected in ("['jinja2', 'lark', 'optdsl.api']", "[]"):
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert run.stdout.endswith(f"{expected}\n"), run.stderr


# ----------------------------------------------------------------- what is noticed


def changed_spec():
    Path("specs/sgd.opt").write_text(sgd().replace("0.01", "0.5"))


def changed_part():
    Path("specs/times.opt").write_text(times(3))


def changed_part_of_the_library():
    Path("parts/deep.opt").write_text("optimizer Deep = Times of Momentum\n")


def nearer_part():
    """Beside the file it is found before the one of the built-in library."""
    Path("specs/adam.opt").write_text(sgd("Adam"))


def part_behind_a_link():
    Path("elsewhere/half.opt").write_text(times(0.25).replace("Times", "Half"))


def edited():
    MADE.write_text(MADE.read_text().replace("0.01", "0.5"))


def removed():
    MADE.unlink()


def made_a_link():
    shutil.move(MADE, "kept.py")
    MADE.symlink_to(Path("kept.py").absolute())


def changed_settings(old, new):
    file = Path("pyproject.toml")
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def other_targets():
    changed_settings('"numpy"', '"numpy", "tf1"')


def other_output():
    changed_settings('"made"', '"made_elsewhere"')


def other_library():
    changed_settings('"parts"', '"other_parts"')


@pytest.fixture
def composed(project):
    """A project with compositions of what lies beside, in a folder, behind a link and built in."""
    specs = {
        "specs/times.opt": times(2),
        "specs/wrapped.opt": "optimizer Wrapped = Times of Sgd\n",
        "specs/of_adam.opt": "optimizer OfAdam = Lookahead of Adam\n",
        "specs/of_deep.opt": "optimizer OfDeep = Lookahead of Deep\n",
        "specs/of_halved.opt": "optimizer OfHalved = Lookahead of Halved\n",
        "parts/deep.opt": "optimizer Deep = Times of Adam\n",
        "parts/times.opt": times(5),
        "other_parts/deep.opt": "optimizer Deep = SGD\n",
        "elsewhere/half.opt": times(0.5).replace("Times", "Half"),
        "elsewhere/halved.opt": "optimizer Halved = Half of Adam\n",
    }
    for name, text in specs.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    for folder in ("parts", "other_parts"):
        Path(folder, "halved.opt").symlink_to(Path("elsewhere/halved.opt").absolute())
    with open("pyproject.toml", "a") as file:
        file.write('library = ["parts"]\n')


ALL = {"of_adam", "of_deep", "of_halved", "sgd", "times", "wrapped"}
COMPOSED = {"of_adam", "of_deep", "of_halved", "wrapped"}


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (changed_spec, {"sgd", *COMPOSED}),
        (changed_part, {"times", *COMPOSED}),
        (changed_part_of_the_library, COMPOSED),
        (nearer_part, {"adam", *COMPOSED}),
        (part_behind_a_link, COMPOSED),
        (edited, {"sgd"}),
        (removed, {"sgd"}),
        (made_a_link, {"sgd"}),
        (other_targets, ALL),
        (other_output, ALL),
        (other_library, ALL),
    ],
)
def test_a_change_is_noticed(composed, optdsl, generated, change, again):
    first = optdsl("gen")
    assert (first.code, first.err) == (0, "")
    generated.clear()
    change()
    result = optdsl("gen")
    assert generated == sorted(f"specs/{name}.opt" for name in again)
    kept = change in (edited, made_a_link)
    assert result.code == kept, result.err
    assert optdsl("gen", "--check").code == kept


@pytest.mark.parametrize("name", ["sgd.opt", "sgd.txt"])
def test_a_file_that_changes_in_the_meantime_is_not_remembered(project, optdsl, monkeypatch, name):
    """It is changed between the two times that it is read, and then changed back."""
    spec, real = Path(name), generation.generate
    spec.write_text(sgd())

    def generate(*arguments):
        spec.write_text(sgd().replace("0.01", "0.5"))
        return real(*arguments)

    monkeypatch.setattr(generation, "generate", generate)
    optdsl("gen", name)
    monkeypatch.setattr(generation, "generate", real)
    spec.write_text(sgd())
    assert optdsl("gen", name).out.startswith("1 file in made: 1 written")


@pytest.mark.parametrize(
    "name", ["numpy/optimizer.py.jinja", "common/overrides.py.jinja", "render"]
)
def test_another_generator_is_noticed(project, name):
    """A copy of optdsl, of which one file is changed between two runs."""
    for folder in (Path(package.__file__).parent, TEMPLATES, SPECS):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(folder, project / "copy" / folder.name, ignore=ignored)
    changed = project / "copy" / ("optdsl/emit.py" if name == "render" else f"templates/{name}")
    command = [sys.executable, "-B", "-m", "optdsl", "gen"]

    def gen():
        options = {"env": {**os.environ, "PYTHONPATH": str(project / "copy")}, "text": True}
        return subprocess.run(command, capture_output=True, check=True, **options).stdout

    assert "1 written" in gen()
    assert "0 written" in gen()
    if name == "render":
        changed.write_text(changed.read_text().replace("Change the spec", "Mend the spec"))
    else:
        changed.write_text(changed.read_text() + "# Changed.\n")
    assert "1 written" in gen()
    assert ("Mend" if name == "render" else "# Changed.") in MADE.read_text()


# ------------------------------------------------------- what every run does and says


def test_warnings_are_told_by_every_run(project, optdsl):
    Path("specs/sgd.opt").write_text(sgd().replace("  update", "  slot unused\n  update"))
    first, second = optdsl("gen"), optdsl("gen")
    assert "warning[W" in first.err
    assert second.err == first.err


def test_errors_and_clashes_are_told_by_every_run(project, optdsl):
    Path("specs/bad.opt").write_text(sgd("Bad").replace("lr*g", "nothing*g"))
    Path("specs/a.opt").write_text(sgd("Twice"))
    Path("specs/b.opt").write_text(sgd("TWICE"))
    first, second = optdsl("gen"), optdsl("gen")
    assert first.code == second.code == 1
    assert "error[O201]" in first.err
    assert "would come from two optimizers" in first.err
    assert second.err == first.err


def test_files_whose_spec_is_gone_are_told_by_every_run(project, optdsl):
    Path("specs/other.opt").write_text(sgd("Other"))
    optdsl("gen")
    Path("specs/sgd.opt").unlink()
    first, second = optdsl("gen"), optdsl("gen")
    assert (
        second.err
        == first.err
        == "note: made/numpy/sgd.py comes from no spec any more; delete it\n"
    )


@pytest.mark.parametrize("option", ["--check", "--force"])
def test_check_and_force_generate_everything(project, optdsl, generated, option):
    optdsl("gen")
    optdsl("gen", option)
    assert generated == ["specs/sgd.opt", "specs/sgd.opt"]


def test_packages_are_made_again(project, optdsl):
    optdsl("gen")
    Path("made/numpy/__init__.py").unlink()
    optdsl("gen")
    assert Path("made/numpy/__init__.py").exists()


# ------------------------------------------------------------------ the cache folder


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}', "null", '"text"', "\x00\xff"])
def test_a_broken_memory_is_none(project, optdsl, generated, cache, text):
    optdsl("gen")
    (file,) = cache.glob("run-*")
    file.write_text(text)
    assert optdsl("gen").code == 0
    assert len(generated) == 2
    assert optdsl("gen").code == 0
    assert len(generated) == 2


def test_without_a_cache_folder_everything_works(project, optdsl, monkeypatch):
    Path("file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", "file")
    for written in (1, 0):
        result = optdsl("gen")
        assert (result.code, result.err) == (0, "")
        assert result.out.startswith(f"1 file in made: {written} written")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_folder_that_others_can_write_to_is_not_used(project, optdsl, cache):
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    optdsl("gen")
    assert list(cache.iterdir()) == []


def test_a_cache_folder_is_the_users_own(project, optdsl, cache):
    optdsl("gen")
    assert cache.stat().st_mode & 0o077 == 0
