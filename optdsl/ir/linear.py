"""Where a new state is the old one times a number."""

from __future__ import annotations

from collections.abc import Mapping

from optdsl.ir.build import op
from optdsl.ir.nodes import Expr, Literal_, Op, Ref, Value
from optdsl.ir.passes.fold import fold_expr
from optdsl.semantics.level import Level


def factor_of(expr: Expr, state: Value, definitions: Mapping[Value, Expr]) -> Expr | None:
    """F where `expr` is f * state with f the same for all elements; None where it is not."""
    match expr:
        case Ref(value=value) if value == state:
            return Literal_(1)
        case Ref(value=value) if value in definitions:
            return factor_of(definitions[value], state, definitions)
        case Op(op="neg", args=(arg,)):
            inner = factor_of(arg, state, definitions)
            return None if inner is None else fold_expr(op("neg", inner))
        case Op(op="mul", args=(left, right)):
            for number, rest in ((left, right), (right, left)):
                inner = factor_of(rest, state, definitions)
                if inner is not None and number.level < Level.ELEMENT:
                    return fold_expr(op("mul", number, inner))
        case Op(op="div", args=(left, right)) if right.level < Level.ELEMENT:
            inner = factor_of(left, state, definitions)
            return None if inner is None else fold_expr(op("div", inner, right))
        case Op(op="add" | "sub" as name, args=(left, right)):
            sides = factor_of(left, state, definitions), factor_of(right, state, definitions)
            if sides[0] is not None and sides[1] is not None:
                return fold_expr(op(name, sides[0], sides[1]))
    return None
