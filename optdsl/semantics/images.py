"""Ranges of expressions: the images of ranges, and what is known because operands are related."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING

from optdsl.semantics import intervals as iv
from optdsl.semantics.intervals import Range
from optdsl.semantics.operators import OPERATORS
from optdsl.semantics.values import Value, factors

if TYPE_CHECKING:
    from optdsl.semantics.facts import Facts


def image(op: str, args: tuple[Value, ...], facts: Facts) -> Range:
    """The range of an operator's result, as far as its operands tell."""
    if op not in iv.IMAGES:
        return iv.REALS  # a truth value
    if op == "where":
        condition, x, y = args
        return _choice(condition, x, y, facts)
    if OPERATORS[op].reduction:
        facts = facts.uniform()
    found = iv.IMAGES[op](*map(facts.range, args))
    match op:
        case "add" | "sub":
            return _sum(op, args, found, facts)
        case "mul":
            powers = map(facts.range, _powers(args, facts))
            return iv.both(found, reduce(iv.mul, powers))
        case "div" if args[0] is args[1]:
            return iv.both(found, iv.ONE)
        case "dot" if args[0] is args[1]:
            return iv.both(found, iv.NONNEGATIVE)
        case _:
            return found


def _choice(condition: Value, x: Value, y: Value, facts: Facts) -> Range:
    """Each of the two under its condition; only one where the condition is known."""
    truth = facts.truth(condition)
    if truth is not None:
        return facts.range(x if truth else y)
    if not facts.are_none:  # cases within cases would be too many
        return iv.hull(facts.range(x), facts.range(y))
    cases = ((x, facts.assume(condition, True)), (y, facts.assume(condition, False)))
    return _hull(case.range(value) for value, case in cases if case)


def _hull(ranges: Iterable[Range]) -> Range:
    found = list(ranges)
    return reduce(iv.hull, found) if found else iv.EVERYTHING


def _powers(values: tuple[Value, ...], facts: Facts) -> list[Value]:
    """The different factors of a product, those that occur n times as powers."""
    counts = Counter(f for v in values for f in factors(v))
    graph = facts.graph
    return [f if n == 1 else graph.make("pow", f, graph.number(n)) for f, n in counts.items()]


def _sum(op: str, args: tuple[Value, ...], found: Range, facts: Facts) -> Range:
    """What is known of x + y or x - y beyond the sum of their ranges."""
    x, y = args
    if op == "sub" and x is y:
        return iv.ZERO
    parts = _powers((y,), facts)
    signs = [f.args[0] for f in parts if f.op == "sign" and facts.range(f).point is None]
    if signs and facts.splits:  # v - (1-b)*sign(v - x)*x is not below 0, if v and x are not
        return _hull(image(op, args, case) for case in facts.cases(signs[0]))
    if op == "sub" and facts.at_least(x, y):
        found = iv.both(found, iv.NONNEGATIVE)
    for i, part in enumerate(parts):
        others = (facts.range(f) for f in (*parts[:i], *parts[i + 1 :]))
        scale = reduce(iv.mul, others, iv.ONE if op == "add" else iv.only(-1.0))
        found = iv.both(found, _moved(x, part, scale, facts))
    return found


def _moved(x: Value, y: Value, scale: Range, facts: Facts) -> Range:
    """What is known of x + scale*y because y is made of x, or compared with it."""
    if y.op == "sub" and x in y.args:  # a part of the way from x to the other, or away from it
        start, end = y.args
        if iv.within(scale if end is x else iv.neg(scale), iv.UNIT):
            return iv.hull(facts.range(start), facts.range(end))
    if facts.at_least(x, y) and facts.range(y).low[0] >= 0 and scale.low[0] >= -1:
        return iv.NONNEGATIVE
    return iv.EVERYTHING
