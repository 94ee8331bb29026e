"""Rules that every spec of the library keeps."""

import re
from pathlib import Path

import pytest

import optdsl
from optdsl.names import module_name
from optdsl.syntax.formatter import format_file

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.opt"))


@pytest.fixture(params=SPECS, ids=lambda path: path.stem)
def spec(request):
    return request.param


def test_there_are_enough():
    assert len(SPECS) >= 24


def test_no_findings(spec):
    assert [f"{d.code} {d.message}" for d in optdsl.check(spec)] == []


def test_one_optimizer_with_the_name_of_the_file(spec):
    (optimizer,) = optdsl.parse(spec).optimizers
    assert module_name(optimizer.name.text, spec.stem, []) == spec.stem


def test_documented(spec):
    """With the paper's year, and with what a sparse gradient does."""
    (optimizer,) = optdsl.parse(spec).optimizers
    assert re.search(r"\b(1[89]|20)\d\d\b", optimizer.doc)
    assert "sparse" in optimizer.doc.lower()
    assert all(d.doc for d in optimizer.declarations if isinstance(d, ARGUMENTS))


def test_formatted(spec):
    text = spec.read_text(encoding="utf-8")
    assert format_file(optdsl.parse(spec)) == text
    assert max(map(len, text.splitlines())) <= 100


ARGUMENTS = (
    optdsl.syntax.tree.Hyper,
    optdsl.syntax.tree.Const,
    optdsl.syntax.tree.Flag,
)
