"""The methods for what all variables find out together: totals, and where later gradients are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from optdsl.ir.nodes import Value
from optdsl.targets import layout
from optdsl.targets.functions import PhaseText

Input = Callable[[str, Value], list[str]]


def phase_names(phases: Iterable[PhaseText]) -> list[str]:
    """What the phases are called: totals as the step calls them, stages by number from 2 on."""
    names, stages = [], 1
    for text in phases:
        stages += not text.is_total
        names.append(text.name if text.is_total else f"stage_{stages}")
    return names


def phase_lines(phases: Sequence[PhaseText], states: Sequence[str], read: Input) -> list[str]:
    """Two methods for each phase: the numbers of its step, and its rule.

    `states` are the identifiers of the variable and its slots; `read` gives the lines that make an
    input of a step out of what the step is called with.
    """
    lines: list[str] = []
    for name, text in zip(phase_names(phases), phases, strict=True):
        lines += [""] if lines else []
        lines += [*_step(name, text, read), "", *_rule(name, text, states)]
    return lines


def _step(name: str, text: PhaseText, read: Input) -> list[str]:
    taken = [
        "step" if value.role == "step" else name
        for name, value in text.inputs
        if value.role in ("step", "hyper", "shared", "total")
    ]
    return [
        *layout.signature(f"def _{name}_step", ["self", *taken, "**_"], 4),
        f'        """The numbers that `_{name}` needs, in float64."""',
        *(line for given, value in text.inputs for line in read(given, value)),
        *text.step,
        *layout.bracketed("return ", text.items, 8, "{}"),
    ]


def _rule(name: str, text: PhaseText, states: Sequence[str]) -> list[str]:
    says = "The part of one variable in a sum over all."
    returned = [f"        return {text.result}"]
    if not text.is_total:
        says = "Where one variable is when the gradient of this stage is taken."
        returned = layout.returned([text.result], 8)
    parameters = ["self", *text.gradients, *states, *text.rule.coefficients]
    return [
        *layout.signature(f"def _{name}", parameters, 4),
        f'        """{says}"""',
        *text.rule.lines,
        *returned,
    ]
