"""The parts of a generated class that depend on the program, as lines of Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from optdsl.ir.build import expressions, ops, program_expressions, refs
from optdsl.ir.elementwise import has_sums_alone, is_elementwise
from optdsl.ir.nodes import (
    Const,
    Expr,
    Flag,
    Hyper,
    Literal_,
    Op,
    Program,
    Rule,
    Shared,
    Slot,
    Untouched,
    Value,
    W,
)  # fmt: skip
from optdsl.ir.regions import defines
from optdsl.ir.sparse import sparse
from optdsl.semantics.level import Level
from optdsl.semantics.model import Settings
from optdsl.targets import layout
from optdsl.targets.arguments import ConstList, attributes, computed_text, spelled
from optdsl.targets.base import Spelling
from optdsl.targets.functions import (
    PhaseText,
    ProgramText,
    RuleText,
    Style,
    condition_text,
    decays_method,
    policy_text,
    print_program,
    static_printer,
)
from optdsl.targets.numpy import tables
from optdsl.targets.numpy.arguments import Argument, arguments
from optdsl.targets.printer import Printer
from optdsl.targets.text import LiteralText, quoted

_CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm")


class Writer:
    """Writes the class of one program. Lines of methods are whole, with their indentation."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._settings = dict(program.settings).get("numpy", Settings())
        self.arguments = arguments(program, self._settings)
        self._attributes = attributes((a.item, a.name) for a in self.arguments)
        self._w, self._text = "w", print_program(program, self._style("w"))
        if (w := self._text.names.of(W)) != "w":  # it is needed after the new one is made
            self._w, self._text = w, print_program(program, self._style(w))
        self._static = static_printer(self._style(self._w), self._text.names)
        self._rows = sparse(program)

    def _style(self, w: str, indent: int = 8) -> Style:
        return Style(
            tables.elements(w), tables.numbers(w), self._attribute, tables.RANK,
            variables={} if self.sums else tables.VARIABLES,
            infinity="np.inf", taken=tables.TAKEN, indent=indent,
        )  # fmt: skip

    def _attribute(self, value: Value) -> str:
        name = self._attributes[value.name]
        return f"self._uses_{name}" if value.role == "uses" else f"self.{name}"

    @property
    def class_name(self) -> str:
        """The name of the class."""
        name = self._settings.class_name or self._program.name
        return spelled([name], tables.TAKEN | tables.MODULE_NAMES)[0]

    def _public(self, item: Slot | Shared) -> str:
        return self._settings.public.get(item.name, item.public)

    def spelling(self) -> Spelling:
        """What users call the arguments and slots."""
        slots = {s.name: self._public(s) for s in self._program.slots}
        return Spelling(self._attributes, slots)

    # ------------------------------------------------------------ what it uses

    def chooses(self) -> bool:
        """Whether a rule has a `where` that NumPy computes both sides of."""
        found = (o for r in self._program.rules for e in expressions(r.body) for o in ops(e))
        level = Level.VARIABLE if self.sums else Level.ELEMENT
        return any(o.op == "where" and o.level >= level for o in found)

    def _used(self) -> Iterator[str]:
        """The hyperparameters that are asked for by `uses`, in order."""
        exprs = program_expressions(self._program)
        asked = {v.name for e in exprs for v in refs(e) if v.role == "uses"}
        return (h.name for h in self._program.hypers if h.name in asked)

    # ------------------------------------------------------------------ tables

    def tables(self) -> list[str]:
        """The assignments at the top of the class that the machinery reads."""
        p = self._program
        hypers = {a.name: quoted(str(a.domain)) for a in self._of(Hyper)}
        consts = {
            a.name: f'("{a.domain}", {"int" if a.item.is_int else "float"})'
            for a in self._of(Const)
            if isinstance(a.item, Const)
        }
        public = {a.public: quoted(a.name) for a in self.arguments if a.public}
        groups = {
            "_HYPERS": _dict(hypers),
            "_CONSTS": _dict(consts),
            **({"_LISTS": _dict(self._lists())} if self.has_lists else {}),
            "_PUBLIC": _dict(public),
            "_SLOTS": _dict({s.name: quoted(self._public(s)) for s in p.slots}),
            "_SHARED": _dict({s.name: quoted(self._public(s)) for s in p.shareds}),
        }
        lines = [x for name, items in groups.items() for x in _table(name, items, "{}")]
        lines += _table("_FLAGS", [quoted(a.name) for a in self._of(Flag)], "()")
        lines += _table("_SCALARS", [quoted(s.name) for s in p.slots if s.scalar], "()")
        lines += self._clocks()
        names = [quoted(f"{'total' if x.is_total else 'stage'}_{i}") for i, x in self._numbered()]
        lines += _table("_PHASES", names, "()") if names else []
        return [
            *lines,
            f"    _USES_RANK = {any(map(self._uses_rank, p.rules))}",
            f"    _COMPILED = {self.is_compiled}",
            *self._decaying_table(),
        ]

    def _lists(self) -> dict[str, str]:
        return {
            a.name: f'("{a.domain}", {"int" if a.item.is_int else "float"}, {len(a.item.entries)})'
            for a in self.arguments
            if isinstance(a.item, ConstList)
        }

    @property
    def has_lists(self) -> bool:
        """Whether some argument is a list of numbers."""
        return bool(self._lists())

    def _clocks(self) -> list[str]:
        """Which counter is the time of which hyperparameter, where it is not the step."""
        clocks = {
            a.name: quoted(a.item.clock)
            for a in self._of(Hyper)
            if isinstance(a.item, Hyper) and a.item.clock
        }
        return _table("_CLOCKS", _dict(clocks), "{}") if clocks else []

    @property
    def has_clocks(self) -> bool:
        """Whether some hyperparameter has a time of its own."""
        return bool(self._clocks())

    @property
    def has_stages(self) -> bool:
        """Whether a step evaluates several gradients."""
        return len(self._program.gradients) > 1

    def _numbered(self) -> Iterator[tuple[int, PhaseText]]:
        """The phases with their numbers, totals from 1 on and stages from 2 on."""
        totals, stages = 0, 1
        for phase in self._text.phases:
            totals, stages = totals + phase.is_total, stages + (not phase.is_total)
            yield (totals if phase.is_total else stages), phase

    @staticmethod
    def _uses_rank(rule: Rule) -> bool:
        return any(o.op == "rank" for e in expressions(rule.body) for o in ops(e))

    def _of(self, kind: type) -> Iterator[Argument]:
        return (a for a in self.arguments if isinstance(a.item, kind))

    # ----------------------------------------------------------------- methods

    def init(self) -> list[str]:
        """The constructor with its decorator."""
        public = [f'{a.public}="{a.name}"' for a in self.arguments if a.public]
        clipping = [f"{name}=None" for name in _CLIPPING]
        overrides = ["overrides=None"] if self._program.hypers else []
        running = ["threads=1", 'engine="auto"']
        items = [*map(self._parameter, self.arguments), "*", *clipping, *overrides, *running]
        items = ["self", *items]
        lines = layout.call("@_also_called", public, "", 4) if public else []
        lines += layout.call("def __init__", items, ":", 4)
        for a in self.arguments:
            lines.append(f"        self.{a.name} = {self._value(a)}")
        for name in map(self._attributes.__getitem__, self._used()):
            lines.append(f"        self._uses_{name} = _is_used(self.{name})")
        lines.append(f"        self._policy = {policy_text(self._rows, self._static)}")
        lines.append(f"        self._densify = {condition_text(self._rows.densify, self._static)}")
        if self.waits:
            lines.append(f"        self._waits = {condition_text(self._rows.waits, self._static)}")
        shareds = self._program.shareds
        lines += self._state("shared", shareds) if shareds else []
        start = ["shared" if shareds else "{}", "overrides" if overrides else "None"]
        start += [f"{x}={x}" for x in (*_CLIPPING, "threads", "engine")]
        return lines + layout.call("self._start", start, "", 8)

    def _parameter(self, a: Argument) -> str:
        if a.is_required:
            return a.name
        return f"{a.name}={LiteralText(a.default)}"

    def _value(self, a: Argument) -> str:
        if a.computed is None:
            return a.name
        computed = computed_text(a.computed, self._static)
        return f"{a.name} if {a.name} is not None else {computed}"

    def _state(self, name: str, items: Sequence[Slot | Shared]) -> list[str]:
        """Lines that make a dict of initial values; `name` then stands for it."""
        always = {s.name: self._first(s.initial) for s in items if s.condition is None}
        lines = layout.bracketed(f"{name} = ", _dict(always), 8, "{}")
        for s in items:
            if s.condition is not None:
                lines.append(f"        if {self._static.expr(s.condition)}:")
                lines.append(f'            {name}["{s.name}"] = {self._first(s.initial)}')
        return lines

    def _first(self, initial: Expr) -> str:
        """An initial value, made of constants or of `w`."""

        def name(value: Value) -> str:
            return "w" if value.role == "variable" else self._attribute(value)

        forms = {**tables.elements("w"), "rank": "np.ndim({0})"}
        return Printer(forms, name, "{0}", "np.inf", tables.VARIABLES).expr(initial)

    def initial(self) -> list[str]:
        """The body of `_initial`."""
        return [*self._state("state", self._program.slots), "        return state"]

    def step(self) -> list[str]:
        """The method `_step`."""
        text = self._text
        lines = layout.signature("def _step", self._step_parameters(text.totals), 4)
        lines.append(
            '        """The numbers of step t, in float64: coefficients, and new shared values."""'
        )
        lines += [*self._fixed_inputs(text.inputs), *text.step]
        lines += layout.bracketed("coefficients = ", text.items, 8, "{}")
        shared = _dict(text.shared_results)
        if not shared:
            return [*lines, "        return coefficients, {}"]
        lines += layout.bracketed("shared = ", shared, 8, "{}")
        return [*lines, "        return coefficients, shared"]

    def _step_parameters(self, totals: Sequence[str]) -> list[str]:
        of = self._text.names.of
        parameters = ["self", of(Value("t", 0, Level.STEP, "step"))]
        parameters += [of(Value(a.item.name, 0, Level.STEP, "hyper")) for a in self._of(Hyper)]
        consts = [a.item.name for a in self._of(Const)]
        lists = [a.item for a in self.arguments if isinstance(a.item, ConstList)]
        consts += [entry.name for item in lists for entry in item.entries]
        parameters += [of(Value(name, 0, Level.FIXED, "const")) for name in consts]
        parameters += [of(Value(s.name, 0, Level.STEP, "shared")) for s in self._program.shareds]
        return [*parameters, *totals]

    def _fixed_inputs(self, inputs: Iterable[tuple[str, Value]]) -> list[str]:
        """What the step reads of what is fixed at construction."""
        return [
            f"        {name} = {self._attribute(value)}"
            for name, value in inputs
            if value.role in ("flag", "uses")
        ]

    def phases(self) -> list[str]:
        """The methods for what has to be found out before the step: totals and later gradients."""
        lines: list[str] = []
        for (number, text), phase in zip(self._numbered(), self._program.phases, strict=True):
            name = f"_total_{number}" if text.is_total else f"_stage_{number}"
            lines += [""] if lines else []
            lines += [*self._phase_step(name, text), "", *self._phase(name, text, phase.rule)]
        return lines

    def _phase_step(self, name: str, text: PhaseText) -> list[str]:
        return [
            *layout.signature(f"def {name}_step", self._step_parameters(text.totals), 4),
            f'        """The numbers that `{name}` needs, in float64."""',
            *self._fixed_inputs(text.inputs),
            *text.step,
            *layout.bracketed("return ", text.items, 8, "{}"),
        ]

    def _phase(self, name: str, text: PhaseText, rule: Rule) -> list[str]:
        says = "The part of one variable in a sum over all."
        returned = [f"        return {text.result}"]
        if not text.is_total:
            says = "Where one variable is when the gradient of this stage is taken."
            returned = layout.returned([text.result], 8)
        return [
            *self._signature(name, text.gradients, [text.rule], self._uses_rank(rule)),
            f'        """{says}"""',
            *text.rule.lines,
            *returned,
        ]

    def rule(self) -> list[str]:
        """The method `_rule`, which returns the rule: a function of arrays and numbers alone."""
        fixed: dict[str, str] = {}
        style = replace(self._style(self._w, indent=12), attribute=self._local(fixed))
        text = print_program(self._program, style)
        body = self._body(text.rule, 12)
        return [
            "    def _rule(self):",
            '        """A step of one variable: gradient, array, slots -> new array, new slots."""',
            *(f"        {name} = {attribute}" for attribute, name in fixed.items()),
            "",
            *layout.signature("def rule", self._rule_parameters(text), 8),
            *body,
            "",
            "        return rule",
        ]

    def _local(self, fixed: dict[str, str]) -> Callable[[Value], str]:
        """How the rule calls what is fixed at construction; `fixed` gets names by attributes."""
        taken = set(self._rule_parameters(self._text))
        taken |= {self._text.names.of(d.value) for d in defines(self._program.rule.body)}

        def local(value: Value) -> str:
            attribute = self._attribute(value)
            name = attribute.removeprefix("self.").lstrip("_")
            while name in taken:
                name += "_"
            return fixed.setdefault(attribute, name)

        return local

    def _rule_parameters(self, text: ProgramText) -> list[str]:
        """Gradients, the array, slots, and all the numbers, in the order of the step."""
        numbers = [c.name for c in text.coefficients]
        rank = [tables.RANK] if any(map(self._uses_rank, self._program.rules)) else []
        return [*text.gradients, self._w, *text.slots.values(), *numbers, *rank]

    @property
    def is_elementwise(self) -> bool:
        """Whether the rule may run on any part of a variable, since no element needs another."""
        return not any(s.scalar for s in self._program.slots) and all(
            is_elementwise(rule) for rule in (self._program.rule, *(u.rule for u, _ in self._swept))
        )

    @property
    def sums(self) -> bool:
        """Whether the rule runs in blocks but for sums over the variable."""
        p = self._program
        return (
            not any(s.scalar for s in p.slots)
            and not p.phases
            and not is_elementwise(p.rule)
            and has_sums_alone(p.rule)
        )

    @property
    def in_place(self) -> bool:
        """Whether dense steps change arrays block by block."""
        return self.is_elementwise or self.sums

    @property
    def is_compiled(self) -> bool:
        """Whether numba can compile the rule."""
        found = [o for e in expressions(self._program.rule.body) for o in ops(e)]
        return self.is_elementwise and all(map(_is_compiled, found))

    def loop(self) -> list[str]:
        """The function `_loop`, which numba compiles; nothing where it cannot."""
        if not self.is_compiled:
            return []
        gradients, slots, k = self._text.gradients, self._text.slots.values(), "first + element"
        before, after = ([f"at({x}, {k})" for x in group] for group in (gradients, slots))
        given = [*before, f"{self._w}[element]", *after, "*numbers"]
        parameters = ["numbers", "first", self._w, *gradients, *slots]
        return [
            "def _loop(rule, at, put):",
            '    """The rule element by element, for numba; of other arrays from `first` on."""',
            "",
            *layout.signature("def loop", parameters, 4),
            f"        for element in range({self._w}.size):",
            *layout.call("new = rule", given, "", 12),
            f"            {self._w}[element] = new[0]",
            *(f"            put({x}, {k}, new[{i}])" for i, x in enumerate(slots, 1)),
            "",
            "    return loop",
        ]

    @property
    def _swept(self) -> list[tuple[Untouched, RuleText]]:
        """The rules at g = 0 that some policy needs."""
        return [(u, text) for u, text in self._text.untouched if u in self._rows.rules]

    def untouched(self) -> list[str]:
        """The method `_untouched`; nothing where no policy has a use for it."""
        found = self._swept
        if not found:
            return []
        rank = any(self._uses_rank(u.rule) for u, _ in found)
        lines = self._signature("_untouched", [], [text for _, text in found], rank)
        lines.append(
            '        """The rule at g = 0: rows that a sparse gradient does not mention."""'
        )
        for inner in print_program(self._program, self._style(self._w, indent=12)).untouched:
            if inner[0] in self._rows.rules and inner[0] != found[-1][0]:
                lines.append(f'        if self._policy == "{inner[0].policy}":')
                lines += self._body(inner[1], 12)
        return lines + self._body(found[-1][1], 8)

    @property
    def waits(self) -> bool:
        """Whether rows without a gradient can wait until they are used, in some setting."""
        return self._rows.rows_wait

    def _decaying_table(self) -> list[str]:
        if not self.waits:
            return []
        decaying = self._text.decays[self._rows.decaying or ""]
        return _table("_DECAYING", [*map(quoted, decaying.results)], "()")

    def decays(self) -> list[str]:
        """By what a step without a gradient multiplies slots, where rows wait."""
        rank = any(map(self._uses_rank, self._program.rules))
        return decays_method(self._text, self._rows, "**_", rank) if self.waits else []

    def _signature(
        self, name: str, first: Sequence[str], texts: Sequence[RuleText], rank: bool
    ) -> list[str]:
        used = list(dict.fromkeys(c for text in texts for c in text.coefficients))
        given = len(self._text.coefficients) + any(map(self._uses_rank, self._program.rules))
        if name.startswith(("_total", "_stage")):  # they get coefficients of their own
            given = len(used) + any(map(self._uses_rank, self._program.rules))
        used += [tables.RANK] if rank else []
        others = ["**_"] if len(used) < given else []
        marker = ["*"] if used else []
        parameters = ["self", *first, self._w, *self._text.slots.values(), *marker, *used, *others]
        return layout.signature(f"def {name}", parameters, 4)

    def _body(self, text: RuleText, indent: int) -> list[str]:
        states = {"w": self._w, **self._text.slots}
        results = [text.results.get(state, name) for state, name in states.items()]
        return [*text.lines, *layout.returned(results, indent)]


def _is_compiled(operator: Op) -> bool:
    """Whether numba compiles it: an infinity is of 64 bits to it, a number has no `astype`."""
    literals = [a.value for a in operator.args if isinstance(a, Literal_)]
    if not all(map(math.isfinite, literals)) or tables.chooses_number(operator):
        return False
    return operator.op in tables.COMPILED


def _dict(items: Mapping[str, str]) -> list[str]:
    return [f'"{key}": {value}' for key, value in items.items()]


def _table(name: str, items: Sequence[str], brackets: str) -> list[str]:
    return layout.bracketed(f"{name} = ", items, 4, brackets)
