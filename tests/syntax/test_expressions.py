"""How expressions group, and where their parts stand."""

import pytest

from tests.syntax.support import expression, prefix


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("a + b - c", "(- (+ a b) c)"),
        ("a - (b - c)", "(- a (- b c))"),
        ("a + b*c", "(+ a (* b c))"),
        ("a/b*c % d", "(% (* (/ a b) c) d)"),
        ("a^b^c", "(^ a (^ b c))"),
        ("a**b", "(^ a b)"),
        ("-a^2", "(- (^ a 2))"),
        ("2^-x", "(^ 2 (- x))"),
        ("2^-x^-y", "(^ 2 (- (^ x (- y))))"),
        ("-a*b", "(* (- a) b)"),
        ("a*-b", "(* a (- b))"),
        ("a - -b", "(- a (- b))"),
        ("--a", "(- (- a))"),
        ("(a + b)^2", "(^ (+ a b) 2)"),
        ("a < b + c", "(< a (+ b c))"),
        ("a <-1", "(< a (- 1))"),
        ("not a < b", "(not (< a b))"),
        ("not not a", "(not (not a))"),
        ("a or b and not c", "(or a (and b (not c)))"),
        ("a and b and c", "(and (and a b) c)"),
        ("a == b or a != c", "(or (== a b) (!= a c))"),
        ("(a < b) == c", "(== (< a b) c)"),
        ("a >= b and a <= c and b > c", "(and (and (>= a b) (<= a c)) (> b c))"),
        ("true and false", "(and True False)"),
        ("f()", "(f)"),
        ("max(a, -b, c*d)", "(max a (- b) (* c d))"),
        ("sum(g^2, axis=0)", "(sum (^ g 2) axis=0)"),
        ("mean(g, axis=[0, -1])", "(mean g axis=[0 (- 1)])"),
        ("where(a < b, inf, pi)", "(where (< a b) inf pi)"),
        ("f(\n  a,\n\n  b # the second\n)", "(f a b)"),
    ],
)
def test_grouping(text, grouped):
    assert prefix(expression(text)) == grouped


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("007", 7),
        ("5.", 5.0),
        (".5", 0.5),
        ("1e-7", 1e-7),
        ("1.5E+3", 1500.0),
        ("1.e2", 100.0),
        ("1e308", 1e308),
        ("0e999", 0.0),
    ],
)
def test_numbers(text, value):
    number = expression(text)
    assert number.text == text
    assert number.value == value
    assert type(number.value) is type(value)


def test_spans_hold_the_parentheses():
    sum_ = expression("(a + b)*f(c)")
    assert sum_.span.text == "(a + b)*f(c)"
    assert sum_.left.span.text == "(a + b)"
    assert sum_.right.span.text == "f(c)"
    assert expression("-(a)").operand.span.text == "(a)"
