"""Simplification of a rule once something in it is known. It holds for finite numbers only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from optdsl.ir.build import ALONG, FILL, is_literal, op, rewrite, substitute
from optdsl.ir.nodes import (
    Block,
    Branch,
    Define,
    Expr,
    Literal_,
    Merge,
    Op,
    Ref,
    Result,
    Rule,
    Statement,
    Value,
    W,
)  # fmt: skip
from optdsl.ir.passes.fold import fold_expr
from optdsl.semantics.level import Level
from optdsl.semantics.operators import OPERATORS

#: Functions that are 0 at 0.
_ZERO_AT_ZERO = frozenset(
    f"neg sqrt abs sign log1p expm1 tanh floor ceil round cbrt div mod {FILL} "
    "sum mean norm rms amax amin sum_along mean_along amax_along amin_along".split()
)
#: Functions that Python refuses to compute at some places, where g = 0 may lead; by their names in
#: NumPy, which gives the infinity or NaN that a step has there.
_POLES = {
    "div": "divide", "mod": "mod", "pow": "power", "sqrt": "sqrt", "exp": "exp", "expm1": "expm1",
    "log": "log", "log1p": "log1p",
}  # fmt: skip
ZERO = Literal_(0)


def simplify(
    rule: Rule, known: dict[Value, Expr], rests: Callable[[Define], bool] = lambda define: False
) -> Rule:
    """The rule with the `known` values put in, simplified; definitions that became a literal or
    another value are gone. Where a definition `rests`, the state stays what it was before.
    """
    known = dict(known)
    body = _block(_resting(rule.body, rests), known)
    results = tuple(Result(r.state, substitute(r.value, known)) for r in rule.results)
    return replace(rule, body=body, results=results)


def _resting(block: Block, rests: Callable[[Define], bool]) -> Block:
    def change(statement: Statement) -> Statement:
        if isinstance(statement, Branch):
            then, orelse = _resting(statement.then, rests), _resting(statement.orelse, rests)
            return replace(statement, then=then, orelse=orelse)
        if statement.before is not None and rests(statement):
            return replace(statement, expr=statement.before)
        return statement

    return tuple(map(change, block))


def _block(block: Block, known: dict[Value, Expr]) -> Block:
    return tuple(new for s in block for new in _statement(s, known))


def _statement(statement: Statement, known: dict[Value, Expr]) -> Block:
    if isinstance(statement, Branch):
        return _branch(statement, known)
    if statement.value in known:
        return ()
    expr = simplify_expr(substitute(statement.expr, known))
    stays = isinstance(expr, Ref) and expr.value.name == statement.value.name
    if stays or _is_plain(expr):
        known[statement.value] = expr
        return ()
    return (replace(statement, expr=shaped(expr, statement.value.level)),)


def shaped(expr: Expr, level: Level) -> Expr:
    """What became one number for all elements keeps the shape of the variable."""
    if level < Level.ELEMENT or expr.level == Level.ELEMENT or expr.is_bool:
        return expr
    return op(FILL, expr)


def _is_plain(expr: Expr) -> bool:
    """A literal, a literal spread out, or what a state was before the step: as good as a name."""
    if isinstance(expr, Op):
        return expr.op == FILL and isinstance(expr.args[0], Literal_)
    return isinstance(expr, Literal_) or expr.value.version == 0


def _branch(branch: Branch, known: dict[Value, Expr]) -> Block:
    condition = simplify_expr(substitute(branch.condition, known))
    if isinstance(condition, Literal_):
        side = _block(branch.then if condition.value else branch.orelse, known)
        for merge in branch.merges:
            chosen = merge.then if condition.value else merge.orelse
            known.setdefault(merge.value, substitute(chosen, known))
        return side
    then, orelse = _block(branch.then, known), _block(branch.orelse, known)
    merges = []
    for merge in branch.merges:
        sides = substitute(merge.then, known), substitute(merge.orelse, known)
        if merge.value in known:
            continue
        if sides[0] == sides[1]:
            known[merge.value] = sides[0]
        else:
            level = merge.value.level
            merges.append(Merge(merge.value, shaped(sides[0], level), shaped(sides[1], level)))
    if not (then or orelse or merges):
        return ()
    return (Branch(condition, then, orelse, tuple(merges), branch.text),)


def simplify_expr(expr: Expr) -> Expr:
    """One expression, with what follows from zeros."""
    return rewrite(fold_expr(expr), _simplify)


def _simplify(expr: Expr) -> Expr:
    if not isinstance(expr, Op):
        return expr
    zero = [_is_zero(a) for a in expr.args]
    if expr.op in ("add", "sub") and any(zero):
        return _sum(expr, *zero)
    if _vanishes(expr, zero):
        return ZERO
    if expr.op in ALONG:
        return op(expr.op, shaped(expr.args[0], Level.ELEMENT), *expr.args[1:])
    if expr.op in OPERATORS and OPERATORS[expr.op].reduction:
        return op(expr.op, *(_reduced(expr.op, a) for a in expr.args))
    if expr.op in ("min", "max", "where") and expr.args[-1] == expr.args[-2]:
        return expr.args[-1]
    folded = fold_expr(expr) if expr.op in OPERATORS else expr
    literals = [a.value for a in expr.args if isinstance(a, Literal_)]
    if folded is not expr or expr.op not in _POLES or len(literals) < len(expr.args):
        return folded
    return Literal_(_at_pole(_POLES[expr.op], literals))


def _reduced(reduction: str, expr: Expr) -> Expr:
    """What a reduction is of; where only its shape counts, the variable will do."""
    if reduction in ("rank", "size") and expr.level < Level.ELEMENT:
        return Ref(W)
    return shaped(expr, Level.ELEMENT)


def _at_pole(function: str, arguments: Iterable[float]) -> float:
    import numpy as np  # here, for it takes a third of the time of a run, and poles are rare

    with np.errstate(all="ignore"):
        return float(getattr(np, function)(*map(np.float64, arguments)))


def _sum(expr: Op, left_is_zero: bool, right_is_zero: bool) -> Expr:
    """The sum or difference of a number and 0."""
    left, right = expr.args
    if right_is_zero:
        return left
    return right if expr.op == "add" else op("neg", right)


def _vanishes(expr: Op, zero: list[bool]) -> bool:
    """Whether an operator other than a sum is 0 because arguments are."""
    if expr.op in ("mul", "dot"):
        return any(zero)
    if expr.op == "pow":
        return zero[0] and _is_positive(expr.args[1])
    return zero[0] and expr.op in _ZERO_AT_ZERO


def _is_zero(expr: Expr) -> bool:
    spread = isinstance(expr, Op) and expr.op == FILL and is_literal(expr.args[0], 0)
    return spread or is_literal(expr, 0)


def _is_positive(expr: Expr) -> bool:
    return isinstance(expr, Literal_) and expr.value > 0
