"""The text and the data of diagnostics."""

import json

import pytest

from optdsl.diagnostics import Diagnostics, Note, Source, Span, SpecError
from optdsl.render import escape, render_json, render_text

SOURCE = Source("specs/adam.opt", "optimizer Adam {\n\tmm = b1*m # \x1b[31m\n}\n")


def found(*additions):
    diagnostics = Diagnostics()
    for addition in additions:
        diagnostics.add(*addition)
    return diagnostics.all


def span(text, source=SOURCE):
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def test_place_line_underline_help_and_note():
    note = Note("it is declared here", span("Adam"))
    diagnostics = found(("O201", "'mm' is not declared", span("mm"), "did you mean 'm'?", (note,)))
    assert render_text(diagnostics) == (
        "specs/adam.opt:2:2: error[O201]: 'mm' is not declared\n"
        "    2 |     mm = b1*m # \\x1b[31m\n"
        "      |     ^^ did you mean 'm'?\n"
        "specs/adam.opt:1:11: note: it is declared here\n"
        "    1 | optimizer Adam {\n"
        "      |           ^^^^"
    )
    assert str(SpecError(diagnostics)) == render_text(diagnostics)


def test_warnings_are_called_so():
    assert "warning[W204]: unused" in render_text(found(("W204", "unused", span("mm"))))


def test_a_place_over_lines_is_marked_to_the_end_of_the_first():
    whole = Span(SOURCE, 10, len(SOURCE.text))
    assert render_text(found(("O102", "message", whole))).endswith("          ^^^^^^")


def test_a_place_without_characters_has_a_mark():
    end = Span(SOURCE, len(SOURCE.text), len(SOURCE.text))
    assert render_text(found(("O104", "message", end))).endswith("    4 |\n      | ^")


def test_control_characters_are_escaped_everywhere():
    hostile = Source("a\n\x1b.opt", "x\u202ey\u2028\x07")
    text = render_text(found(("O101", "a\r\x9b\u200b", Span(hostile, 2, 3), "\0")))
    assert text == (
        "a\\n\\x1b.opt:1:3: error[O101]: a\\r\\x9b\\u200b\n"
        "    1 | x\\u202ey\\u2028\\x07\n"
        "      |        ^ \\x00"
    )
    assert escape("é β \U0001f600") == "é β \U0001f600"
    assert escape("\ud800\xa0") == "\\ud800\\xa0"


def test_wide_and_combining_characters_keep_the_mark_in_place():
    source = Source("a", "日本 e\u0301 x")
    assert render_text(found(("O102", "message", span("x", source)))).endswith("|        ^")


@pytest.mark.parametrize("start", [0, 5, 150, 295, 299])
def test_long_lines_are_shortened_around_the_place(start):
    text = "".join(chr(ord("a") + i % 26) for i in range(300))
    source = Source("a", text)
    _, line, mark = render_text(found(("O102", "m", Span(source, start, start + 1)))).split("\n")
    assert len(line) <= 8 + 98
    assert line[mark.index("^")] == text[start]
    assert ("…" in line[:10]) == (start > 100)
    assert line.endswith("…") == (start < 200)


def test_a_long_place_is_shortened():
    source = Source("a", "x" * 500)
    _, line, mark = render_text(found(("O102", "m", Span(source, 100, 400)))).split("\n")
    assert len(line) < 110
    assert "^" * 48 in mark


def test_after_fifty_the_rest_is_counted_and_errors_come_first():
    source = Source("a", "x" * 100)
    warnings = [("W204", f"warning {i}", Span(source, i, i)) for i in range(10)]
    errors = [("O102", f"error {i}", Span(source, i + 10, i + 10)) for i in range(49)]
    text = render_text(found(*warnings, *errors))
    assert text.count("error[") == 49
    assert text.count("warning[") == 1
    assert text.index("warning[") < text.index("error[")
    assert text.endswith("\n… and 9 more")


def test_nothing_found_is_nothing_said():
    assert render_text(()) == ""
    assert render_json(()) == []


def test_json():
    note = Note("here", span("Adam"))
    (data,) = render_json(found(("O201", "message", span("mm"), "help", (note,))))
    assert json.loads(json.dumps(data)) == {
        "code": "O201",
        "severity": "error",
        "message": "message",
        "help": "help",
        "file": "specs/adam.opt",
        "line": 2,
        "column": 2,
        "end_line": 2,
        "end_column": 4,
        "notes": [
            {
                "message": "here",
                "file": "specs/adam.opt",
                "line": 1,
                "column": 11,
                "end_line": 1,
                "end_column": 15,
            }
        ],
    }
