"""The method that says which kernel of TensorFlow a dense step is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optdsl.ir.nodes import Fused, Program, Value
from optdsl.ir.passes.select import cases
from optdsl.kernels.select import with_kernels
from optdsl.targets import layout
from optdsl.targets.naming import Names
from optdsl.targets.printer import Printer
from optdsl.targets.text import LiteralText

_SAYS = "`_rule` as one operation on the variables, where TensorFlow has it; else None."


def of_keras(program: Program) -> Program:
    """The program with the kernels that a class of Keras calls. There hyperparameters are
    variables, so that none is known to be above 0; and a rule whose coefficients depend on all the
    gradients, or that does something in some steps only, is applied by other methods.
    """
    if program.phases or cases(program):
        return program
    return with_kernels(program, hypers_are_known=False)


def method(program: Program, states: Mapping[str, str], names: Names, static: Printer) -> list[str]:
    """`_kernel`, as lines; none where there is no kernel. `states` are identifiers, with g."""
    if not program.kernels:
        return []
    numbers = dict.fromkeys(names.of(c) for k in program.kernels for c in k.coefficients)
    lines = [
        *layout.call("def _kernel", ["self", *states.values(), *numbers, "**_"], ":", 4),
        f'        """{_SAYS}"""',
    ]
    for fused in program.kernels:
        lines += _call(fused, states, names, static)
    unconditional = any(
        not _conditions(fused, states["w"], names, static) for fused in program.kernels
    )
    return lines if unconditional else [*lines, "        return None"]


def _call(fused: Fused, states: Mapping[str, str], names: Names, static: Printer) -> Iterator[str]:
    conditions = _conditions(fused, states["w"], names, static)
    if conditions:
        yield f"        if {conditions}:"
    given = [f"{LiteralText(arg)}: {states[state]}" for arg, state in fused.states]
    args = [str(LiteralText(fused.kernel)), "{" + ", ".join(given) + "}"]
    for arg, number in fused.numbers:
        args.append(f"{arg}={names.of(number) if isinstance(number, Value) else repr(number)}")
    args.append(f"{fused.gradient}={states['g']}")
    yield from layout.call("return self._fused", args, "", 12 if conditions else 8)


def _conditions(fused: Fused, w: str, names: Names, static: Printer) -> str:
    positive = [f"self._is_positive({LiteralText(names.of(v))}, {w})" for v in fused.positive]
    condition: list[str] = []
    if fused.condition is not None:
        text = static.expr(fused.condition)
        condition = [f"({text})" if positive and " or " in text else text]
    return " and ".join([*condition, *positive])
