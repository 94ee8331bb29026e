"""Conditions of the level fixed: which of them follow from which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from optdsl.semantics.limits import MAX_FIXED_CONDITIONS
from optdsl.syntax import tree
from optdsl.syntax.formatter import format_expression


def conjuncts(condition: tree.Expr) -> tuple[tree.Expr, ...]:
    """The parts that hold when the condition holds."""
    match condition:
        case tree.Binary(op="and", left=left, right=right):
            return conjuncts(left) + conjuncts(right)
        case _:
            return (condition,)


def refuted(condition: tree.Expr) -> tuple[tree.Expr, ...]:
    """The parts that do not hold when the condition does not hold."""
    match condition:
        case tree.Binary(op="or", left=left, right=right):
            return refuted(left) + refuted(right)
        case _:
            return (condition,)


def negation(condition: tree.Expr) -> tree.Expr:
    """`not condition`."""
    return tree.Unary("not", condition, condition.span)


def atoms(condition: tree.Expr) -> set[str]:
    """The conditions that it is made of by `and`, `or` and `not`, as text."""
    match condition:
        case tree.Unary(op="not", operand=operand):
            return atoms(operand)
        case tree.Binary(op="and" | "or", left=left, right=right):
            return atoms(left) | atoms(right)
        case tree.Boolean():
            return set()
        case _:
            return {format_expression(condition)}


def holds(condition: tree.Expr, truths: Mapping[str, bool]) -> bool:
    """Whether the condition holds when its atoms are as given."""
    match condition:
        case tree.Unary(op="not", operand=operand):
            return not holds(operand, truths)
        case tree.Binary(op="and", left=left, right=right):
            return holds(left, truths) and holds(right, truths)
        case tree.Binary(op="or", left=left, right=right):
            return holds(left, truths) or holds(right, truths)
        case tree.Boolean(value=value):
            return value
        case _:
            return truths[format_expression(condition)]


def implies(path: Iterable[tree.Expr], condition: tree.Expr) -> bool:
    """Whether `condition` holds wherever all of `path` does.

    False, to be safe, where more atoms than MAX_FIXED_CONDITIONS are involved.
    """
    relevant = tuple(path)
    names = sorted(atoms(condition).union(*map(atoms, relevant)))
    if len(names) > MAX_FIXED_CONDITIONS:
        return False
    cases = (dict(zip(names, v, strict=True)) for v in product((False, True), repeat=len(names)))
    return all(
        holds(condition, case) for case in cases if all(holds(part, case) for part in relevant)
    )
