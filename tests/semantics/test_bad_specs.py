"""Specs with faults of meaning: every finding, its place and its mend, as the user reads it."""

from pathlib import Path

import pytest

from optdsl.catalogue import CATALOGUE
from optdsl.diagnostics import Diagnostics, Source
from optdsl.render import render_text
from optdsl.semantics.resolve import resolve
from optdsl.semantics.resolve_schedule import resolve_schedules
from optdsl.syntax.parser import parse

FOLDER = Path(__file__).parents[1] / "fixtures" / "bad" / "semantics"
SPECS = sorted(FOLDER.glob("*.opt"))


def findings(path: Path) -> Diagnostics:
    """What resolving a spec reports; the name of its source is the bare file name."""
    diagnostics = Diagnostics()
    file = parse(Source(path.name, path.read_text("utf-8")), diagnostics)
    assert file is not None, render_text(diagnostics.all)
    resolve(file, diagnostics)
    resolve_schedules(file, diagnostics)
    return diagnostics


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_findings(path: Path, update_golden: bool) -> None:
    text = render_text(findings(path).all) + "\n"
    golden = path.with_suffix(".txt")
    if update_golden:
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


def test_every_code_of_this_part_has_a_fixture() -> None:
    seen = {d.code for path in SPECS for d in findings(path).all}
    mine = {c for c in CATALOGUE if c[:2] in ("O2", "O3", "O4", "O5", "O6", "O7", "W2")}
    assert mine - seen == set()


def test_a_definition_that_doubles_ends_soon() -> None:
    found = findings(FOLDER / "blow_up.opt").all
    assert [d.code for d in found] == ["O105"]
