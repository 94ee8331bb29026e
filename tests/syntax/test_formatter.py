"""What is printed reads back as the same tree, in the style of the language."""

import pytest
from hypothesis import given, settings

from optdsl.syntax.formatter import format_expression, format_file, format_statement
from tests.syntax import strategies
from tests.syntax.support import bare, expression, read_well, statements


@settings(deadline=None, max_examples=100)
@given(strategies.files)
def test_files_read_back(file):
    text = format_file(file)
    again = read_well(text)
    assert bare(again) == bare(file)
    assert format_file(again) == text


@settings(deadline=None, max_examples=300)
@given(strategies.expressions)
def test_expressions_read_back(expr):
    assert bare(expression(format_expression(expr))) == bare(expr)


@pytest.mark.parametrize(
    "text",
    [
        "b1*m + (1-b1)*g",
        "b2*v + (1-b2)*g^2",
        "lr*sqrt(1 - b2^t)/(1 - b1^t)",
        "alpha*m/(sqrt(d) + eps)",
        "-x^2",
        "(-x)^2",
        "2^-x",
        "a^b^c",
        "(a^b)^c",
        "-a*b + c",
        "-(a*b)",
        "a*(-b)",
        "a - (b-c)",
        "a - (b + f(c))",
        "a/(b*c)",
        "a/b*c",
        "a*(b*c)",
        "not (a and b) or c < d + 1",
        "(a or b) and c",
        "(a < b) == c",
        "where(t % k == 0, max(a, b + 1), -inf)",
        "sum(g, axis=[0, 1], keep=true)",
        "1e-7 + .5",
    ],
)
def test_style_of_expressions(text):
    assert format_expression(expression(text)) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a))*((b+c))", "a*(b+c)"),
        ("a**2", "a^2"),
        ("a+b", "a + b"),
        ("(a*b)+c", "a*b + c"),
        ("f( a,b )", "f(a, b)"),
    ],
)
def test_what_does_not_matter_is_left_out(text, printed):
    assert format_expression(expression(text)) == printed


def test_style_of_statements():
    text = "if a {\n  let x = 1\n} else if b {\n  inner\n} else {\n  every k {\n    w -= x\n  }\n}"
    (statement,) = statements(text)
    assert format_statement(statement) == text


def test_style_of_lists():
    text = "repeat b as i {\n  v[i-1] += b[i + (-1)]*v[0]\n  repeat 3 {\n    w -= b[1]^2\n  }\n}"
    (statement,) = statements(text)
    assert format_statement(statement) == text
    lines = "const b: int = [1, k] as c in [0, 2)", "slot v[b] as m, u[2]: scalar = b[0]"
    file = read_well("optimizer A {\n" + "\n".join(lines) + "\nupdate { }\n}")
    assert all(line in format_file(file) for line in lines)


def test_a_text_without_a_spelling_is_refused():
    file = read_well('optimizer A """two\nlines""" {\nupdate { }\n}')
    assert '"""two\nlines"""' in format_file(file)
    for doc in ('three """ quotes', 'a quote at the end"'):
        hostile = file.optimizers[0].__class__(
            *[getattr(file.optimizers[0], n) for n in ("name", "is_wrapper")],
            doc,
            *[getattr(file.optimizers[0], n) for n in ("declarations", "stages", "span")],
        )
        with pytest.raises(ValueError, match="quote"):
            format_file(file.__class__(file.source, (), (hostile,)))
