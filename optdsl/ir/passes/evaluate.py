"""The weights for evaluation go through the passes that their equation needs."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Program
from optdsl.ir.passes.fold import fold
from optdsl.ir.passes.hoist import hoist
from optdsl.ir.passes.prune import prune
from optdsl.ir.passes.share import share
from optdsl.ir.passes.split import split
from optdsl.ir.passes.unfill import unfill


def evaluate(program: Program) -> Program:
    """Literals folded, the step's numbers in coefficients, nothing in it that is not needed."""
    if program.evaluation is None:
        return program
    alone = at_evaluation(program)
    for run in (fold, unfill, split, hoist, prune, share):
        alone = run(alone)
    evaluation = replace(program.evaluation, step=alone.step, rule=alone.rule)
    return replace(program, evaluation=evaluation)
