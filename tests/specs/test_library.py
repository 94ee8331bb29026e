"""Rules that every spec of the library keeps."""

import re
from pathlib import Path

import pytest

import optdsl
from optdsl.names import module_name
from optdsl.syntax import tree

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.opt"))


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def spec(request):
    return request.param


def test_there_are_enough():
    assert len(SPECS) >= 99


def test_no_findings(spec):
    assert [f"{d.code} {d.message}" for d in optdsl.check(spec)] == []


def test_one_optimizer_with_the_name_of_the_file(spec):
    (optimizer,) = optdsl.parse(spec).optimizers
    assert module_name(optimizer.name.text, spec.stem, []) == spec.stem


def test_documented(spec):
    """With the paper's year, and with what a sparse gradient does."""
    (optimizer,) = optdsl.parse(spec).optimizers
    arguments = (tree.Hyper, tree.Const, tree.Flag)
    assert re.search(r"\b(1[89]|20)\d\d\b", optimizer.doc)
    assert "sparse" in optimizer.doc.lower()
    declared = getattr(optimizer, "declarations", ())  # a composition has none of its own
    assert all(d.doc for d in declared if isinstance(d, arguments))


def test_lines_fit(spec):
    assert max(map(len, spec.read_text(encoding="utf-8").splitlines())) <= 100
