"""Compositions: looked up where they are declared now, and names that stay apart."""

from pathlib import Path

import numpy as np
import pytest

import optdsl
from optdsl.semantics.lookup import Library

INNER = "optimizer Inner {\n  hyper lr = 0.5 as learning_rate\n  update { w -= lr*g }\n}\n"


def codes(spec: str) -> list[str]:
    return [d.code for d in optdsl.check(spec) if d.is_error]


@pytest.mark.parametrize("target", ["numpy", "tf1", "keras_v2"])
@pytest.mark.parametrize("wrapper", ["Lookahead", "Accumulate"])
def test_the_same_wrapper_three_times(wrapper: str, target: str) -> None:
    text = optdsl.generate(f"optimizer Thrice = {wrapper} of {wrapper} of {wrapper} of SGD", target)
    slot = {"Lookahead": "slow", "Accumulate": "accumulator"}[wrapper]
    for name in (slot, f"{wrapper.lower()}2_{slot}", f"{wrapper.lower()}3_{slot}"):
        assert f'"{name}"' in text


WRAPPER = """
wrapper W {
  hyper learning_rate = 0.5
  slot a
  for tf1 { a as velocity }
  update {
    inner
    a += g
    w -= learning_rate*a
  }
}
optimizer O = W of Inner
"""


def test_arguments_that_would_have_one_public_name() -> None:
    inner = INNER.replace("update", "hyper x = 1 as inner_learning_rate\n  update")
    text = WRAPPER + inner.replace("g }", "g*x }")
    for target in ("numpy", "tf1", "keras_v2"):
        assert "class O" in optdsl.generate(text, target, "O")
    made = optdsl.load(text, "numpy", "O")(learning_rate=0.125, lr=0.25, x=2.0)
    assert (made.learning_rate, made.lr, made.x) == (0.125, 0.25, 2.0)


def test_slots_of_one_public_name_in_one_target() -> None:
    inner = INNER.replace("update { ", "slot v as velocity\n  update {\n  v = v/2 + g\n  ")
    text = optdsl.generate(WRAPPER + inner, "tf1", "O")
    assert '_Slot("velocity")' in text and '_Slot("inner_velocity")' in text


def test_an_infinite_integer() -> None:
    assert codes("optimizer O = Lookahead(k=inf) of Adam") == ["O402"]


def test_a_const_made_of_an_argument_stays_in_its_domain() -> None:
    inner = INNER.replace("update", "const a = 0.1\n  const b = 2*a in [0, 1]\n  update")
    part = "wrapper P { update { inner } }\noptimizer O = P of Inner"
    assert codes(f"{inner}{part}(a=0.5)") == []
    assert codes(f"{inner}{part}(a=10)") == ["O402"]


def test_files_that_change(tmp_path: Path) -> None:
    (tmp_path / "inner.opt").write_text(INNER)
    outer = tmp_path / "outer.opt"
    outer.write_text("optimizer Outer = Lookahead of Inner\n")
    assert optdsl.load(outer, "numpy")().lr == 0.5
    (tmp_path / "inner.opt").write_text(INNER.replace("0.5", "0.25"))
    assert optdsl.load(outer, "numpy")().lr == 0.25
    (tmp_path / "inner.opt").unlink()
    assert codes(outer) == ["O709"]


def test_what_a_text_says_declares_nothing(tmp_path: Path) -> None:
    doc = '"""\n  optimizer Inner is what this is not.\n  """'
    (tmp_path / "a.opt").write_text(INNER.replace("Inner", f"Other {doc}"))
    assert Library([tmp_path]).find("Inner", None) is None
    (tmp_path / "b.opt").write_text(INNER)
    assert Library([tmp_path]).find("Inner", None) == tmp_path / "b.opt"


def test_many_flags_take_bounded_time() -> None:
    count = 24
    slots = [f"flag f{i} = false\n  slot s{i} if f{i}" for i in range(count)]
    steps = [f"if f{i} {{\n s{i} = s{i}/2 + g\n w -= s{i}\n }}" for i in range(count)]
    text = "\n".join(["optimizer M {", *slots, "update {", *steps, "w -= g", "}", "}"])
    assert "class M" in optdsl.generate(text, "numpy")


BEHIND = """
wrapper Keep {
  slot a
  update {
    inner
    a = g
  }
}
optimizer One {
  update {
    g = 100*g
    w -= g
  }
}
optimizer Two {
  stage one { w -= g }
  stage two {
    g = 100*g
    w -= g
  }
}
optimizer KeepOne = Keep of One
optimizer KeepTwo = Keep of Two
"""


@pytest.mark.parametrize("name", ["KeepOne", "KeepTwo"])
def test_what_is_done_to_g_inside_is_not_seen_behind(name: str) -> None:
    optimizer, w, g = optdsl.load(BEHIND, "numpy", name)(), [np.ones(2)], [np.array([1.0, 2.0])]
    if name == "KeepOne":
        optimizer.update(w, g)
    else:
        optimizer.step(w, lambda params: g)
    assert optimizer.state_dict()["slots"][0]["a"].tolist() == [1, 2]


def test_a_slot_may_be_called_like_a_part_of_a_total() -> None:
    step = "part_of_total_1 = part_of_total_1/2 + g/(1 + total(sum(g^2)))\n  w -= part_of_total_1"
    text = f"optimizer P {{\n slot part_of_total_1\n update {{\n  {step}\n }}\n}}\n"
    optimizer, w = optdsl.load(text, "numpy")(), [np.ones(1)]
    optimizer.update(w, [np.ones(1)])
    assert w[0].tolist() == [0.5]
