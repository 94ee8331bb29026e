"""What the README says comes out does come out."""

import os
import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
TEXT = README.read_text(encoding="utf-8")
EXCERPT = re.compile(r"`generated/(\w+)/(my_adam\.py)`.*?\n```py\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("target", "name", "excerpt"), EXCERPT.findall(TEXT))
def test_excerpts(project, optdsl, target, name, excerpt):
    Path("my_adam.opt").write_text(re.search(r"```opt\n(.*?)```", TEXT, re.DOTALL).group(1))
    assert optdsl("gen", "my_adam.opt", "-t", target).code == 0
    generated = Path("made", target, name).read_text()
    for part in excerpt.split("    ...\n"):
        assert part in generated


def test_there_is_an_excerpt_of_each_target():
    assert [target for target, *_ in EXCERPT.findall(TEXT)] == ["numpy", "tf1", "keras_v2"]


def test_every_command_is_there(optdsl):
    text = optdsl("--help").out
    assert all(f"`optdsl {name} " in TEXT for name in re.findall(r"^  (\w+)  ", text, re.MULTILINE))


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert [link for link in links if not os.path.exists(README.parent / link)] == []
