"""The weights for evaluation as a program of their own, for whatever works on programs."""

from __future__ import annotations

from dataclasses import replace

from optdsl.ir.nodes import Program


def at_evaluation(program: Program) -> Program:
    """A program whose step computes what stands for `w` at evaluation, and nothing else.

    Its declarations are those of `program`, which has to have an evaluation. `t` is the number of
    steps done.
    """
    assert program.evaluation is not None
    return replace(
        program,
        step=program.evaluation.step,
        shared_results=(),
        rule=program.evaluation.rule,
        untouched=(),
        phases=(),
        evaluation=None,
        kernels=(),
    )
