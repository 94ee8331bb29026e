"""From a program to the view that the template prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics
from optdsl.ir.build import is_literal, ops, program_expressions, refs
from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Expr, Literal_, Program, Shared, Slot, Value, W
from optdsl.ir.passes.select import cases
from optdsl.ir.schedule import Schedule
from optdsl.ir.sparse import sparse
from optdsl.kernels.select import with_kernels
from optdsl.semantics.level import Level
from optdsl.semantics.model import Settings
from optdsl.targets import layout
from optdsl.targets.arguments import ConstList, attributes, computed_text, spelled
from optdsl.targets.base import Spelling, render_template
from optdsl.targets.functions import (
    RuleText,
    Style,
    condition_text,
    decays_method,
    policy_text,
    print_program,
    static_printer,
)
from optdsl.targets.printer import Printer
from optdsl.targets.schedule import spelling
from optdsl.targets.tensorflow import kernels
from optdsl.targets.tensorflow.adapt import adapt, adapt_expression
from optdsl.targets.tensorflow.tables import HELPERS
from optdsl.targets.text import Code, Identifier, LiteralText, SafeText
from optdsl.targets.tf1 import evaluation, tables
from optdsl.targets.tf1 import schedule as schedules
from optdsl.targets.tf1.arguments import Argument, arguments, signature
from optdsl.targets.tf1.docstring import class_documentation
from optdsl.targets.tf1.phases import phase_lines, phase_names


class Tf1Target:
    """Classes for `tf.train`: graphs and sessions, and TensorFlow 2 through `compat.v1`."""

    name = "tf1"
    allowed_imports = frozenset({"math", "numbers", "re", "typing", "tensorflow.compat.v1"})

    def check(self, program: Program, diagnostics: Diagnostics) -> None:
        """TensorFlow can express everything that the IR holds."""

    def spelling(self, program: Program) -> Spelling:
        """Arguments and slots go by their public names."""
        return _Writer(adapt(with_kernels(program))).spelling()

    def render(self, program: Program) -> str:
        """The module for one optimizer, without its header."""
        return render_template(self.name, _Writer(adapt(with_kernels(program))).view())

    def render_schedule(self, schedule: Schedule) -> str:
        """The module for one schedule, without its header."""
        return schedules.render(schedule)

    def schedule_arguments(self, schedule: Schedule) -> Mapping[str, str]:
        """Arguments go by their public names."""
        return spelling(schedule, schedules.STYLE)


@dataclass(frozen=True)
class _View:
    """What the template prints; a tuple holds lines as they stand in the file.

    `kernel` is the method that says which operation of TensorFlow a dense step is, where there is
    one, `checks_kernel` that it asks for hyperparameters above 0, `linear` that repeated rows of a
    sparse gradient need not be summed in some setting. `starts` are the lines that make
    initial values of slots out of the variable, where there are such slots; `phases` are the
    functions for what all variables find out before the step, `tables` the attributes of the class;
    `cases` says that the rule does something in some steps only, `waits` that rows may wait until
    they are used; `helpers` are the functions that
    the file needs beside the machinery; `where` is what choosing elements is called.
    """

    title: Identifier
    class_name: Identifier
    documentation: tuple[SafeText, ...]
    init: tuple[SafeText, ...]
    step: tuple[SafeText, ...]
    rule: tuple[SafeText, ...]
    kernel: tuple[SafeText, ...]
    checks_kernel: bool
    linear: bool
    untouched: tuple[SafeText, ...]
    starts: tuple[SafeText, ...]
    evaluation: tuple[SafeText, ...]
    phases: tuple[SafeText, ...]
    tables: tuple[SafeText, ...]
    cases: bool
    waits: bool
    moves_all: bool
    has_stages: bool
    needs_math: bool
    has_lists: bool
    helpers: tuple[str, ...]
    where: SafeText


class _Writer:
    """Writes the parts of the class of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._settings = dict(program.settings).get("tf1", Settings())
        self._arguments = arguments(program, self._settings)
        (self._class_name,) = spelled(
            [self._settings.class_name or f"{program.name}Optimizer"], tables.TAKEN
        )
        self._attributes = attributes((a.item, a.attribute) for a in self._arguments)
        style = Style(
            tables.ELEMENTS, tables.NUMBERS, self._attribute, "{0}.shape.ndims", taken=tables.TAKEN
        )
        self._text = print_program(program, style)
        self._names = self._text.names
        self._static = static_printer(style, self._names)
        self._elements = Printer(tables.ELEMENTS, self._element_name)
        self._rows = sparse(program)
        self._cases = [self._names.of(c) for c in cases(program)]

    def view(self) -> _View:
        """The finished view."""
        at_zero = self._untouched() + self._decays()
        parts = [self._init(), self._step(), self._rule(), at_zero, self._starts()]
        parts.append(self._evaluation())
        parts.append(phase_lines(self._text.phases, self._states, self._input))
        parts.append(self._kernel())
        init, step, rule, untouched, starts, evaluated, phases, kernel = (
            tuple(map(Code, part)) for part in parts
        )
        used = {op.op for expr in program_expressions(self._program) for op in ops(expr)}
        lines = [line.replace("tf.math.", "") for part in parts for line in part]
        helpers = {HELPERS[name] for name in used & HELPERS.keys()}
        helpers |= {"chosen"} if any("_chosen(" in line for line in lines) else set()
        return _View(
            title=Identifier(spelled([self._program.name], ())[0]),
            class_name=Identifier(self._class_name),
            documentation=tuple(
                class_documentation(self._program, self._settings, self._arguments)
            ),
            init=init,
            step=step,
            rule=rule,
            kernel=kernel,
            checks_kernel=any(k.positive for k in self._program.kernels),
            linear=kernels.linear_of(self._program) is not None,
            untouched=untouched,
            starts=starts,
            evaluation=evaluated,
            phases=phases,
            tables=tuple(map(Code, self._tables())),
            cases=bool(self._cases),
            waits=self._waits,
            moves_all=self._rows.moves_all,
            has_stages=len(self._program.gradients) > 1,
            needs_math=any("math." in line for line in lines),
            has_lists=any(isinstance(a.item, ConstList) for a in self._arguments),
            helpers=tuple(sorted(helpers)),
            where=Code("tf.where_v2"),
        )

    def _attribute(self, value: Value) -> str:
        prefix = "uses_" if value.role == "uses" else ""
        return f"self.{prefix}{self._attributes[value.name]}"

    def _element_name(self, value: Value) -> str:
        fixed = value.role in ("flag", "const", "uses")
        return self._attribute(value) if fixed else self._names.of(value)

    def _public(self, item: Slot | Shared) -> str:
        return self._settings.public.get(item.name, item.public)

    def spelling(self) -> Spelling:
        """What users call the arguments and slots."""
        arguments = {a.item.name: a.public for a in self._arguments}
        return Spelling(arguments, {s.name: self._public(s) for s in self._program.slots})

    def _tables(self) -> list[str]:
        """The attributes of the class that say how the machinery goes about a step."""
        tables = {
            "_CASES": self._cases,
            "_PHASES": phase_names(self._text.phases),
            "_DECAYING": self._decaying() if self._waits else [],
        }
        return [
            line
            for name, items in tables.items()
            if items
            for line in layout.bracketed(f"{name} = ", [f'"{x}"' for x in items], 4)
        ]

    # --------------------------------------------------------- constructor

    def _init(self) -> list[str]:
        declared = signature(self._arguments, self._settings, self._class_name)
        waits = condition_text(self._rows.waits, self._static)
        return [
            "    def __init__(",
            *(f"        {argument}," for argument in ("self", *declared)),
            "    ):",
            "        super().__init__(use_locking, name)",
            *(line for a in self._arguments for line in self._fixed_argument(a)),
            *self._uses(),
            *self._hypers(),
            *self._config(),
            f"        self._init_overrides({'overrides' if self._program.hypers else None})",
            *self._slot_specs(),
            *self._shared_specs(),
            f"        self._sparse = {policy_text(self._rows, self._static)}",
            *([f"        self._waits = {waits}"] if self._waits else []),
            f"        self._densify = {condition_text(self._rows.densify, self._static)}",
            f"        self._init_clipping({', '.join(tables.CLIPPING)})",
            "        self._xla = _has_xla(xla)",
            *(["        self._flags = {}"] if self._program.evaluation else []),
        ]

    def _fixed_argument(self, argument: Argument) -> list[str]:
        """The attribute of a const or flag, checked."""
        if argument.item in self._program.hypers:
            return []
        lines = []
        if argument.computed is not None:
            lines = [
                f"        if {argument.public} is None:",
                f"            {argument.public} = {computed_text(argument.computed, self._static)}",
            ]
        function, args = argument.checked
        return lines + layout.call(f"self.{argument.attribute} = {function}", args, "", 8)

    def _uses(self) -> list[str]:
        """The attributes that say which hyperparameters are in use, where something asks."""
        public = {a.item.name: a.public for a in self._arguments}
        asked = self._asked()
        return [f"        {asked[x]} = _uses({public[x]})" for x in public if x in asked]

    def _asked(self) -> dict[str, str]:
        """The attributes that say whether a hyperparameter is in use, by the names of those."""
        values = (v for expr in program_expressions(self._program) for v in refs(expr))
        return {v.name: self._attribute(v) for v in values if v.role == "uses"}

    def _hypers(self) -> list[str]:
        lines = []
        for argument in self._arguments:
            if argument.item in self._program.hypers:
                function, args = argument.checked
                args += [x for name, x in self._asked().items() if name == argument.item.name]
                name = LiteralText(self._hyper_name(argument))
                lines += layout.call(f"{name}: {function}", args, ",", 12)
        if not lines:
            return ["        self._hypers = {}"]
        return ["        self._hypers = {", *lines, "        }"]

    def _hyper_name(self, argument: Argument) -> str:
        return self._names.of(Value(argument.item.name, 0, Level.STEP, "hyper"))

    def _config(self) -> list[str]:
        items = [
            f"{LiteralText(a.public)}: "
            + (a.public if a.item in self._program.hypers else f"self.{a.attribute}")
            for a in self._arguments
        ]
        return layout.bracketed("self._arguments = ", items, 8, "{}")

    def _slot_specs(self) -> list[str]:
        items: list[str] = []
        for slot in self._program.slots:
            args = [str(LiteralText(self._public(slot)))]
            if slot.initial.level == Level.FIXED and not is_literal(slot.initial, 0):
                args.append(f"initial={self._static.expr(slot.initial)}")
            args += ["scalar=True"] if slot.scalar else []
            args += [f"kept={self._static.expr(slot.condition)}"] if slot.condition else []
            items.append(f"_Slot({', '.join(args)})")
        return layout.bracketed("self._slot_specs = ", items, 8)

    def _shared_specs(self) -> list[str]:
        """The counter of steps, where the rule reads it, and the shared values of the spec."""
        publics = [self._public(s) for s in self._program.shareds]
        items: list[str] = []
        if self._counts:
            (counter,) = spelled(["step"], publics)
            items.append(f'_Shared("step", {LiteralText(counter)}, 0)')
        for shared, public in zip(self._program.shareds, publics, strict=True):
            args = [f"{LiteralText(self._shared_name(shared))}, {LiteralText(public)}"]
            args.append(self._float(shared.initial))
            args += [f"kept={self._static.expr(shared.condition)}"] if shared.condition else []
            items.append(f"_Shared({', '.join(args)})")
        return layout.bracketed("self._shared_specs = ", items, 8)

    def _float(self, initial: Expr) -> str:
        """An initial value as a float; an int would make an integer variable."""
        if isinstance(initial, Literal_):
            return LiteralText(float(initial.value))
        return f"float({self._static.expr(initial)})"

    @property
    def _counts(self) -> bool:
        """Whether steps are counted: `t` is read, or there is something before the first one."""
        inputs = [self._text.inputs, *(phase.inputs for phase in self._text.phases)]
        reads = any(value.role == "step" for given in inputs for _, value in given)
        return reads or self._program.evaluation is not None

    def _shared_name(self, shared: Shared) -> str:
        return self._names.of(Value(shared.name, 0, Level.STEP, "shared"))

    # ------------------------------------------------------- the functions

    def _step(self) -> list[str]:
        names = [self._hyper_name(a) for a in self._arguments if a.item in self._program.hypers]
        names += ["step"] if self._counts else []
        names += map(self._shared_name, self._program.shareds)
        names += self._text.totals
        return [
            *layout.signature("def _step", ["self", *names], 4),
            *_quoted(_STEP_DOCUMENTATION),
            *(line for name, value in self._text.inputs for line in self._input(name, value)),
            *self._text.step,
            *layout.bracketed("coefficients = ", self._text.items, 8, "{}"),
            *self._step_results(),
        ]

    def _input(self, name: str, value: Value) -> list[str]:
        """What the step reads beside its parameters."""
        if value.role == "step":
            return [f"        {name} = tf.cast(step + 1, tf.float64)"]
        if value.role == "const":
            return [f"        {name} = tf.constant({self._attribute(value)}, tf.float64)"]
        if value.role in ("flag", "uses"):
            return [f"        {name} = {self._attribute(value)}"]
        return []

    def _step_results(self) -> list[str]:
        items = ['"step": step + 1'] if self._counts else []
        for shared in self._program.shareds:
            if shared.name in self._text.shared_results:
                name = LiteralText(self._shared_name(shared))
                items.append(f"{name}: {self._text.shared_results[shared.name]}")
        return layout.bracketed("return coefficients, ", items, 8, "{}")

    def _rule(self) -> list[str]:
        inputs = [*self._text.gradients, *self._states]
        return self._function("_rule", inputs, self._text.rule, _RULE_DOCUMENTATION)

    def _kernel(self) -> list[str]:
        """Which operation of TensorFlow a dense step is, and whether the rule is linear in g."""
        names = [*(v.name for v in self._program.gradients), "w"]
        names += [s.name for s in self._program.slots]
        states = dict(zip(names, [*self._text.gradients, *self._states], strict=True))
        of_kernel = kernels.method(self._program, states, self._names, self._static)
        return of_kernel + kernels.linear_method(self._program, self._names, self._static)

    def _untouched(self) -> list[str]:
        """One function for each policy whose untouched rows move."""
        lines: list[str] = []
        for untouched, text in self._text.untouched:
            if untouched in self._rows.rules:
                says = _UNTOUCHED_DOCUMENTATION
                name = f"_untouched_{untouched.policy}"
                lines += ["", *self._function(name, self._states, text, says)]
        return lines

    @property
    def _waits(self) -> bool:
        """Whether rows without a gradient can wait until they are used, in some setting."""
        starts = any(s.initial.level > Level.FIXED for s in self._program.slots)
        return self._rows.rows_wait and not self._cases and not starts

    def _decaying(self) -> list[str]:
        """The slots that rows without a gradient multiply, by their public names."""
        public = {s.name: self._public(s) for s in self._program.slots}
        decaying = self._text.decays[self._rows.decaying or ""]
        return [public[name] for name in decaying.results]

    def _decays(self) -> list[str]:
        """By what a step without a gradient multiplies slots, where rows wait."""
        return decays_method(self._text, self._rows, "**_") if self._waits else []

    @property
    def _states(self) -> list[str]:
        return [self._names.of(W), *(self._text.slots[s.name] for s in self._program.slots)]

    def _function(self, name: str, inputs: list[str], text: RuleText, says: str) -> list[str]:
        needed = text.coefficients
        rest = ["**_"] if len(needed) < len(self._text.coefficients) else []
        states = ["w", *(s.name for s in self._program.slots)]
        new = [
            text.results.get(state, old) for state, old in zip(states, self._states, strict=True)
        ]
        return [
            *layout.signature(f"def {name}", ["self", *inputs, *needed, *rest], 4),
            *_quoted(says),
            *text.lines,
            *layout.returned(new, 8),
        ]

    def _evaluation(self) -> list[str]:
        if self._program.evaluation is None:
            return []
        alone = _Writer(adapt(at_evaluation(self._program)))
        return evaluation.methods(alone._text, alone._states, alone._input)

    def _starts(self) -> list[str]:
        """`slot: its first value` for the slots that start as something made of the variable."""
        items = [
            f"{LiteralText(self._public(s))}: {self._elements.expr(adapt_expression(s.initial))}"
            for s in self._program.slots
            if s.initial.level > Level.FIXED
        ]
        if not items:
            return []
        return [
            f"    def _first_values(self, {self._names.of(W)}):",
            *_quoted(_START_DOCUMENTATION),
            *layout.bracketed("return ", items, 8, "{}"),
        ]


def _quoted(text: str) -> list[str]:
    return [f'        """{text}"""']


_STEP_DOCUMENTATION = "What is the same for all variables, in float64: coefficients, shared state."
_RULE_DOCUMENTATION = "The new values of the variable and of its slots, from the old ones."
_UNTOUCHED_DOCUMENTATION = "`_rule` at g = 0: for the rows that a sparse gradient does not mention."
_START_DOCUMENTATION = "What slots are when the variable is updated for the first time."
