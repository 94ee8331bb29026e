"""The methods that compute what stands for the variables at evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from optdsl.ir.nodes import Value
from optdsl.targets import layout
from optdsl.targets.functions import ProgramText


def methods(
    text: ProgramText, states: Sequence[str], read: Callable[[str, Value], list[str]]
) -> list[str]:
    """`_evaluation_step` and `_evaluated`, as lines.

    `text` is that of the program at evaluation, `states` are what it calls the variable and its
    slots, and `read` gives the lines that read an input of a step.
    """
    return [*_numbers(text, read), "", *_evaluated(text, states)]


def _numbers(text: ProgramText, read: Callable[[str, Value], list[str]]) -> list[str]:
    names = [
        "step" if value.role == "step" else name
        for name, value in text.inputs
        if value.role in ("step", "hyper", "shared")
    ]
    lines = [
        *layout.signature("def _evaluation_step", ["self", *names, "**_"], 4),
        '        """The numbers that go into the weights for evaluation, in float64."""',
    ]
    for name, value in text.inputs:
        if value.role == "step":
            lines.append(f"        {name} = tf.cast(step, tf.float64)")
        else:
            lines += read(name, value)
    return [*lines, *text.step, *layout.bracketed("return ", text.items, 8, "{}")]


def _evaluated(text: ProgramText, states: Sequence[str]) -> list[str]:
    return [
        *layout.signature("def _evaluated", ["self", *states, *text.rule.coefficients], 4),
        '        """The weights for evaluation of one variable, from it and its slots."""',
        *text.rule.lines,
        f"        return {text.rule.results.get('w', states[0])}",
    ]
