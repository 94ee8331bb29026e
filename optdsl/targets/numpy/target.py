"""The target: its conventions, and the view that the template prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics
from optdsl.ir.nodes import Program
from optdsl.ir.schedule import Schedule
from optdsl.targets.base import Spelling, render_template
from optdsl.targets.documentation import summary
from optdsl.targets.numpy import schedule as schedules
from optdsl.targets.numpy import tables
from optdsl.targets.numpy.docstring import class_documentation
from optdsl.targets.numpy.evaluation import EvaluationWriter
from optdsl.targets.numpy.writer import Writer
from optdsl.targets.schedule import spelling
from optdsl.targets.text import Code, Identifier, SafeText


class NumpyTarget:
    """Classes with `update(params, grads)`, which change arrays in place."""

    name = "numpy"
    allowed_imports = frozenset(
        {
            "bisect",
            "collections",
            "collections.abc",
            "contextlib",
            "functools",
            "json",
            "math",
            "numbers",
        }
        | {
            "concurrent.futures",
            "importlib.util",
            "numba",
            "numba.core",
            "numpy",
            "operator",
            "os",
            "re",
        }
        | {"warnings", "weakref"}
    )

    def check(self, program: Program, diagnostics: Diagnostics) -> None:
        """NumPy can express everything that the IR holds."""

    def spelling(self, program: Program) -> Spelling:
        """The names of the spec are the arguments' own; slots go by their public names."""
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

    `chooses`: an array is made of two by a condition, of which all the elements are computed.
    `helpers` are the functions that the rule needs beside those of NumPy.
    """

    class_name: Identifier
    summary: SafeText
    documentation: tuple[SafeText, ...]
    tables: tuple[SafeText, ...]
    init: tuple[SafeText, ...]
    initial: tuple[SafeText, ...]
    step: tuple[SafeText, ...]
    rule: tuple[SafeText, ...]
    untouched: tuple[SafeText, ...]
    loop: tuple[SafeText, ...]
    in_place: bool
    sums: bool
    waits: bool
    repeats: bool
    phases: tuple[SafeText, ...]
    has_stages: bool
    has_clocks: bool
    has_lists: bool
    evaluation: tuple[SafeText, ...]
    evaluation_uses_rank: bool
    needs_math: bool
    chooses: bool
    helpers: tuple[str, ...]


def _view(program: Program) -> _View:
    writer = Writer(program)
    at_evaluation = [EvaluationWriter(program)] if program.evaluation else []
    writers = [writer, *at_evaluation]
    parts = [
        writer.init(), writer.initial(), writer.step(), writer.rule(),
        writer.untouched() + writer.decays(),
        writer.phases(), [line for w in at_evaluation for line in w.methods()],
    ]  # fmt: skip
    init, initial, step, rule, untouched, phases, evaluation = map(_code, parts)
    text = [line for lines in parts for line in lines]
    return _View(
        class_name=Identifier(writer.class_name),
        summary=summary(program),
        documentation=tuple(
            class_documentation(program, writer.arguments, writer.in_place, writer.is_compiled)
        ),
        tables=_code(writer.tables()),
        init=init,
        initial=initial,
        step=step,
        rule=rule,
        untouched=untouched,
        loop=_code(writer.loop()),
        in_place=writer.in_place,
        sums=writer.sums,
        waits=writer.waits,
        repeats=writer.is_elementwise and not program.phases,
        phases=phases,
        has_stages=writer.has_stages,
        has_clocks=writer.has_clocks,
        has_lists=writer.has_lists,
        evaluation=evaluation,
        evaluation_uses_rank=any(w.uses_rank for w in at_evaluation),
        needs_math=any("math." in line for line in text),
        chooses=any(w.chooses() for w in writers),
        helpers=tuple(x for x in tables.HELPERS if any(f"_{x}(" in line for line in text)),
    )


def _code(lines: Iterable[str]) -> tuple[SafeText, ...]:
    return tuple(map(Code, lines))
