"""No text raises anything, and each is read in bounded time."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optdsl.diagnostics import Diagnostics
from optdsl.render import render_json, render_text
from optdsl.syntax.limits import MAX_BLOCKS, MAX_DEPTH, MAX_FILE_BYTES, MAX_TOKENS
from optdsl.syntax.parser import read_source
from tests.syntax.support import codes, read

pytestmark = pytest.mark.long

SPECS = [
    p.read_text(encoding="utf-8") for p in sorted(Path(__file__).parents[2].glob("specs/*.opt"))
]
FRAGMENTS = """
optimizer A {|wrapper|def f(x) =|hyper lr = 1|const k: int|slot m, v|slot|shared p = 1|sparse lazy
for tf1 {|update {|stage x {|let|if|else|every k {|inner|as|in [0, 1)|of|and|not|true
{|}|(|)|[|]|,|:|+|-|*|/|^|**|=|==|+=|<|"|\"\"\"|#|;|'|β|−|“|1e9|2x|.5|9e999|\t|\r|\r\n|\0|\u202e|\ufeff|\u00a0|é|\ud800
""".replace("\n", "|").split("|")
texts = st.lists(st.sampled_from([*FRAGMENTS, "\n", " "]) | st.text(max_size=3), max_size=40)


def check(text):
    file, found = read(text)
    assert (file is None) == bool(found)
    assert len(render_json(found)) == len(found)
    for diagnostic in found:
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)
    rendered = render_text(found)
    assert all(c.isprintable() or c in "\n" for c in rendered)


@settings(deadline=None, max_examples=500)
@given(texts.map("".join) | texts.map(" ".join))
def test_random_fragments(text):
    check(text)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_mutated_specs(data):
    text = data.draw(st.sampled_from(SPECS))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from(["", *FRAGMENTS])) + text[end:]
    check(text)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_random_bytes(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "a.opt"
    path.write_bytes(data)
    diagnostics = Diagnostics()
    source = read_source(path, diagnostics)
    if source is None:
        assert [d.code for d in diagnostics.all] == ["O108"]
        render_text(diagnostics.all)
    else:
        check(source.text)


def in_update(body):
    return f"optimizer A {{\nupdate {{\n{body}\n}}\n}}\n"


ROOM = MAX_FILE_BYTES - 100
HOSTILE = {
    "statements": in_update("w -= lr*m/(sqrt(v) + eps)\n" * (ROOM // 26)),
    "chain": in_update("w = " + "a+" * (ROOM // 2) + "a"),
    "parentheses": in_update("w = " + "(" * (ROOM // 2) + "a" + ")" * (ROOM // 2)),
    "open parentheses": in_update("w = max(\n" * (ROOM // 10)),
    "minus": in_update("w = " + "-" * ROOM + "a"),
    "braces": "{" * ROOM,
    "closing braces": "}" * ROOM,
    "blocks": in_update("if a { " * (ROOM // 10) + "}" * (ROOM // 10)),
    "else if": in_update("if a { }" + "\n else if a { }" * (ROOM // 16)),
    "headers": in_update("if a\n" * (ROOM // 5)),
    "no statements": in_update("x\n" * (ROOM // 2)),
    "quotes": '"\n' * (ROOM // 2),
    "smart quotes": "“" * (ROOM // 3),
    "line ends": "\r" * ROOM,
    "controls": "\0\1" * (ROOM // 2),
    "digits": in_update("w = " + "1" * ROOM),
    "name": in_update("w = " + "é" * (ROOM // 2)),
    "operators": in_update("w = " + "?" * ROOM),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_time_is_bounded(text):
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 15


# ---------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    "grow",
    [
        lambda n: "+".join(["g"] * n),
        lambda n: "^".join(["g"] * n),
        lambda n: "(" * n + "g" + ")" * n,
        lambda n: "-" * n + "g",
        lambda n: "f(" * n + "g" + ")" * n,
        lambda n: "not " * n + "g",
    ],
)
def test_depth_of_expressions(grow):
    assert codes(in_update(f"w = {grow(MAX_DEPTH - 5)}")) == []
    assert codes(in_update(f"w = {grow(MAX_DEPTH + 1)}")) == ["O105"]


def test_depth_of_blocks():
    def nested(n):
        return in_update("if a { " * n + "w = g" + " }" * n)

    def chained(n):
        return in_update("if a { }" + " else if a { }" * (n - 1))

    for grow in (nested, chained):
        assert codes(grow(MAX_BLOCKS)) == []
        assert codes(grow(MAX_BLOCKS + 1)) == ["O105"]


def test_length_of_a_line():
    values = ", ".join("a" * (MAX_TOKENS // 2 - 2))
    assert codes(in_update(f"w = f({values})")) == []
    assert codes(in_update(f"w = f({values}, a, a)")) == ["O105"]


def test_size_of_a_text():
    comment = "#" * (MAX_FILE_BYTES + 1 - len(in_update("w = g")))
    assert codes(in_update("w = g") + comment[1:]) == []
    assert codes(in_update("w = g") + comment) == ["O105"]


def test_many_errors_end():
    assert len(codes(in_update("x y\n" * 5000))) == 1001
