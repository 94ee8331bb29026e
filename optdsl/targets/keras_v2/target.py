"""The target, and the view that the template prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule
from optdsl.targets.base import Spelling, render_template
from optdsl.targets.documentation import summary
from optdsl.targets.keras_v2 import schedule as schedules
from optdsl.targets.keras_v2.docstring import class_documentation
from optdsl.targets.keras_v2.evaluation import EvaluationWriter
from optdsl.targets.keras_v2.writer import Writer
from optdsl.targets.schedule import spelling
from optdsl.targets.tensorflow.tables import HELPERS
from optdsl.targets.text import Code, Identifier, SafeText


class KerasV2Target:
    """Classes for Keras' `OptimizerV2`: TF 1.15, 2.x, and tf_keras after that."""

    name = "keras_v2"
    allowed_imports = frozenset(
        "contextlib copy functools math numbers numpy re tensorflow.compat.v2 tf_keras".split()
    ) | {"weakref"}

    def check(self, program: Program, diagnostics: Diagnostics) -> None:
        """TensorFlow can express everything that the IR holds."""

    def spelling(self, program: Program) -> Spelling:
        """Arguments and slots go by their public names."""
        return Writer(program).spelling()

    def render(self, program: Program) -> str:
        """The module for one optimizer, without its header."""
        return render_template(self.name, _view(program))

    def render_schedule(self, schedule: Schedule) -> str:
        """The module for one schedule, without its header."""
        return schedules.render(schedule)

    def schedule_arguments(self, schedule: Schedule) -> Mapping[str, str]:
        """Arguments go by their public names."""
        return spelling(schedule, schedules.STYLE)


@dataclass(frozen=True)
class _View:
    """What the template prints; a tuple holds lines as they stand in the file.

    `gradient` is the first gradient in the code that applies a rule, and `given` are the arguments
    of the rule that are gradients: those of several stages are a list there.
    `kernel` is the method that says which operation of TensorFlow a dense step is, if there is one.
    `helpers` are the functions that the rule needs beside those of TensorFlow; `where` is what
    choosing elements is called.
    """

    class_name: Identifier
    summary: SafeText
    documentation: tuple[SafeText, ...]
    tables: tuple[SafeText, ...]
    init: tuple[SafeText, ...]
    scalars: tuple[SafeText, ...]
    rule: tuple[SafeText, ...]
    untouched: tuple[SafeText, ...]
    kernel: tuple[SafeText, ...]
    evaluation: tuple[SafeText, ...]
    phases: tuple[SafeText, ...]
    has_cases: bool
    waits: bool
    sweeps: bool
    moves_all: bool
    has_clocks: bool
    has_early: bool
    has_phases: bool
    has_totals: bool
    has_stages: bool
    gradient: SafeText
    given: SafeText
    needs_math: bool
    has_lists: bool
    helpers: tuple[str, ...]
    where: SafeText


def _view(program: Program) -> _View:
    writer = Writer(program)
    parts = [
        writer.init(), writer.scalars(), writer.rule(), writer.untouched() + writer.decays(),
        writer.kernel(), writer.phases(),
    ]  # fmt: skip
    parts.append(EvaluationWriter(program).methods() if program.evaluation else [])
    init, scalars, rule, untouched, kernel, phases, evaluation = map(_code, parts)
    helpers = {HELPERS[name] for name in writer.operators() & HELPERS.keys()}
    helpers |= {"chosen"} if any("_chosen(" in line for part in parts for line in part) else set()
    return _View(
        class_name=Identifier(writer.class_name),
        summary=summary(program),
        documentation=tuple(class_documentation(program, writer.arguments)),
        tables=_code(writer.tables()),
        init=init,
        scalars=scalars,
        rule=rule,
        untouched=untouched,
        kernel=kernel,
        evaluation=evaluation,
        phases=phases,
        has_cases=writer.has_cases,
        waits=writer.waits,
        sweeps=writer.sweeps,
        moves_all=writer.moves_all,
        has_clocks=writer.has_clocks,
        has_early=writer.has_early,
        has_phases=writer.has_phases,
        has_totals=bool(writer.program.totals),
        has_stages=writer.has_stages,
        gradient=Code("grad[0]" if writer.has_stages else "grad"),
        given=Code("*grad" if writer.has_stages else "grad"),
        needs_math=any("math." in line.replace("tf.math.", "") for part in parts for line in part),
        has_lists=writer.has_lists,
        helpers=tuple(sorted(helpers)),
        where=Code("tf.where"),
    )


def _code(lines: Iterable[str]) -> tuple[SafeText, ...]:
    return tuple(map(Code, lines))
