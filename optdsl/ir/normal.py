"""A normal form of expressions, in which two that are equal by the rules of algebra are the same.

It is a sum of products: 2*a*b - a/c is {a b: 2, a c^-1: -1}. What is multiplied are atoms: values,
states, unknown numbers, and functions of other sums. Rounding is left out of account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import isfinite
from typing import TypeAlias

from optdsl.ir.build import FILL, op
from optdsl.ir.nodes import Expr, Literal_, Op, Ref, Value
from optdsl.semantics.level import Level


@dataclass(frozen=True)
class State:
    """A state, before the step or after it."""

    name: str
    is_new: bool


@dataclass(frozen=True)
class Unknown:
    """A number that a comparison has to find."""

    name: str


@dataclass(frozen=True)
class Function:
    op: str
    args: tuple[Sum, ...]


Atom: TypeAlias = Value | State | Unknown | Function
#: Atoms and their exponents.
Product: TypeAlias = tuple[tuple[Atom, int], ...]


@dataclass(frozen=True)
class Sum:
    """Products and their coefficients, none of them 0, in a fixed order."""

    terms: tuple[tuple[Product, Fraction], ...]

    @property
    def number(self) -> Fraction | None:
        """The value of a sum without atoms."""
        if not self.terms:
            return Fraction(0)
        ((atoms, factor),) = self.terms[:1]
        return factor if len(self.terms) == 1 and not atoms else None


#: Powers of sums up to this are multiplied out.
_MULTIPLIED_OUT = 4


def constant(number: float | Fraction) -> Sum:
    """A number."""
    return _sum({(): Fraction(number)})


def atom(of: Atom, exponent: int = 1) -> Sum:
    """A power of one atom."""
    return _sum({((of, exponent),): Fraction(1)})


def add(left: Sum, right: Sum) -> Sum:
    """The sum of two."""
    terms = dict(left.terms)
    for atoms, factor in right.terms:
        terms[atoms] = terms.get(atoms, Fraction(0)) + factor
    return _sum(terms)


def times(left: Sum, right: Sum) -> Sum:
    """The product of two, multiplied out."""
    terms: dict[Product, Fraction] = {}
    for (a, x), (b, y) in product(left.terms, right.terms):
        atoms = _product(a, b)
        terms[atoms] = terms.get(atoms, Fraction(0)) + x * y
    return _sum(terms)


def negative(of: Sum) -> Sum:
    """The sum with the other sign."""
    return times(constant(-1), of)


def power(base: Sum, exponent: Sum) -> Sum:
    """A power: of an integer exponent multiplied out, else a function, or a power of the root."""
    n = exponent.number
    if base.number == 1:
        return base
    if n is None or n.denominator > 2:
        return atom(Function("pow", (base, exponent)))
    if n.denominator == 2:
        return atom(Function("pow", (base, constant(Fraction(1, 2)))), n.numerator)
    if len(base.terms) == 1:
        ((atoms, factor),) = base.terms
        return _sum({tuple((a, e * int(n)) for a, e in atoms if n): factor ** int(n)})
    if 0 <= n <= _MULTIPLIED_OUT:
        result = constant(1)
        for _ in range(int(n)):
            result = times(result, base)
        return result
    if not base.terms:
        return constant(0) if n > 0 else atom(Function("pow", (base, exponent)))
    return atom(Function("sum", (base,)), int(n))


def function(name: str, args: tuple[Sum, ...]) -> Sum:
    """Some other function; the arguments of min and max in a fixed order."""
    return atom(Function(name, tuple(sorted(args, key=repr)) if name in ("min", "max") else args))


def is_scalar(of: Atom) -> bool:
    """Whether it is the same for all elements of all variables."""
    if isinstance(of, Function):
        return all(is_scalar(a) for arg in of.args for atoms, _ in arg.terms for a, _ in atoms)
    return isinstance(of, Unknown) or (isinstance(of, Value) and of.level <= Level.STEP)


def replaced(of: Sum, known: Mapping[Atom, Sum]) -> Sum:
    """The sum with atoms replaced."""
    result = constant(0)
    for atoms, factor in of.terms:
        term = constant(factor)
        for a, exponent in atoms:
            term = times(term, power(_replaced(a, known), constant(exponent)))
        result = add(result, term)
    return result


def _replaced(of: Atom, known: Mapping[Atom, Sum]) -> Sum:
    if of in known:
        return known[of]
    if not isinstance(of, Function):
        return atom(of)
    args = tuple(replaced(arg, known) for arg in of.args)
    if of.op == "sum":
        return args[0]
    return power(*args) if of.op == "pow" else function(of.op, args)


def _sum(terms: Mapping[Product, Fraction]) -> Sum:
    return Sum(tuple(sorted(((p, x) for p, x in terms.items() if x), key=repr)))


def _product(left: Product, right: Product) -> Product:
    exponents = dict(left)
    for a, exponent in right:
        exponents[a] = exponents.get(a, 0) + exponent
    return tuple(sorted(((a, e) for a, e in exponents.items() if e), key=repr))


# ---------------------------------------------------------------- from expressions and back


def normal(expr: Expr, look_up: Callable[[Value], Sum]) -> Sum:
    """The normal form of an expression; `look_up` gives that of a value."""
    if isinstance(expr, Ref):
        return look_up(expr.value)
    if isinstance(expr, Literal_):
        if expr.is_bool or not isfinite(expr.value):
            return function(f"literal {expr.value}", ())
        return constant(expr.value)
    return _applied(expr, tuple(normal(a, look_up) for a in expr.args))


def _applied(expr: Op, args: tuple[Sum, ...]) -> Sum:
    match expr.op, args:
        case "add", (left, right):
            return add(left, right)
        case "sub", (left, right):
            return add(left, negative(right))
        case "mul", (left, right):
            return times(left, right)
        case "div", (left, right):
            return times(left, power(right, constant(-1)))
        case "neg", (arg,):
            return negative(arg)
        case "sqrt", (arg,):
            return power(arg, constant(Fraction(1, 2)))
        case "pow", (base, exponent):
            if expr.args[0].level < Level.ELEMENT == expr.level:
                return function("exp", (times(function("log", (base,)), exponent),))
            return power(base, exponent)
        case name, (arg,) if name == FILL:
            return arg
    return function(expr.op, args)


def expression(of: Sum) -> Expr:
    """An expression of values whose normal form this is."""
    positive = [(p, x) for p, x in of.terms if x > 0] + [(p, x) for p, x in of.terms if x < 0]
    result: Expr | None = None
    for atoms, factor in positive:
        term = _term(atoms, abs(factor))
        if result is None:
            result = term if factor > 0 else op("neg", term)
        else:
            result = op("add" if factor > 0 else "sub", result, term)
    return Literal_(0.0) if result is None else result


def _term(atoms: Product, factor: Fraction) -> Expr:
    above = [_to_the(a, e) for a, e in atoms if e > 0]
    below = [_to_the(a, -e) for a, e in atoms if e < 0]
    if factor != 1 or not above:
        above.insert(0, Literal_(float(factor)))
    result = above[0]
    for part in above[1:]:
        result = op("mul", result, part)
    for part in below:
        result = op("div", result, part)
    return result


def _to_the(of: Atom, exponent: int) -> Expr:
    base = _of_atom(of)
    return base if exponent == 1 else op("pow", base, Literal_(exponent))


def _of_atom(of: Atom) -> Expr:
    assert isinstance(of, Value | Function), "an expression has values and functions only"
    if isinstance(of, Value):
        return Ref(of)
    if of.op == "sum":
        return expression(of.args[0])
    args = tuple(map(expression, of.args))
    if of.op == "pow" and of.args[1].number == Fraction(1, 2):
        return op("sqrt", args[0])
    return op(of.op, *args)
