"""The parts of a generated class, each as the lines that stand in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optdsl.ir.build import ops, program_expressions, refs
from optdsl.ir.early import early
from optdsl.ir.nodes import Expr, Hyper, Program, Shared, Slot, Value, W
from optdsl.ir.passes.select import cases
from optdsl.ir.sparse import sparse
from optdsl.semantics.level import Level
from optdsl.semantics.model import Settings
from optdsl.targets import layout
from optdsl.targets.arguments import ConstList, attributes, computed_text, spelled
from optdsl.targets.base import Spelling
from optdsl.targets.functions import (
    PhaseText,
    RuleText,
    Style,
    condition_text,
    decays_method,
    policy_text,
    print_program,
    static_printer,
)
from optdsl.targets.keras_v2 import tables
from optdsl.targets.keras_v2.arguments import Argument, arguments, signature
from optdsl.targets.keras_v2.counting import counts
from optdsl.targets.printer import Printer
from optdsl.targets.tensorflow import kernels
from optdsl.targets.tensorflow.adapt import adapt, adapt_expression
from optdsl.targets.text import LiteralText

_PAD = " " * 8
_SCALARS = "The numbers of this step, in float64: coefficients of the rule, new shared values."
_STEP_ARGUMENTS = ("self", "dtype", "changes")
_STEP = Value("t", 0, Level.STEP, "step")
_UNTOUCHED = "`_rule` at g = 0: what rows do that a sparse gradient does not mention."


class Writer:
    """Writes the class of one program."""

    def __init__(self, program: Program) -> None:
        self.program = adapt(kernels.of_keras(program))
        settings = dict(program.settings).get("keras_v2", Settings())
        self._settings = settings
        self.arguments = arguments(program, settings)
        (self.class_name,) = spelled([settings.class_name or program.name], tables.MODULE_NAMES)
        self._publics = attributes((a.item, str(a.public)) for a in self.arguments)
        style = Style(
            tables.ELEMENTS,
            tables.NUMBERS,
            self._attribute,
            "len({0}.shape)",
            taken=tables.TAKEN,
        )
        self._text = print_program(self.program, style)
        self._static = static_printer(style, self._text.names)
        self._sparse = sparse(program)
        self._cases = [self._text.names.of(value) for value in cases(program)]
        self._counts = counts(program)
        self._early = early(program)

    # ------------------------------------------------------------- names

    @property
    def has_cases(self) -> bool:
        """Whether the rule branches on conditions of the step."""
        return bool(self._cases)

    @property
    def has_early(self) -> bool:
        """Whether some states can be written before the rest is computed."""
        return bool(self._early.slots)

    @property
    def has_clocks(self) -> bool:
        """Whether some hyperparameter has a time of its own."""
        return any(hyper.clock for hyper in self.program.hypers)

    @property
    def has_phases(self) -> bool:
        """Whether something takes all the variables to find out."""
        return bool(self.program.phases)

    @property
    def has_stages(self) -> bool:
        """Whether a step evaluates several gradients."""
        return len(self.program.gradients) > 1

    def _attribute(self, value: Value) -> str:
        prefix = "_uses_" if value.role == "uses" else ""
        return f"self.{prefix}{self._publics[value.name]}"

    def _slot_name(self, slot: Slot) -> str:
        """The public name; `w` is the variable itself."""
        publics = [self._settings.public.get(s.name, s.public) for s in self.program.slots]
        return spelled(publics, {"w"})[self.program.slots.index(slot)]

    def _shared_name(self, shared: Shared) -> str:
        """Keras tracks it beside the hyperparameters, under a name of its own."""
        public = self._settings.public.get(shared.name, shared.public)
        return spelled([public], {*self._publics.values(), *tables.TRACKED})[0]

    def _shared_of(self, name: str) -> Shared:
        (shared,) = (s for s in self.program.shareds if s.name == name)
        return shared

    @property
    def _counter(self) -> str:
        """The name of the shared value that counts the steps, where `iterations` will not do."""
        taken = {*self._publics.values(), *tables.TRACKED}
        return spelled(["steps"], taken | set(map(self._shared_name, self.program.shareds)))[0]

    def _states(self) -> list[str]:
        """The parameters of the rule that are state: the variable, then its slots."""
        slots = (self._text.slots[s.name] for s in self.program.slots)
        return [self._text.names.of(W), *slots]

    def spelling(self) -> Spelling:
        """What users call the arguments and slots."""
        return Spelling(self._publics, {s.name: self._slot_name(s) for s in self.program.slots})

    # ------------------------------------------------------- class tables

    def tables(self) -> list[str]:
        """What the machinery has to know of the class."""
        hypers = [
            f"{a.quoted}: {LiteralText(str(a.item.domain))}"
            for a in self.arguments
            if isinstance(a.item, Hyper)
        ]
        fixed = [a.quoted for a in self.arguments if a.item not in self.program.hypers]
        slots = [str(LiteralText(self._slot_name(s))) for s in self.program.slots]
        return [
            *layout.bracketed("_HYPERS = ", hypers, 4, "{}"),
            *layout.bracketed("_FIXED = ", fixed, 4),
            *layout.bracketed("_SLOTS = ", slots, 4),
            *self._step_tables(),
        ]

    @property
    def has_lists(self) -> bool:
        """Whether some argument is a list of numbers."""
        return any(isinstance(a.item, ConstList) for a in self.arguments)

    def _step_tables(self) -> Iterator[str]:
        """What a step beyond the usual has to know."""
        if self.has_early:
            yield from self._slot_table("_EARLY", self._early.slots)
            yield from self._slot_table("_FED", self._early.fed)
        if self._cases:
            yield from layout.bracketed("_CASES = ", [f'"{name}"' for name in self._cases], 4)
        if self.has_clocks:
            clocks = {
                a.quoted: LiteralText(self._shared_name(self._shared_of(a.item.clock)))
                for a in self.arguments
                if isinstance(a.item, Hyper) and a.item.clock
            }
            pairs = [f"{name}: {clock}" for name, clock in clocks.items()]
            yield from layout.bracketed("_CLOCKS = ", pairs, 4, "{}")
        if self.waits:
            decaying = self._text.decays[self._sparse.decaying or ""].results
            slots = [s for s in self.program.slots if s.name in decaying]
            publics = [str(LiteralText(self._slot_name(s))) for s in slots]
            yield from layout.bracketed("_DECAYING = ", publics, 4)
        if self.has_phases:
            names = [f'"{name}"' for name, _ in self._named_phases()]
            yield from layout.bracketed("_PHASES = ", names, 4)

    def _slot_table(self, table: str, chosen: Sequence[str]) -> list[str]:
        slots = [self._slot_name(s) for s in self.program.slots if s.name in chosen]
        if "w" in chosen:
            slots.insert(0, "var")
        return layout.bracketed(f"{table} = ", [str(LiteralText(name)) for name in slots], 4)

    # -------------------------------------------------------- constructor

    def init(self) -> list[str]:
        """The constructor."""
        head = signature(self.arguments, self._settings, self.class_name)
        return [
            *layout.call("def __init__", head, ":", 4),
            *self._defaults(),
            *([f'{_PAD}overrides = kwargs.pop("overrides", None)'] if self.program.hypers else []),
            f"{_PAD}self._construct(name, kwargs)",
            *(line for a in self.arguments for line in self._assignment(a)),
            *self._uses(),
            f"{_PAD}self._init_overrides({'overrides' if self.program.hypers else None})",
            *(line for s in self.program.slots for line in self._declared_slot(s)),
            *([f'{_PAD}self._declare_shared("{self._counter}", 0)'] if self._counts else []),
            *(line for s in self.program.shareds for line in self._declared_shared(s)),
            *self._sparse_attributes(),
        ]

    def _defaults(self) -> Iterator[str]:
        """What the arguments mean that have other names, or say nothing by themselves."""
        for a in self.arguments:
            if alias := tables.ALIASES.get(a.public):
                yield f"{_PAD}{a.public} = {alias.format(a.public)}"
            if meaning := tables.NONE_MEANS.get(a.public):
                zero = isinstance(a.item, Hyper) and 0 in a.item.domain
                nothing = f"{a.public} is None" if zero else f"_is_nothing({a.public})"
                yield f"{_PAD}{a.public} = {meaning} if {nothing} else {a.public}"

    def _assignment(self, argument: Argument) -> list[str]:
        lines = []
        if argument.computed is not None:
            lines = [
                f"{_PAD}if {argument.public} is None:",
                f"{_PAD}    {argument.public} = {computed_text(argument.computed, self._static)}",
            ]
        return lines + argument.assignment(8)

    def _uses(self) -> Iterator[str]:
        """The attributes that say which hyperparameters are used, where something asks."""
        asked = {
            v.name: v
            for e in program_expressions(self.program)
            for v in refs(e)
            if v.role == "uses"
        }
        for name, public in self._publics.items():
            if name in asked:
                yield f"{_PAD}{self._attribute(asked[name])} = _is_used({public})"

    def _declared_slot(self, slot: Slot) -> list[str]:
        args = [str(LiteralText(self._slot_name(slot)))]
        if slot.initial.level > Level.FIXED:
            args.append(f"lambda w: {self._initial_printer().expr(adapt_expression(slot.initial))}")
        elif (initial := self._static.expr(slot.initial)) != "0":
            args.append(initial)
        args += ["scalar=True"] if slot.scalar else []
        return self._under(slot.condition, "self._declare_slot", args)

    def _declared_shared(self, shared: Shared) -> list[str]:
        args = [str(LiteralText(self._shared_name(shared))), self._static.expr(shared.initial)]
        return self._under(shared.condition, "self._declare_shared", args)

    def _under(self, condition: Expr | None, function: str, args: Sequence[str]) -> list[str]:
        """A call, under a condition of the level fixed."""
        if condition is None:
            return layout.call(function, args, "", 8)
        return [
            f"{_PAD}if {self._static.expr(condition)}:",
            *layout.call(function, args, "", 12),
        ]

    def _initial_printer(self) -> Printer:
        """For what is made of the variable outside of a step, where constants are attributes."""

        def name(value: Value) -> str:
            fixed = value.role in ("flag", "const", "uses")
            return self._attribute(value) if fixed else value.name

        return Printer(tables.ELEMENTS, name)

    # ------------------------------------------------------ sparse policies

    def _sparse_attributes(self) -> list[str]:
        """What is done with sparse gradients."""
        found = [c for c in (self._sparse.waits, self._sparse.sweeps) if c is not False]
        texts = [condition_text(c, self._static) for c in found]
        waits = "True" if "True" in texts else " or ".join(texts)
        sweeps = condition_text(self._sparse.sweeps, self._static)
        return [
            f"{_PAD}self._sparse = {policy_text(self._sparse, self._static)}",
            f"{_PAD}self._densify = {condition_text(self._sparse.densify, self._static)}",
            *([f"{_PAD}self._waits = {waits}"] if self.waits else []),
            *([f"{_PAD}self._sweeps = {sweeps}"] if self.sweeps else []),
        ]

    # -------------------------------------------------------- the functions

    def scalars(self) -> list[str]:
        """The numbers of a step: inputs, their arithmetic, coefficients and shared values."""
        inputs = dict(self._text.inputs)
        step = self._text.names.of(_STEP)
        if self._counts:
            inputs[step] = _STEP
        reads = [line for name, value in inputs.items() for line in self._read(name, value)]
        shared = [f'"{self._counter}": {step}'] if self._counts else []
        shared += [
            f"{LiteralText(self._shared_name(s))}: {self._text.shared_results[s.name]}"
            for s in self.program.shareds
            if s.name in self._text.shared_results
        ]
        return [
            *layout.signature("def _scalars", [*_STEP_ARGUMENTS, *self._text.totals], 4),
            f'{_PAD}"""{_SCALARS}"""',
            *reads,
            *self._text.step,
            *layout.bracketed("coefficients = ", self._text.items, 8, "{}"),
            *layout.bracketed("return coefficients, ", shared, 8, "{}"),
        ]

    def _read(self, name: str, value: Value) -> Iterator[str]:
        if value.role == "step" and self._counts:
            yield f'{_PAD}{name} = self._shared_value("{self._counter}") + 1'
        elif value.role == "step":
            yield f"{_PAD}{name} = self._step_number()"
        elif value.role == "hyper":
            public = LiteralText(self._publics[value.name])
            yield f"{_PAD}{name} = self._real({public}, dtype, changes)"
        elif value.role == "shared":
            shared = self._shared_of(value.name)
            yield f"{_PAD}{name} = self._shared_value({LiteralText(self._shared_name(shared))})"
        elif value.role == "const":
            yield f"{_PAD}{name} = tf.constant({self._attribute(value)}, tf.float64)"
        elif value.role in ("flag", "uses"):
            yield f"{_PAD}{name} = tf.constant({self._attribute(value)})"

    def rule(self) -> list[str]:
        """The head and body of the rule."""
        coefficients = self._text.rule.coefficients
        return [
            *self._head("_rule", [*self._text.gradients, *self._states()], coefficients),
            f'{_PAD}"""One step of one variable, from the old states to the new ones."""',
            *self._body(self._text.rule, 8),
        ]

    def kernel(self) -> list[str]:
        """The method that says which operation of TensorFlow a dense step is."""
        names = [*(v.name for v in self.program.gradients), "w"]
        names += [s.name for s in self.program.slots]
        states = dict(zip(names, [*self._text.gradients, *self._states()], strict=True))
        return kernels.method(self.program, states, self._text.names, self._static)

    def phases(self) -> list[str]:
        """The methods for what has to be found out before the step: totals and later gradients."""
        return [line for phase in self._named_phases() for line in self._phase(*phase)]

    def _phase(self, name: str, text: PhaseText) -> list[str]:
        says = "What one variable adds to a sum over all of them."
        if not text.is_total:
            says = "Where one variable is when the gradient of this stage is taken."
        parameters = ["self", *text.gradients, *self._states(), *text.rule.coefficients]
        return [
            "",
            *layout.signature(f"def _{name}_scalars", [*_STEP_ARGUMENTS, *text.totals], 4),
            f'{_PAD}"""The coefficients of `_{name}`, in float64."""',
            *(line for input_ in text.inputs for line in self._read(*input_)),
            *text.step,
            *layout.bracketed("return ", text.items, 8, "{}"),
            "",
            *layout.signature(f"def _{name}", parameters, 4),
            f'{_PAD}"""{says}"""',
            *text.rule.lines,
            f"{_PAD}return {text.result}",
        ]

    def _named_phases(self) -> Iterator[tuple[str, PhaseText]]:
        """The phases with their names: totals from 1 on, stages from 2 on."""
        totals, stages = 0, 1
        for phase in self._text.phases:
            totals, stages = totals + phase.is_total, stages + (not phase.is_total)
            yield (f"total_{totals}" if phase.is_total else f"stage_{stages}"), phase

    def untouched(self) -> list[str]:
        """The rule at g = 0 of each policy, as far as something moves there."""
        lines: list[str] = []
        for untouched, text in self._text.untouched:
            if self._is_needed(untouched.policy):
                name = f"_untouched_{untouched.policy}"
                lines += [
                    "",
                    *self._head(name, self._states(), text.coefficients),
                    f'{_PAD}"""{_UNTOUCHED}"""',
                    *self._body(text, 8),
                ]
        return lines

    @property
    def waits(self) -> bool:
        """Whether slots of rows without a gradient wait until they are used, in some setting."""
        return self._sparse.rows_wait or self._sparse.slots_wait

    @property
    def sweeps(self) -> bool:
        """Whether other states move on all rows, in some such setting."""
        return self._sparse.slots_wait

    def decays(self) -> list[str]:
        """By what a step without a gradient multiplies slots, where rows wait."""
        return decays_method(self._text, self._sparse, "**others") if self.waits else []

    @property
    def moves_all(self) -> bool:
        """Whether in some setting all rows move in a sparse step."""
        return self._sparse.moves_all

    def _is_needed(self, policy: str) -> bool:
        return any(u.policy == policy for u in self._sparse.rules)

    def _head(self, name: str, inputs: Sequence[str], own: Sequence[str]) -> list[str]:
        """The signature; `others` are the coefficients that only the other function needs."""
        some = {c.name for c in self._text.coefficients} - set(own)
        rest = ["**others"] if some else []
        return layout.signature(f"def {name}", ["self", *inputs, *own, *rest], 4)

    def _body(self, text: RuleText, indent: int) -> list[str]:
        states = ["w", *(s.name for s in self.program.slots)]
        old = dict(zip(states, self._states(), strict=True))
        new = [text.results.get(state, name) for state, name in old.items()]
        return [*text.lines, *layout.returned(new, indent)]

    # -------------------------------------------------------------- lookups

    def operators(self) -> frozenset[str]:
        """The operators that the rules, the step and the initial values use."""
        return frozenset(op.op for expr in program_expressions(self.program) for op in ops(expr))
