"""Every bad spec of tests/fixtures/bad/syntax gives exactly the messages of the file beside it."""

from pathlib import Path

import pytest

from optdsl.diagnostics import Diagnostics, Source
from optdsl.render import render_text
from optdsl.syntax.parser import parse, read_source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "bad" / "syntax"


def messages(path):
    diagnostics = Diagnostics()
    source = read_source(path, diagnostics)
    if source is not None:
        assert parse(Source(path.name, source.text), diagnostics) is None
    return render_text(diagnostics.all).replace(str(path), path.name) + "\n"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.opt")), ids=lambda p: p.stem)
def test_messages(path, update_golden):
    golden = path.with_suffix(".txt")
    found = messages(path)
    if update_golden:
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
