"""Lists and `repeat`: what they are written out to, and what generated classes make of them."""

import json
import textwrap

import numpy as np
import pytest

import optdsl
from optdsl.diagnostics import Diagnostics, Source
from optdsl.render import render_text
from optdsl.semantics import model
from optdsl.semantics.resolve import resolve
from optdsl.syntax.formatter import format_statement
from optdsl.syntax.parser import parse


def resolved(text: str) -> model.Optimizer:
    """The last optimizer of a spec without errors."""
    diagnostics = Diagnostics()
    file = parse(Source("lists.opt", text), diagnostics)
    assert file is not None, render_text(diagnostics.all)
    *_, last = resolve(file, diagnostics)
    assert not diagnostics.has_errors, render_text(diagnostics.all)
    return last


def body(declarations: str, statements: str) -> list[str]:
    """The lines of `update` with its lists and repeats written out."""
    optimizer = resolved(f"optimizer A {{\n{declarations}\nupdate {{\n{statements}\n}}\n}}")
    return [line for s in optimizer.body for line in format_statement(s).split("\n")]


@pytest.mark.parametrize(
    ("declarations", "statements", "expected"),
    [
        ("const b = [0, 0.9]", "w -= b[1]*g + b[0]", ["w -= b_1*g + b_0"]),
        ("const b = [1, 2]", "repeat b { w -= g }", ["w -= g", "w -= g"]),
        ("", "repeat 2 as i { w -= i*g }", ["w -= 0*g", "w -= 1*g"]),
        ("slot v[2]", "repeat v as i { v[1-i] += g }", ["v_1 += g", "v_0 += g"]),
        ("slot v[2]", "w -= size(v)*size(w)", ["w -= 2*size(w)"]),
        ("const b = [1, 2]\nconst b_0 = 3", "w -= b[0] + b_0", ["w -= b_0_ + b_0"]),
        ("const b = [1, 2]\ndef f(x) = b[1]*x", "w -= f(b[0])", ["w -= b_1*b_0"]),
        ("const b = [1, 2]\ndef f(b) = 2*b", "w -= f(g)", ["w -= 2*g"]),
        (
            "slot v[3]",
            "repeat v as i { if i > 0 { v[i] = v[i-1] } else { v[0] = g } }",
            ["v_0 = g", "v_1 = v_0", "v_2 = v_1"],
        ),
        (
            "",
            "let d = 1\nrepeat 2 as i {\nlet e = i\nd += e\n}\nlet e = d\nw -= e",
            ["let d = 1", "let e_0 = 0", "d += e_0", "let e_1 = 1", "d += e_1"]
            + ["let e = d", "w -= e"],
        ),
        (
            "",
            "repeat 2 as i {\nrepeat 2 as j {\nlet d = i - j\nw -= d\n}\n}",
            ["let d_0_0 = 0 - 0", "w -= d_0_0", "let d_0_1 = 0 - 1", "w -= d_0_1"]
            + ["let d_1_0 = 1 - 0", "w -= d_1_0", "let d_1_1 = 1 - 1", "w -= d_1_1"],
        ),
        (
            "flag f = true",
            "if f { repeat 2 { w -= g } }\nevery 3 { repeat 2 { w -= g } }",
            ["if f {", "  w -= g", "  w -= g", "}", "every 3 {", "  w -= g", "  w -= g", "}"],
        ),
        (
            "flag f = true",
            "if f {\nlet d = g\nw -= d\n}\nrepeat 2 {\nlet d = 1\nw -= d\n}",
            ["if f {", "  let d = g", "  w -= d", "}"]
            + ["let d_0 = 1", "w -= d_0", "let d_1 = 1", "w -= d_1"],
        ),
        ("", "repeat 2 as i { w -= sum(g, axis=i) }", []),
    ],
)
def test_written_out(declarations: str, statements: str, expected: list[str]) -> None:
    found = body(declarations, statements)
    assert found == (expected or ["w -= sum(g, axis=0)", "w -= sum(g, axis=1)"])


