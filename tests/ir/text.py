"""Programs as short text, for assertions that a person can read."""

from __future__ import annotations

from optdsl.ir.nodes import Expr, Program
from optdsl.semantics.operators import OPERATORS
from optdsl.targets.functions import ProgramText, Style, print_program, static_printer
from optdsl.targets.naming import Names
from optdsl.targets.printer import ARITHMETIC, LOGIC, Form

_CALLS: dict[str, Form] = {
    name: f"{name}({', '.join(f'{{{i}}}' for i in range(o.most or 2))})"
    for name, o in OPERATORS.items()
}
_TABLE: dict[str, Form] = {**_CALLS, "fill": "fill({0})", **ARITHMETIC, **LOGIC}
_STYLE = Style(_TABLE, _TABLE, lambda v: f"{v.role}.{v.name}", "rank({0})", indent=0)


def text(program: Program) -> ProgramText:
    """The functions of a program with the spec's own function names."""
    return print_program(program, _STYLE)


def condition(expr: Expr | bool | None) -> str:
    """A condition of the level fixed."""
    if expr is None or isinstance(expr, bool):
        return str(expr)
    return static_printer(_STYLE, Names(frozenset())).expr(expr)
