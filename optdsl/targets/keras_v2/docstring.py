"""The docstring of a generated class."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from optdsl.ir.nodes import Program
from optdsl.targets.documentation import docstring, documented, equations, indented, listed
from optdsl.targets.keras_v2.arguments import Argument
from optdsl.targets.layout import WIDTH
from optdsl.targets.tensorflow.docstring import OVERRIDES
from optdsl.targets.text import Documentation

_NAME = "name: The name of the optimizer, in front of those of its variables."
_CLIPPING = "clipnorm, clipvalue and global_clipnorm"
_DECAY = "decay, by which the learning rate becomes lr / (1 + decay * steps done)"
_STAGES = (
    "A step takes gradients in several places: `minimize` has to get a function that returns the "
    "loss; for `fit`, call `attach(model)` after `compile`. Loss scaling is not supported."
)
_TOTALS = "A step needs the gradients of all the variables together, after they are clipped."
_REST = "and what else the constructor of OptimizerV2 takes."


def class_documentation(program: Program, arguments: Sequence[Argument]) -> list[Documentation]:
    """The lines of the docstring of the class after the opening quotes, indented but the first."""
    return docstring(
        [
            *documented(program),
            "",
            *equations(program),
            "",
            "Args:",
            *indented(line for a in arguments for line in a.documentation(WIDTH - 8)),
            *indented(_own_arguments(arguments, bool(program.hypers))),
            *_schedules(program, arguments),
            *_steps(program),
        ]
    )


def _own_arguments(arguments: Sequence[Argument], has_hypers: bool) -> list[str]:
    """The arguments that every class has; `decay` may be one of the spec's."""
    names = {a.public for a in arguments}
    parts = [_CLIPPING]
    if "learning_rate" in names:
        parts += [*([] if "decay" in names else [_DECAY]), "lr, the same as learning_rate"]
    if "decay" in names:
        parts += ["schedule_decay, the same as decay"]
    keywords = f"**kwargs: {'; '.join([*parts, _REST])}"
    own = [_NAME, OVERRIDES] if has_hypers else [_NAME]
    return [*own, *textwrap.wrap(keywords, WIDTH - 8, subsequent_indent="    ")]


def _schedules(program: Program, arguments: Sequence[Argument]) -> list[str]:
    """What the hyperparameters may be."""
    names = [a.public for a in arguments if a.item in program.hypers]
    if not names:
        return []
    text = f"{listed(names)} may be numbers, tensors, callables without arguments, or schedules, "
    seen = "which see the number of steps done."
    if any(hyper.clock for hyper in program.hypers):
        seen = "which see the number of steps done by the part that they belong to."
    return ["", *textwrap.wrap(text + seen, WIDTH - 4)]


def _steps(program: Program) -> list[str]:
    """What a step takes beyond one gradient of each variable by itself."""
    if len(program.gradients) > 1:
        return ["", *textwrap.wrap(_STAGES, WIDTH - 4)]
    return ["", *textwrap.wrap(_TOTALS, WIDTH - 4)] if program.totals else []
