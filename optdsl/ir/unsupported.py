"""What the IR can say but this version cannot yet generate; it is refused, never guessed at."""

from __future__ import annotations

from optdsl.diagnostics import Diagnostics
from optdsl.ir.build import ops, refs
from optdsl.ir.nodes import Block, Define, Expr, Program
from optdsl.semantics.operators import OPERATORS


def check_supported(program: Program, diagnostics: Diagnostics) -> None:
    """O901 for reductions where parts of a composition differ in their policies; and for a hybrid
    policy with reductions where something reads `w` after it has moved.

    Such a rule runs on the dense form of the gradient, where `w` is kept on the other rows at the
    end of the step only: what reads it before would see it moved there.
    """
    whole = [u for u in program.untouched if u.densify is not False]
    if any(u.policy.startswith("mixed") for u in whole):
        diagnostics.add(
            "O901",
            "parts with different sparse policies, of which one looks at whole variables or has "
            "several stages, are not supported in this version",
            program.span,
            "give the parts the same policy",
        )
    coupled = any(u.policy == "hybrid" for u in whole)
    if coupled and _reads_moved_variable(program.rule.body):
        diagnostics.add(
            "O901",
            "'sparse hybrid' for a rule with reductions that reads 'w' after it was assigned is "
            "not supported in this version",
            program.span,
            "read 'w' before it is assigned, or choose exact or lazy",
        )


def _reads_moved_variable(block: Block) -> bool:
    for statement in block:
        if isinstance(statement, Define):
            own = statement.value.name == "w"
            if _reduces_moved(statement.expr) or (not own and _has_moved(statement.expr)):
                return True
        elif (
            _has_moved(statement.condition)
            or _reads_moved_variable(statement.then)
            or _reads_moved_variable(statement.orelse)
        ):
            return True
    return False


def _has_moved(expr: Expr) -> bool:
    return any(v.name == "w" and v.version > 0 for v in refs(expr))


def _reduces_moved(expr: Expr) -> bool:
    return any(o.op in OPERATORS and OPERATORS[o.op].reduction and _has_moved(o) for o in ops(expr))
