"""Declarations, statements, files: what each form becomes."""

import subprocess
import sys
from pathlib import Path

import pytest

from optdsl.diagnostics import Diagnostics
from optdsl.syntax import tree
from optdsl.syntax.limits import MAX_FILE_BYTES
from optdsl.syntax.parser import read_source
from tests.syntax.support import bare, codes, declarations, prefix, read_well, statements

SPECS = Path(__file__).parents[2] / "specs"


def only(declaration):
    (found,) = declarations(declaration)
    return found


# ---------------------------------------------------------------- declarations


def test_hyper():
    hyper = only('hyper lr = 1e-3 as learning_rate in [0, inf) "The step."')
    assert (hyper.name.text, hyper.default.value, hyper.doc) == ("lr", 1e-3, "The step.")
    assert hyper.public.text == "learning_rate"
    assert (hyper.domain.low_closed, hyper.domain.high_closed) == (True, False)
    assert (hyper.domain.low.value, hyper.domain.high.text) == (0, "inf")
    assert hyper.domain.span.text == "[0, inf)"
    assert hyper.span.text.startswith("hyper lr")


def test_hyper_that_must_be_given():
    hyper = only("hyper lr as learning_rate in (0, 1]")
    assert hyper.default is None
    assert (hyper.domain.low_closed, hyper.domain.high_closed) == (False, True)


def test_const_and_flag():
    assert only("const k: int = 2*3 as period").is_int
    assert not only("const k: real = 0.5").is_int
    assert not only("const k = -1 in [-1, 1]").is_int
    flag = only('flag nesterov = false as use_nesterov "Text"')
    assert (flag.default.value, flag.public.text, flag.doc) == (False, "use_nesterov", "Text")


def test_slot():
    plain = only("slot m, v as second")
    assert [n.name.text for n in plain.names] == ["m", "v"]
    assert [n.public and n.public.text for n in plain.names] == [None, "second"]
    assert (plain.scalar, plain.initial, plain.condition) == (False, None, None)
    full = only('slot n as count: scalar = 1 if f and not h "Text"')
    assert (full.scalar, full.initial.value, full.doc) == (True, 1, "Text")
    assert prefix(full.condition) == "(and f (not h))"


def test_shared():
    shared = only('shared p as mu_product = 1 if f "Text"')
    assert (shared.public.text, shared.initial.value, shared.doc) == ("mu_product", 1, "Text")
    assert shared.condition.text == "f"


def test_sparse():
    assert only("sparse hybrid").policy.text == "hybrid"
    assert prefix(only("sparse lazy if uses(mu)").condition) == "(uses mu)"


def test_def():
    definition = only('def debias(x, b) = x/(1 - b^t) "Text"')
    assert [p.text for p in definition.parameters] == ["x", "b"]
    assert prefix(definition.body) == "(/ x (- 1 (^ b t)))"
    assert only("def one() = 1").parameters == ()


def test_settings():
    target = only("for tf1 {\nclass A\neps = 1e-8\nb1 as beta1\norder b1, name, eps\norder = 2\n}")
    assert target.target.text == "tf1"
    kinds = [type(s) for s in target.settings]
    assert kinds == [
        tree.SetClass,
        tree.SetDefault,
        tree.SetPublic,
        tree.SetOrder,
        tree.SetDefault,
    ]
    assert [n.text for n in target.settings[3].names] == ["b1", "name", "eps"]


def test_words_of_declarations_are_names_elsewhere():
    words = "hyper const flag slot shared sparse def for update stage class order optimizer".split()
    words += "wrapper int real scalar exact hybrid lazy lambda name".split()
    found = declarations(*[f"hyper {w} = 1" for w in words])
    assert [d.name.text for d in found] == words
    found = statements(*[f"{w} = {w} + 1" for w in words])
    assert [s.target.text for s in found] == words
    found = only("for tf1 {\n" + "\n".join(f"{w} as x" for w in words) + "\n}").settings
    assert [s.name.text for s in found] == words


@pytest.mark.parametrize("word", "and or not true false if else let every inner as in of".split())
def test_reserved_words(word):
    spec = "optimizer A {{\nhyper {} = 1\nupdate {{ w -= g }}\n}}"
    assert codes(spec.format(word)) == ["O203"]


# ------------------------------------------------------------------ statements


def test_assignments():
    found = statements("w = g", "w += g", "w -= g", "w *= g", "w /= g", "let x = g", "inner")
    assert [s.op for s in found[:5]] == ["=", "+=", "-=", "*=", "/="]
    assert found[5].name.text == "x"
    assert isinstance(found[6], tree.Inner)
    assert found[2].span.text == "w -= g"


@pytest.mark.parametrize("gap", [" ", "\n", "\n\n  # why\n"])
def test_else_stands_behind_the_brace_or_on_a_next_line(gap):
    (found,) = statements("if a {\nw = 1\n}" + gap + "else if b { w = 2 }" + gap + "else { w = 3 }")
    assert prefix(found.condition) == "a"
    (other,) = found.orelse
    assert prefix(other.condition) == "b"
    assert [s.value.value for s in (*found.then, *other.then, *other.orelse)] == [1, 2, 3]
    assert (found.span.text, other.span.text) == ("if a", "else if b")


