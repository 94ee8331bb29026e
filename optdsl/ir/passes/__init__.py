"""The passes, in the order in which they run. A pass takes a program and returns one."""

from __future__ import annotations

from collections.abc import Callable

from optdsl.ir.nodes import Program
from optdsl.ir.passes.evaluate import evaluate
from optdsl.ir.passes.fold import fold
from optdsl.ir.passes.hoist import hoist
from optdsl.ir.passes.prune import prune
from optdsl.ir.passes.share import share
from optdsl.ir.passes.split import split
from optdsl.ir.passes.unfill import unfill
from optdsl.ir.passes.untouched import untouched

PASSES: tuple[Callable[[Program], Program], ...] = (
    fold,  # arithmetic of literals
    unfill,  # numbers need no shape where they meet elements
    split,  # the step's part out of the body
    untouched,  # what rows without a gradient do
    hoist,  # the step's numbers out of the expressions that remain
    prune,  # what nothing needs
    share,  # what is there twice
    evaluate,  # the same for the weights for evaluation
)


def run_passes(program: Program) -> Program:
    """The program after all passes."""
    for run in PASSES:
        program = run(program)
    return program
