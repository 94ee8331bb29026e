"""Rules in which no element of a variable needs another."""

from __future__ import annotations

from optdsl.ir.build import ALONG, expressions, ops
from optdsl.ir.nodes import Rule
from optdsl.semantics.level import Level


def is_elementwise(rule: Rule) -> bool:
    """Whether the rule gives the same on a part of a variable as on the whole of it."""
    exprs = (*expressions(rule.body), *(r.value for r in rule.results))
    return not any(o.level == Level.VARIABLE or o.op in ALONG for e in exprs for o in ops(e))