def test_indentation_means_nothing_where_braces_match():
    spec = "      optimizer A {\nhyper lr = 1\n  update {\nif a {\n      w = 1\n            }\n"
    spec += "     else {\nw = 2\n  }\n        w = 3\n}\n          }\n"
    (optimizer,) = read_well(spec).optimizers
    branch, last = optimizer.stages[0].body
    assert (len(branch.then), len(branch.orelse), last.value.value) == (1, 1, 3)


def test_nested_blocks():
    (outer,) = statements("every 2*k { if a { w = 1 } else { } }")
    assert prefix(outer.count) == "(* 2 k)"
    (inner,) = outer.body
    assert (len(inner.then), inner.orelse) == (1, ())


# ----------------------------------------------------------------------- files


def test_lists_and_repeat():
    (const, slot) = declarations(
        "const b: int = [1, 2] as betas in [0, 3]", "slot v[b] as m, u, s[2]"
    )
    assert isinstance(const.default, tree.List) and const.is_int and const.public.text == "betas"
    assert [bare(i) for i in const.default.items] == [("Number", "1", 1), ("Number", "2", 2)]
    counts = [n.count and n.count.span.text for n in slot.names]
    assert counts == ["b", None, "2"] and slot.names[0].public.text == "m"
    (repeat, alone) = statements("repeat b as i {", "v[i-1] += b[i]", "}", "repeat 3 { }")
    assert (repeat.index.text, repeat.span.text) == ("i", "repeat b as i")
    (assign,) = repeat.body
    assert (assign.target.text, assign.index.span.text, assign.op) == ("v", "i-1", "+=")
    assert (assign.value.name.text, assign.value.span.text) == ("b", "b[i]")
    assert alone.index is None and alone.body == ()


def test_stages():
    (optimizer,) = read_well(
        "optimizer A {\nstage one { w = g }\nstage two { w = g }\n}"
    ).optimizers
    assert [s.name.text for s in optimizer.stages] == ["one", "two"]


def test_wrapper_and_compositions():
    wrapper, ranger, chain = read_well(
        'wrapper L "Text" {\nupdate { inner }\n}\n'
        'optimizer R "Doc" = L(k=6, alpha=1/2) of B()\n'
        "optimizer C = L of L of B\n"
    ).optimizers
    assert (wrapper.is_wrapper, wrapper.doc) == (True, "Text")
    assert (ranger.doc, [p.name.text for p in ranger.parts]) == ("Doc", ["L", "B"])
    assert [(n.text, prefix(v)) for n, v in ranger.parts[0].arguments] == [
        ("k", "6"),
        ("alpha", "(/ 1 2)"),
    ]
    assert ranger.parts[0].span.text == "L(k=6, alpha=1/2)"
    assert [p.name.text for p in chain.parts] == ["L", "L", "B"]


def test_definitions_of_a_file():
    file = read_well("def f(x) = x\noptimizer A { update { w = f(g) } }\ndef h() = 1")
    assert [d.name.text for d in file.definitions] == ["f", "h"]


def test_texts_are_literal():
    spec = 'optimizer A """{}""" {{\nhyper lr = 1 "{}"\nupdate {{ w = g }}\n}}'
    (found,) = read_well(spec.format('\\alpha "x"\r\n  # {', "\\n # } // ; ")).optimizers
    assert found.doc == '\\alpha "x"\n  # {'
    assert found.declarations[0].doc == "\\n # } // ; "


def test_line_ends_and_byte_order_mark():
    spec = "optimizer A {\n  # comment\n  hyper lr = 1\n  update {\n    w -= lr*(g\n + 1)\n  }\n}\n"
    plain = bare(read_well(spec))
    assert bare(read_well(spec.replace("\n", "\r\n"))) == plain
    assert bare(read_well("\ufeff" + spec)) == plain
    assert bare(read_well(spec.rstrip("\n"))) == plain
    assert bare(read_well(spec.replace("  ", "\t"))) == plain


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.opt")), ids=lambda p: p.stem)
def test_the_library_reads(path):
    assert read_well(path.read_text(encoding="utf-8")).optimizers


# --------------------------------------------------------------------- sources


def test_read_source(tmp_path):
    path = tmp_path / "a.opt"
    path.write_bytes(b"\xef\xbb\xbfoptimizer \xc3\xa9\r\n")
    source = read_source(path, Diagnostics())
    assert (source.name, source.text) == (str(path), "optimizer é\r\n")


def test_read_source_that_is_too_large(tmp_path):
    path = tmp_path / "a.opt"
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    diagnostics = Diagnostics()
    assert read_source(path, diagnostics) is None
    assert [d.code for d in diagnostics.all] == ["O105"]
    path.write_bytes(b"#" * MAX_FILE_BYTES)
    assert read_source(path, Diagnostics()) is not None


def test_read_source_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "missing.opt"):
        with pytest.raises(OSError):
            read_source(path, Diagnostics())


def test_importing_the_parser_imports_no_lark():
    code = "import sys, optdsl.syntax.parser, optdsl.render; assert 'lark' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
