"""What the generated classes of schedules have in common: arguments, checks, the value's lines.

A target adds its table of functions and its template. Arguments go by their public names in every
target, and so do the attributes that hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from optdsl.ir.build import expressions, ops, refs
from optdsl.ir.nodes import Const, Expr, Flag, Op, Value
from optdsl.ir.schedule import STEP, Argument, Numbers, Schedule
from optdsl.semantics.level import Level
from optdsl.semantics.model import Settings
from optdsl.targets import layout
from optdsl.targets.arguments import (
    Computed,
    computed_text,
    default,
    described,
    ranked,
    spelled,
)
from optdsl.targets.documentation import docstring, documented, indented
from optdsl.targets.layout import WIDTH
from optdsl.targets.naming import Function, Names
from optdsl.targets.printer import PYTHON, BlockPrinter, Form, Printer
from optdsl.targets.text import Code, Documentation, Identifier, LiteralText, SafeText, quoted

#: Attributes that every generated class has.
_MEMBERS = frozenset({"from_config", "get_config", "name", "self"})

#: How generated files write it.
_PI = "math.pi"

#: The operators that files need a function or a module for.
_HELPERS = frozenset({"piecewise", "sigmoid"})


@dataclass(frozen=True)
class View:
    """What the templates print; a tuple holds lines as they stand in the file.

    `head` are the lines of the constructor, `value` those that return the value of a step,
    `config` those that return the arguments. `uses` are the operators in _HELPERS.
    """

    class_name: Identifier
    summary: SafeText
    documentation: tuple[SafeText, ...]
    head: tuple[SafeText, ...]
    checks: tuple[SafeText, ...]
    value: tuple[SafeText, ...]
    config: tuple[SafeText, ...]
    needs_math: bool
    reads_step: bool
    has_numbers: bool
    has_lists: bool
    has_pieces: bool
    uses: frozenset[str]


@dataclass(frozen=True)
class StepPrinter(Printer):
    """Prints numbers of the step with its table; what is known at construction with `static`."""

    static: Printer = field(default_factory=lambda: Printer({}, str))

    def _print(self, expr: Expr) -> tuple[str, int]:
        if isinstance(expr, Op) and expr.level == Level.FIXED:
            return self.static._print(expr)
        return super()._print(expr)


@dataclass(frozen=True)
class Style:
    """How a target writes: its functions for the numbers of a step, the identifiers it keeps,
    arguments of its own, columns of the value.

    `returned` makes the lines that return the value's expression, and is told whether that is a
    number of Python, made of constants alone.
    """

    target: str
    forms: Mapping[str, Form]
    taken: Collection[str]
    indent: int
    returned: Callable[[str, bool], list[str]]
    own: tuple[str, ...] = ()
    own_documentation: tuple[str, ...] = ()


def spelling(schedule: Schedule, style: Style) -> dict[str, str]:
    """What the arguments are called in the generated class, by the names of the spec."""
    settings = dict(schedule.settings).get(style.target, Settings())
    publics = (settings.public.get(a.name, a.public) for a in schedule.arguments)
    names = spelled(publics, {*style.taken, *_MEMBERS})
    return {a.name: n for a, n in zip(schedule.arguments, names, strict=True)}


def view(schedule: Schedule, style: Style) -> View:
    """What a template needs to print one schedule."""
    return _Writer(schedule, style).view()


class _Writer:
    def __init__(self, schedule: Schedule, style: Style) -> None:
        self._schedule, self._style = schedule, style
        self._settings = dict(schedule.settings).get(style.target, Settings())
        self._spelled = spelling(schedule, style)
        self._names = Names(frozenset(style.taken))
        self._static = Printer(PYTHON, self._name, pi=_PI)

    def view(self) -> View:
        parts = {"head": self._head(), "checks": self._checks(), "config": self._config()}
        value = self._value()
        written = written_in(self._schedule)
        lines = [*parts["head"], *parts["checks"], *value]
        (class_name,) = spelled(
            [self._settings.class_name or self._schedule.name], self._style.taken
        )
        return View(
            class_name=Identifier(class_name),
            summary=Documentation(documented(self._schedule)[0]),
            documentation=tuple(self._documentation()),
            value=tuple(map(Code, value)),
            needs_math=any("math." in line.replace("tf.math.", "") for line in lines),
            reads_step=any(STEP in refs(e) for e in written),
            has_numbers=any(not isinstance(a, Flag) for a in self._schedule.arguments),
            has_lists=any(isinstance(a, Numbers) for a in self._schedule.arguments),
            has_pieces=bool(self._schedule.pieces),
            uses=frozenset(o.op for e in written for o in ops(e) if o.op in _HELPERS),
            **{name: tuple(map(Code, part)) for name, part in parts.items()},
        )

    def _name(self, value: Value) -> str:
        fixed = value.role in ("const", "flag")
        return f"self.{self._spelled[value.name]}" if fixed else self._names.of(value)

    # ------------------------------------------------------------- constructor

    def _head(self) -> list[str]:
        publics = {self._settings.public.get(a.name, a.public): a for a in self._schedule.arguments}
        order = ranked(publics, self._settings.order, ())
        items = ["self", *(self._parameter(publics[p]) for p in order), *self._style.own]
        return layout.call("def __init__", items, ":", 4)

    def _parameter(self, a: Argument) -> str:
        return f"{self._spelled[a.name]}={self._default(a)}"

    def _default(self, a: Argument) -> str:
        if isinstance(a, Numbers):
            comma = "," if len(a.default) == 1 else ""
            return f"({', '.join(LiteralText(x) for x in a.default)}{comma})"
        return LiteralText(default(a, self._settings)[0])

    def _checks(self) -> list[str]:
        """The attributes, in the order of their declaration: a default may be made of others."""
        lines = []
        for a in self._schedule.arguments:
            lines += self._attribute(a)
        for pair in self._schedule.pieces:
            items = [
                x for n in pair for x in (quoted(self._spelled[n]), f"self.{self._spelled[n]}")
            ]
            lines += layout.call("_check_pieces", items, "", 8)
        return lines

    def _attribute(self, a: Argument) -> list[str]:
        name = self._spelled[a.name]
        if isinstance(a, Flag):
            return [f"        self.{name} = bool({name})"]
        function = "_numbers" if isinstance(a, Numbers) else "_number"
        items = [quoted(name), name, quoted(str(a.domain))]
        items += ["int"] if isinstance(a, Const) and a.is_int else []
        computed = default(a, self._settings)[1] if isinstance(a, Const) else None
        lines = [] if computed is None else self._computed(name, computed)
        return [*lines, *layout.call(f"self.{name} = {function}", items, "", 8)]

    def _computed(self, name: str, computed: Computed) -> list[str]:
        return [
            f"        if {name} is None:",
            f"            {name} = {computed_text(computed, self._static)}",
        ]

    def _config(self) -> list[str]:
        own = [f"{quoted(n)}: self.{n}" for n in (x.partition("=")[0] for x in self._style.own)]
        items = [*map(self._item, self._schedule.arguments), *own]
        return layout.bracketed("return ", items, 8, "{}")

    def _item(self, a: Argument) -> str:
        name = self._spelled[a.name]
        value = f"list(self.{name})" if isinstance(a, Numbers) else f"self.{name}"
        return f"{quoted(name)}: {value}"

    # ------------------------------------------------------------------- value

    def _value(self) -> list[str]:
        s, indent = self._schedule, self._style.indent
        self._names.settle([Function((STEP,), s.body, (s.result,))])
        printer = StepPrinter(self._style.forms, self._name, pi=_PI, static=self._static)
        used = {self._names.of(v) for e in written_in(s) for v in refs(e)}
        taken = frozenset({*self._style.taken, *used})
        block = BlockPrinter(printer, self._static, self._names.of, taken)
        lines = block.lines(s.body, indent)
        *parts, last = block.assign("value", s.result, indent)
        result = last[indent + len("value = ") :]
        return [*lines, *parts, *self._style.returned(result, s.result.level == Level.FIXED)]

    # ----------------------------------------------------------- documentation

    def _documentation(self) -> list[Documentation]:
        arguments = (
            line
            for a in self._schedule.arguments
            for line in described(self._spelled[a.name], a, _note(a), WIDTH - 8)
        )
        items = [*arguments, *self._style.own_documentation]
        return docstring(
            [
                *documented(self._schedule),
                "",
                "The value after t steps; t is 0 in the first::",
                "",
                *indented(self._schedule.equations),
                *(["", "Args:", *indented(items)] if items else []),
            ]
        )


def _note(a: Argument) -> str:
    """What the documentation of an argument says of its kind and of its name in the equations."""
    kind = "A list of numbers." if isinstance(a, Numbers) else ""
    own = f"In the equations: {a.name}." if a.name != a.public else ""
    return " ".join(filter(None, [kind, own]))


def written_in(schedule: Schedule) -> Iterable[Expr]:
    """Every whole expression of a schedule's value."""
    return (*expressions(schedule.body), schedule.result)
