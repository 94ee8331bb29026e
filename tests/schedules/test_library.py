"""Rules that every schedule of the library keeps, and that every target computes it."""

from pathlib import Path

import pytest

import optdsl
from optdsl.names import module_name
from optdsl.syntax import tree
from optdsl.syntax.formatter import format_file
from optdsl.verify import verify, verify_all
from tests.support import ROOT

SPECS = sorted((Path(ROOT) / "specs" / "schedules").glob("*.opt"))
TARGETS = ["numpy", "tf1", "keras_v2"]


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def spec(request):
    return request.param


def test_there_are_enough():
    assert len(SPECS) >= 12


def test_no_findings(spec):
    assert [f"{d.code} {d.message}" for d in optdsl.check(spec)] == []


def test_one_schedule_with_the_name_of_the_file(spec):
    file = optdsl.parse(spec)
    (schedule,) = file.schedules
    assert not file.optimizers
    assert module_name(schedule.name.text, spec.stem, []) == spec.stem


def test_documented(spec):
    (schedule,) = optdsl.parse(spec).schedules
    arguments = (tree.Const, tree.ListConst, tree.Flag)
    assert schedule.doc
    assert all(d.doc for d in schedule.declarations if isinstance(d, arguments))


def test_formatted_it_means_the_same(spec):
    text = format_file(optdsl.parse(spec))
    assert format_file(optdsl.parse(text)) == text
    for target in TARGETS:
        assert body(optdsl.generate(text, target)) == body(optdsl.generate(spec, target))


def body(text):
    """A generated module without its header."""
    return text.split('"""', 1)[1]


@pytest.mark.parametrize("target", TARGETS)
def test_the_generated_file_is_up_to_date(spec, target):
    path = Path(ROOT) / "generated" / target / f"{spec.stem}.py"
    assert body(path.read_text(encoding="utf-8")) == body(optdsl.generate(spec, target))


def test_numpy(spec):
    report = verify(spec, "numpy")
    assert report.ok and report.rows, report.table()


@pytest.mark.tf
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_tensorflow(target):
    report = verify_all([(spec, ()) for spec in SPECS], target)
    assert report.ok and report.rows, report.table()
