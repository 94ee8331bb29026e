"""The docstring of a generated class."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Sequence

from optdsl.ir.nodes import Program
from optdsl.semantics.model import Settings
from optdsl.targets.layout import WIDTH
from optdsl.targets.text import Documentation
from optdsl.targets.tf1.arguments import Argument

_COLUMNS = WIDTH - 4

_POLICIES = {
    "exact": "does what the same gradient does as a dense one.",
    "hybrid": "moves the slots as a dense one would, and the variable on its own rows only.",
    "lazy": "touches no rows but its own.",
}

_HYPERS = (
    "Where it does not say that it is a plain number, a number may also be a tensor, or a callable"
    " without arguments that returns one of them and is called whenever a step is built."
)

#: What every class takes beside the arguments of its spec.
_OWN = (
    ("use_locking", "Whether updates take the variables' locks."),
    ("name", "The name of the update, and of the variables that keep the state."),
    ("clipnorm", "None, or the largest norm that the gradient of a variable may have."),
    ("clipvalue", "None, or the largest absolute value that its elements may have."),
    ("global_clipnorm", "None, or the largest norm of the gradients of all variables together."),
)


def docstring(
    program: Program, settings: Settings, arguments: Sequence[Argument]
) -> list[Documentation]:
    """The lines between the quotes; the first follows them, the others stand on their own."""
    lines = _text(program.doc) or [f"{program.name}."]
    lines += ["", "One step, for a variable `w` and its gradient `g`; `t` is 1 in the first::", ""]
    lines += [f"    {line}" for line in program.equations]
    lines += ["", "Args:", *(f"    {line}" for a in arguments for line in a.documentation(92))]
    lines += [f"    {name}: {says}" for name, says in _OWN]
    lines += ["", *textwrap.wrap(_HYPERS, _COLUMNS)] if program.hypers else []
    lines += ["", *_sparse(program), "", *_state(program, settings)]
    while not lines[-1]:
        lines.pop()
    indented = [lines[0], *(f"    {line}" if line else "" for line in lines[1:])]
    return [Documentation(line) for line in indented]


def _text(doc: str) -> list[str]:
    """A text of the spec, with its own line breaks where the lines are not too long."""
    lines = inspect.cleandoc(doc).split("\n") if doc.strip() else []
    return [piece for line in lines for piece in textwrap.wrap(line, _COLUMNS) or [""]]


def _sparse(program: Program) -> list[str]:
    """What a sparse gradient does, by each policy that there is."""
    names = list(dict.fromkeys(p.name for p in program.policies))
    if len(names) == 1:
        return [f"A sparse gradient {_POLICIES[names[0]]}"]
    return ["A sparse gradient, as the arguments decide:", *(f"    {_POLICIES[n]}" for n in names)]


def _state(program: Program, settings: Settings) -> list[str]:
    slots = [settings.public.get(s.name, s.public) for s in program.slots]
    shared = [settings.public.get(s.name, s.public) for s in program.shareds]
    lines = [f"Slots: {', '.join(slots)}."] if slots else []
    return lines + ([f"Shared by all variables: {', '.join(shared)}."] if shared else [])
