"""The docstring of a generated class."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from optdsl.ir.nodes import Program
from optdsl.semantics.model import Settings
from optdsl.targets.documentation import docstring, documented, equations, indented
from optdsl.targets.layout import WIDTH
from optdsl.targets.tensorflow.docstring import OVERRIDES
from optdsl.targets.text import Documentation
from optdsl.targets.tf1.arguments import Argument

_POLICIES = {
    "exact": "does what the same gradient does as a dense one.",
    "hybrid": "moves the slots as a dense one would, and the variable on its own rows only.",
    "lazy": "touches no rows but its own.",
    "mixed": "moves its own rows, and on the others what each part says of them.",
}

_HYPERS = (
    "A number that is not called plain may also be a tensor, or a callable without arguments, which"
    " is called whenever a step is built: in eager mode in every step, in a graph once."
)

#: What every class takes beside the arguments of its spec.
_OWN = (
    ("use_locking", "Whether updates take the variables' locks."),
    ("name", "The name of the update, and of the variables that keep the state."),
    ("clipnorm", "None, or the largest norm that the gradient of a variable may have."),
    ("clipvalue", "None, or the largest absolute value that its elements may have."),
    ("global_clipnorm", "None, or the largest norm of the gradients of all variables together."),
)

#: After `overrides`, which not every class takes.
_XLA = "xla: Whether XLA compiles dense steps in graphs; where a kernel is the rule, that is used."


def class_documentation(
    program: Program, settings: Settings, arguments: Sequence[Argument]
) -> list[Documentation]:
    """The lines of the docstring of the class after the opening quotes, indented but the first."""
    lines = [
        *documented(program),
        "",
        *equations(program),
        "",
        "Args:",
        *indented(line for a in arguments for line in a.documentation(WIDTH - 8)),
        *indented(f"{name}: {says}" for name, says in _OWN),
        *(indented([OVERRIDES]) if program.hypers else []),
        *indented([_XLA]),
    ]
    lines += ["", *textwrap.wrap(_HYPERS, WIDTH - 4)] if program.hypers else []
    lines += ["", *_sparse(program)]
    if (stages := len(program.gradients)) > 1:
        lines += ["", f"A step takes {stages} gradients: see minimize and stage_ops."]
    state = _state(program, settings)
    return docstring([*lines, "", *state] if state else lines)


def _sparse(program: Program) -> list[str]:
    """What a sparse gradient does, by each policy that there is."""
    names = dict.fromkeys(
        "mixed" if len({*p.regions} - {""}) > 1 else p.name for p in program.policies
    )
    says = [_POLICIES[name] for name in names]
    if len(says) == 1:
        return [f"A sparse gradient {says[0]}"]
    return ["A sparse gradient, as the arguments decide:", *(f"    {text}" for text in says)]


def _state(program: Program, settings: Settings) -> list[str]:
    slots = [settings.public.get(s.name, s.public) for s in program.slots]
    shared = [settings.public.get(s.name, s.public) for s in program.shareds]
    lines = [f"Slots: {', '.join(slots)}."] if slots else []
    return lines + ([f"Shared by all variables: {', '.join(shared)}."] if shared else [])
