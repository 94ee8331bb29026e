"""Whether a program has to count its own steps.

Keras' `iterations` is not always the number of steps done: LossScaleOptimizer counts the steps that
it skips, too. For a bias correction that is Keras' convention. But where a rule does something at
one step, that step must not be one that is skipped, and a part with a clock of its own has counted
none of those.
"""

from __future__ import annotations

from collections.abc import Iterator

from optdsl.ir.build import expressions, ops, refs
from optdsl.ir.nodes import Block, Branch, Define, Expr, Program, Value

_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})


def counts(program: Program) -> bool:
    """Whether a decision in a step depends on its number, or a hyperparameter has a clock."""
    if any(hyper.clock for hyper in program.hypers):
        return True
    blocks = (program.step, *(phase.step for phase in program.phases))
    return any(_decides(block) for block in blocks) or any(
        _compares(result.value, frozenset()) for result in program.shared_results
    )


def _decides(block: Block) -> bool:
    """Whether a comparison in a block of a step depends on `t`."""
    late = frozenset(_late(block))
    return any(_compares(expr, late) for expr in expressions(block))


def _late(block: Block, known: frozenset[Value] = frozenset()) -> Iterator[Value]:
    """The values that depend on `t`."""
    for statement in block:
        found: list[Value] = []
        if isinstance(statement, Define):
            found = [statement.value] if _depends(statement.expr, known) else []
        else:
            found = list(_sides(statement, known))
        known |= frozenset(found)
        yield from found


def _sides(branch: Branch, known: frozenset[Value]) -> Iterator[Value]:
    inner = [*_late(branch.then, known), *_late(branch.orelse, known)]
    yield from inner
    known |= frozenset(inner)
    for merge in branch.merges:
        if any(_depends(e, known) for e in (branch.condition, merge.then, merge.orelse)):
            yield merge.value


def _compares(expr: Expr, late: frozenset[Value]) -> bool:
    return any(op.op in _COMPARISONS and _depends(op, late) for op in ops(expr))


def _depends(expr: Expr, late: frozenset[Value]) -> bool:
    return any(value.role == "step" or value in late for value in refs(expr))