def test_the_entries_of_a_list_are_consts_with_one_public_name() -> None:
    optimizer = resolved(
        """
        optimizer A {
          const a = 0.5
          const b: int = [1, 2] as steps in [1, 5] "How many."
          slot v[b] as mean, m
          slot s[2]: scalar = a if a > 0
          update { w -= b[0]*v[0] + b[1]*v[1] + m + a }
        }
        """
    )
    _, *entries = optimizer.consts
    assert [(c.name, c.entry_of, c.index, c.public) for c in entries] == [
        ("b_0", "b", 0, "steps"),
        ("b_1", "b", 1, "steps"),
    ]
    assert all(c.is_int and c.doc == "How many." and c.domain.high == 5 for c in entries)
    assert [s.public for s in optimizer.slots] == ["mean_0", "mean_1", "m", "s_0", "s_1"]
    assert [s.scalar for s in optimizer.slots] == [False, False, False, True, True]


MEANS = """
wrapper Twice {
  const b = [0.5, 0.25] as betas in [0, 1]
  slot s[b] = w
  update {
    inner
    repeat b as i { s[i] += b[i]*(w - s[i]) }
    w = (s[0] + s[1])/2
  }
}
optimizer Means {
  hyper lr = 1
  const start = 0.25
  const b = [start, start^2, 0.5] as betas in [0, 1)
  slot v[b] as mean
  for keras_v2 {
    b as decays
    b = [0.5, 0.5, 0.5]
  }
  update {
    repeat b as i { v[i] = b[i]*v[i] + (1-b[i])*g }
    w -= lr*(v[0] + v[1] + v[2])
  }
}
optimizer Both = Twice(b=[0.75, 0.5]) of Means(betas=[0.1, start2, 0.3], start=0.5)
""".replace("start2", "0.2")


@pytest.fixture(scope="module")
def means() -> type:
    return optdsl.load(textwrap.dedent(MEANS), "numpy", optimizer="Means")


def test_a_composition_gives_each_entry_its_default() -> None:
    both = resolved(MEANS)
    assert [(c.name, c.public, c.default_value) for c in both.consts if c.entry_of] == [
        ("means_b_0", "means_betas", 0.1),
        ("means_b_1", "means_betas", 0.2),
        ("means_b_2", "means_betas", 0.3),
        ("b_0", "betas", 0.75),
        ("b_1", "betas", 0.5),
    ]
    assert {c.entry_of for c in both.consts} == {"", "b", "means_b"}


def test_what_a_target_says_of_a_list_holds_for_its_entries() -> None:
    settings = resolved(MEANS.rsplit("optimizer", 1)[0]).settings["keras_v2"]
    assert settings.defaults == {"b_0": 0.5, "b_1": 0.5, "b_2": 0.5}
    assert set(settings.public.values()) == {"decays"}


def test_a_default_made_of_constants_follows_them(means: type) -> None:
    assert means().b == means().betas == (0.25, 0.0625, 0.5)
    assert means(start=0.5).b == (0.5, 0.25, 0.5)
    assert means(start=0.5, betas=np.zeros(3)).b == (0.0, 0.0, 0.0)


def test_get_config_has_a_list_that_json_keeps(means: type) -> None:
    config = means(start=0.5).get_config()
    assert config["b"] == [0.5, 0.25, 0.5]
    assert means.from_config(json.loads(json.dumps(config))).get_config() == config


def test_the_rule_is_that_of_the_entries(means: type) -> None:
    w, mean, b = np.ones(2), np.zeros((3, 2)), np.array([[0.5], [0.25], [0.0]])
    optimizer, expected = means(lr=0.5, b=b[:, 0]), w.copy()
    for step in range(5):
        g = np.random.default_rng(step).standard_normal(2)
        optimizer.update([w], [g])
        mean = b * mean + (1 - b) * g
        expected -= 0.5 * mean.sum(axis=0)
        np.testing.assert_allclose(w, expected, rtol=1e-14)


def test_other_names_and_defaults_in_one_target() -> None:
    text = optdsl.generate(textwrap.dedent(MEANS), "keras_v2", optimizer="Means")
    assert "decays=(0.5, 0.5, 0.5)" in text


def test_a_repeat_in_a_schedule() -> None:
    schedule = optdsl.load(
        "schedule Root {\n"
        "  const x = 2\n"
        "  value {\n    value = x\n    repeat 5 { value = (value + x/value)/2 }\n  }\n}",
        "numpy",
    )
    assert schedule()(0) == pytest.approx(2**0.5, rel=1e-15)
