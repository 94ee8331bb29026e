import pytest

from optdsl.config import ConfigError
from optdsl.discover import find_specs
from optdsl.resources import SPECS


def names(given, folder, root=None):
    return [s.name for s in find_specs(given, base=folder, root=root or folder)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b.opt", "a.opt", "sub/c.opt", "sub/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_in_the_order_given_and_folders_by_name(folder):
    assert names(["b.opt", "."], folder) == ["b.opt", "a.opt", "sub/c.opt"]


def test_a_file_counts_once_however_it_is_called(folder):
    (folder / "link.opt").symlink_to("a.opt")
    assert names(["a.opt", "./sub/../a.opt", "link.opt"], folder) == ["a.opt"]


def test_a_name_of_the_library(folder):
    (spec,) = find_specs(["adam"], base=folder, root=folder)
    assert spec.path == SPECS / "adam.opt"
    assert spec.title == "optdsl/specs/adam.opt"


def test_a_file_goes_before_the_library(folder):
    (folder / "adam").write_text("")
    assert names(["adam"], folder) == ["adam"]


def test_titles_do_not_depend_on_the_machine(folder):
    (spec,) = find_specs(["sub/c.opt"], base=folder, root=folder)
    assert spec.title == "sub/c.opt"
    (spec,) = find_specs(["sub/c.opt"], base=folder, root=folder / "elsewhere")
    assert spec.title == "c.opt"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("adm", "there is no spec 'adm'; did you mean 'adam'?"),
        ("c.opt", "there is no spec 'c.opt'"),
        ("sub/d.opt", "there is no spec 'sub/d.opt'; did you mean 'c.opt'?"),
        ("../../etc/passwd.opt", "there is no spec"),
        ("..//adam", "there is no spec"),
        ("a\nb", "there is no spec"),
        ("no/such/folder", "there is no spec 'no/such/folder'"),
        pytest.param("x" * 5000, "there is no spec", id="long"),
        pytest.param("a\0b", "there is no spec", id="null"),
    ],
)
def test_what_is_not_there(folder, given, message):
    with pytest.raises(ConfigError) as error:
        find_specs([given], base=folder, root=folder)
    assert str(error.value).startswith(message)


def test_a_folder_without_specs(folder):
    (folder / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"the folder 'empty' holds no \.opt files"):
        find_specs(["empty"], base=folder, root=folder)
