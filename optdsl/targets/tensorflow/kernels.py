"""The methods that say which kernel of TensorFlow a step is, and whether it is linear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from optdsl.ir.nodes import Fused, Program, Value
from optdsl.ir.passes.select import cases
from optdsl.kernels import LINEAR
from optdsl.kernels.select import with_kernels
from optdsl.targets import layout
from optdsl.targets.naming import Names
from optdsl.targets.printer import Printer
from optdsl.targets.text import LiteralText

_SAYS = "`_rule` as one operation on the variables, where TensorFlow has it; else None."
_SAYS_LINEAR = (
    '"""What `_rule` multiplies the gradient by and subtracts, if that is all: then parts of a',
    "gradient can be subtracted one after another. Else None.",
    '"""',
)


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
        *layout.signature("def _kernel", ["self", *states.values(), *numbers, "**_"], 4),
        f'        """{_SAYS}"""',
    ]
    for fused in program.kernels:
        lines += _call(fused, states, names, static)
    conditions = _conditions(program.kernels[-1], states["w"], names, static)
    return [*lines, "        return None"] if conditions else lines


def linear_of(program: Program) -> Fused | None:
    """The kernel of a rule that is linear in the gradient in some setting, where rows of a sparse
    gradient need not be summed before. None for rules that other methods apply, as in `of_keras`.
    """
    if program.phases or cases(program):
        return None
    return next((k for k in program.kernels if k.kernel == LINEAR), None)


def linear_method(program: Program, names: Names, static: Printer) -> list[str]:
    """`_linear`, as lines; none where no setting makes the rule linear in the gradient."""
    fused = linear_of(program)
    if fused is None:
        return []
    ((_, factor),) = fused.numbers
    of_step = [names.of(factor)] if isinstance(factor, Value) else []
    conditions = _conditions(fused, "", names, static)
    otherwise = f" if {conditions} else None" if conditions else ""
    return [
        "",
        *layout.signature("def _linear", ["self", *of_step, "**_"], 4),
        *(" " * 8 + line for line in _SAYS_LINEAR),
        f"        return {_number(factor, names)}{otherwise}",
    ]


def _number(number: Value | bool | float, names: Names) -> str:
    return names.of(number) if isinstance(number, Value) else repr(number)


def _call(fused: Fused, states: Mapping[str, str], names: Names, static: Printer) -> Iterator[str]:
    conditions = _conditions(fused, states["w"], names, static)
    if conditions:
        yield f"        if {conditions}:"
    given = [f"{LiteralText(arg)}: {states[state]}" for arg, state in fused.states]
    args = [str(LiteralText(fused.kernel)), "{" + ", ".join(given) + "}"]
    for arg, number in fused.numbers:
        args.append(f"{arg}={_number(number, names)}")
    args.append(f"{fused.gradient}={states['g']}")
    yield from layout.call("return self._fused", args, "", 12 if conditions else 8)


def _conditions(fused: Fused, w: str, names: Names, static: Printer) -> str:
    positive = [f"self._is_positive({LiteralText(names.of(v))}, {w})" for v in fused.positive]
    condition: list[str] = []
    if fused.condition is not None:
        text = static.expr(fused.condition)
        condition = [f"({text})" if positive and " or " in text else text]
    return " and ".join([*condition, *positive])
