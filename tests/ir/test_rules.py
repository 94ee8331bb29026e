"""What the compiler makes of the library obeys the rules of programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from tests.ir.rules import verify_program

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.opt"))


@pytest.mark.parametrize("spec", SPECS, ids=[s.stem for s in SPECS])
def test_the_library(spec: Path) -> None:
    diagnostics = Diagnostics()
    for program in api.programs(Source(str(spec), spec.read_text()), diagnostics):
        verify_program(program)
    assert not diagnostics.has_errors
