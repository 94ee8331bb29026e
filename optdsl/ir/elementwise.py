"""Rules in which no element of a variable needs another."""

from __future__ import annotations

from optdsl.ir.build import ALONG, expressions, ops
from optdsl.ir.nodes import Branch, Op, Rule
from optdsl.semantics.level import Level


def is_elementwise(rule: Rule) -> bool:
    """Whether the rule gives the same on a part of a variable as on the whole of it."""
    exprs = (*expressions(rule.body), *(r.value for r in rule.results))
    return not any(o.level == Level.VARIABLE or o.op in ALONG for e in exprs for o in ops(e))


def has_sums_alone(rule: Rule) -> bool:
    """Whether elements need nothing of others but sums, which decide of no branch."""
    exprs = (*expressions(rule.body), *(r.value for r in rule.results))
    branches = [s for s in rule.body if isinstance(s, Branch)]
    return all(_is_sum_or_simple(o) for e in exprs for o in ops(e)) and not any(
        b.condition.level == Level.VARIABLE for b in branches
    )


def _is_sum_or_simple(o: Op) -> bool:
    of_elements = any(a.level == Level.ELEMENT for a in o.args)
    return o.op not in ALONG and (
        o.level != Level.VARIABLE or o.op in ("sum", "norm", "dot") or not of_elements
    )
