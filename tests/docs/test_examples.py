"""Every example in the documentation works, and every table in it is complete."""

import re
from pathlib import Path

import pytest

import optdsl
from optdsl.catalogue import CATALOGUE
from optdsl.semantics.operators import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(opt|opt \w+|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind):
    """(page, number of the line, text) of the code blocks of one kind."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            if found.group(1) == kind:
                line = text.count("\n", 0, found.start()) + 2
                yield pytest.param(found.group(2), id=f"{page.name}:{line}")


def wrong_examples():
    """(code, text) of the examples in errors.md that bring a diagnostic about."""
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    for kind, text in BLOCK.findall(page):
        if re.match(r"opt [OW]\d", kind):
            yield pytest.param(kind.split()[1], text, id=kind.split()[1])


def as_optimizer(fragment):
    """A fragment is some lines of an optimizer; what it does not say is put around it."""
    update = "" if "update {" in fragment else "update { w -= g }\n"
    return f"optimizer Fragment {{\n{fragment}{update}}}\n"


@pytest.mark.parametrize("text", list(blocks("opt")))
def test_spec_is_fine(text):
    assert [d.message for d in optdsl.check(text)] == []


@pytest.mark.parametrize("text", list(blocks("opt fragment")))
def test_fragment_has_no_errors(text):
    assert [d.message for d in optdsl.check(as_optimizer(text)) if d.is_error] == []


@pytest.mark.parametrize(("code", "text"), list(wrong_examples()))
def test_wrong_example_brings_its_code_about(code, text):
    whole = code == "O109" or re.search("^(optimizer|wrapper|schedule) ", text, re.MULTILINE)
    spec = text if whole else as_optimizer(text)
    assert code in [d.code for d in optdsl.check(spec)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_runs(page, tmp_path, monkeypatch):
    """The Python of a page, in order, beside the specs of the page that begin with their name."""
    monkeypatch.chdir(tmp_path)
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    for kind, text in found:
        name = re.match(r"# (\w+\.opt)\n", text)
        if kind == "opt" and name:
            (tmp_path / name.group(1)).write_text(text, encoding="utf-8")
    exec("\n".join(text for kind, text in found if kind == "python"), {})


def test_every_code_is_explained():
    headings = re.findall(r"^### (.*)$", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert headings == [f"{code} {entry.title}" for code, entry in CATALOGUE.items()]


def test_every_function_is_listed():
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    table = page.split("<!-- functions: begin")[1].split("<!-- functions: end")[0]
    listed = set(re.findall(r"`(\w+)\(", table))
    assert listed == {*FUNCTIONS, "uses"}


def test_every_optimizer_is_listed():
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/optimizers.md").read_text(), re.MULTILINE)
    specs = (path.read_text(encoding="utf-8") for path in (ROOT / "specs").glob("*.opt"))
    declared = [
        name for text in specs for name in re.findall(r"^(?:optimizer|wrapper) (\w+)", text, re.M)
    ]
    assert set(declared) <= set(listed)
    assert len(listed) >= len(declared)


def test_every_schedule_is_listed():
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/schedules.md").read_text(), re.MULTILINE)
    specs = (path.read_text(encoding="utf-8") for path in (ROOT / "specs/schedules").glob("*.opt"))
    declared = [name for text in specs for name in re.findall(r"^schedule (\w+)", text, re.M)]
    assert set(listed) == set(declared)
    assert len(listed) == len(declared)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("http"):
            path, _, anchor = target.partition("#")
            aim = (page.parent / path) if path else page
            assert aim.exists(), target
            assert not anchor or anchor in anchors(aim), target


def anchors(page):
    """What the headings of a Markdown page are called in links."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
