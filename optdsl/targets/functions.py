"""The functions of a generated class: the step's numbers, the rule, and the rule at g = 0.

Every target prints the same three functions with its own tables; what stands around them is the
business of its template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from optdsl.ir.build import expressions, refs
from optdsl.ir.nodes import (
    Block,
    Define,
    Expr,
    Phase,
    Program,
    Ref,
    Result,
    Rule,
    Untouched,
    Value,
    W,
)
from optdsl.ir.sparse import Condition, Sparse
from optdsl.semantics.level import Level
from optdsl.targets import layout
from optdsl.targets.naming import Function, Names, identifiers
from optdsl.targets.printer import PYTHON, BlockPrinter, Form, Printer

#: Columns that stay free in the dict of coefficients: names may get a number when they clash.
_LONGER_NAMES = 8


@dataclass(frozen=True)
class Style:
    """How a target writes: tables of functions for elements and for the numbers of a step.

    `attribute` spells what is fixed at construction (flag, const, `uses`) inside a method.
    `variables` replaces forms of `elements` for one number per variable. `literal` and
    `step_literal` are the forms of a literal argument of a function; `rank` that of
    `rank(x)`; `taken` are identifiers that no value may have; `indent` is that of the bodies.
    """

    elements: Mapping[str, Form]
    numbers: Mapping[str, Form]
    attribute: Callable[[Value], str]
    rank: str
    variables: Mapping[str, Form] = field(default_factory=dict)
    literal: str = "{0}"
    step_literal: str = "{0}"
    infinity: str = 'float("inf")'
    taken: frozenset[str] = frozenset()
    indent: int = 8


@dataclass(frozen=True)
class RuleText:
    """A printed rule: its coefficients' identifiers, its lines, and each state's new value."""

    coefficients: tuple[str, ...]
    lines: tuple[str, ...]
    results: Mapping[str, str]


@dataclass(frozen=True)
class Coefficient:
    """A number (or truth value) that the step hands to the rules, by its identifier."""

    name: str
    is_bool: bool
    value: Value


@dataclass(frozen=True)
class PhaseText:
    """A printed phase: what it finds out, the numbers of its step with the items of their dict, its
    rule and that one's result.

    `totals` and `gradients` are the identifiers of those that are known before it.
    """

    name: str
    is_total: bool
    inputs: tuple[tuple[str, Value], ...]
    step: tuple[str, ...]
    items: tuple[str, ...]
    rule: RuleText
    result: str
    totals: tuple[str, ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class ProgramText:
    """All of a program that is printed the same way in every target.

    `inputs` are what the step reads (`t`, hypers, consts, flags, shareds), with the identifiers
    they have there; `items` are those of the dict of coefficients in which it ends.
    `shared_results` give each shared's new value in the step. `decays`, by policy, give what a step
    without a gradient multiplies slots by, where rows can wait.
    """

    inputs: tuple[tuple[str, Value], ...]
    step: tuple[str, ...]
    items: tuple[str, ...]
    shared_results: Mapping[str, str]
    coefficients: tuple[Coefficient, ...]
    rule: RuleText
    untouched: tuple[tuple[Untouched, RuleText], ...]
    decays: Mapping[str, RuleText]
    slots: Mapping[str, str]
    names: Names
    phases: tuple[PhaseText, ...]
    gradients: tuple[str, ...]
    totals: tuple[str, ...]


def print_program(program: Program, style: Style) -> ProgramText:
    """The functions of a program in the style of a target."""
    names = Names(style.taken)
    zero = [u.rule for u in program.untouched]
    rules = [program.rule, *zero, *(u.decays for u in program.untouched)]
    states = _states(program)
    calls = tuple(dict.fromkeys(c for k in program.kernels for c in k.coefficients))
    coefficients = tuple(dict.fromkeys([*(c for r in rules for c in r.coefficients), *calls]))
    inputs = _step_inputs(program, program.step, coefficients, program.shared_results)
    shared = tuple(r.value for r in program.shared_results)
    fits = _fitting(style, names)
    step = _step_function(inputs, program.step, coefficients, shared, fits)
    functions = [step, *(_function(r, states) for r in rules)]
    phases = [_phase_functions(program, p, states, fits) for p in program.phases]
    kernels = Function((*states, *calls), (), tuple(map(Ref, calls)))
    names.settle([*functions, *(f for pair in phases for f in pair), kernels])
    numbers = _printer(style, names, step=True)
    lines, items = _step_text(step, coefficients, style, names)
    return ProgramText(
        inputs=tuple((names.of(v), v) for v in inputs),
        step=lines,
        items=items,
        shared_results={r.state: numbers.expr(r.value) for r in program.shared_results},
        coefficients=tuple(Coefficient(names.of(c), c.is_bool, c) for c in coefficients),
        rule=_rule_text(program.rule, functions[1], style, names),
        untouched=tuple(
            (u, _rule_text(u.rule, f, style, names))
            for u, f in zip(program.untouched, functions[2:], strict=False)
        ),
        decays={
            u.policy: _rule_text(u.decays, f, style, names)
            for u, f in zip(program.untouched, functions[2 + len(zero) :], strict=True)
        },
        slots={v.name: names.of(v) for v in states if v.role == "slot"},
        names=names,
        phases=tuple(
            _phase_text(program, p, pair, style, names)
            for p, pair in zip(program.phases, phases, strict=True)
        ),
        gradients=tuple(map(names.of, program.gradients)),
        totals=tuple(map(names.of, program.totals)),
    )


def _phase_functions(
    program: Program,
    phase: Phase,
    states: tuple[Value, ...],
    fits: Callable[[Value, Expr], bool],
) -> tuple[Function, Function]:
    """The step and the rule of a phase."""
    coefficients = phase.rule.coefficients
    inputs = _step_inputs(program, phase.step, coefficients, ())
    step = _step_function(inputs, phase.step, coefficients, (), fits)
    return step, _function(phase.rule, states)


def _phase_text(
    program: Program,
    phase: Phase,
    functions: tuple[Function, Function],
    style: Style,
    names: Names,
) -> PhaseText:
    step, rule = functions
    before = program.phases[: program.phases.index(phase)]
    lines, items = _step_text(step, phase.rule.coefficients, style, names)
    text = _rule_text(phase.rule, rule, style, names)
    (result,) = text.results.values()
    later = (p.value for p in before if not p.is_total)
    return PhaseText(
        name=names.of(phase.value),
        is_total=phase.is_total,
        inputs=tuple((names.of(v), v) for v in step.parameters),
        step=lines,
        items=items,
        rule=text,
        result=result,
        totals=tuple(names.of(p.value) for p in before if p.is_total),
        gradients=tuple(map(names.of, (program.gradients[0], *later))),
    )


def _states(program: Program) -> tuple[Value, ...]:
    slots = (
        Value(s.name, 0, Level.VARIABLE if s.scalar else Level.ELEMENT, "slot")
        for s in program.slots
    )
    return (*program.gradients, W, *slots)


def _step_inputs(
    program: Program, step: Block, coefficients: Iterable[Value], results: Iterable[Result]
) -> tuple[Value, ...]:
    """What a step reads, in the order of declaration, `t` and totals last."""
    exprs = (*expressions(step), *(r.value for r in results))
    read = {v for e in exprs for v in refs(e) if v.role != "local"}
    read.update(c for c in coefficients if c.role != "local")
    groups = (program.hypers, program.consts, program.flags, program.shareds)
    order = {item.name: i for i, item in enumerate(x for group in groups for x in group)}
    return tuple(sorted(read, key=lambda v: (order.get(v.name, len(order)), v.role)))


def _step_function(
    inputs: tuple[Value, ...],
    step: Block,
    coefficients: Iterable[Value],
    shared: tuple[Expr, ...],
    fits: Callable[[Value, Expr], bool],
) -> Function:
    """The numbers of a step: what is computed line by line, then the values of the coefficients.

    A number that the compiler has named, and that nothing else is made of, needs no line, where the
    dict of coefficients has room for it.
    """
    read = {v for e in (*expressions(step), *shared) for v in refs(e)}
    own = {
        s.value: s.expr
        for s in step
        if isinstance(s, Define) and not s.text and s.value not in read and fits(s.value, s.expr)
    }
    inlined = own.keys() & set(coefficients)
    body = tuple(s for s in step if not (isinstance(s, Define) and s.value in inlined))
    values = tuple(own[c] if c in inlined else Ref(c) for c in coefficients)
    return Function(inputs, body, (*values, *shared))


def _step_text(
    step: Function, coefficients: Iterable[Value], style: Style, names: Names
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of a step, and the items of its dict of coefficients."""
    numbers = _printer(style, names, step=True)
    lines = _block_printer(style, names, step, numbers).lines(step.body, style.indent)
    items = zip(map(names.of, coefficients), map(numbers.expr, step.results), strict=False)
    return tuple(lines), tuple(_item(name, text) for name, text in items)


def _item(name: str, text: str) -> str:
    return f'"{name}": {text}'


def _fitting(style: Style, names: Names) -> Callable[[Value, Expr], bool]:
    """Whether an item of the dict fits into a line, also if some names have to be longer."""
    numbers = _printer(style, names, step=True)
    room = layout.WIDTH - style.indent - 4 - len(",") - _LONGER_NAMES
    return lambda value, expr: len(_item(names.of(value), numbers.expr(expr))) <= room


def _function(rule: Rule, states: tuple[Value, ...]) -> Function:
    return Function((*states, *rule.coefficients), rule.body, tuple(r.value for r in rule.results))


def _printer(style: Style, names: Names, step: bool) -> Printer:
    if step:
        return Printer(style.numbers, names.of, style.step_literal, style.infinity)
    return Printer(style.elements, names.of, style.literal, style.infinity, style.variables)


def static_printer(style: Style, names: Names) -> Printer:
    """For what is known without a step: Python's own numbers and the ranks of variables."""

    def name(value: Value) -> str:
        return (
            style.attribute(value) if value.role in ("flag", "const", "uses") else names.of(value)
        )

    return Printer({**PYTHON, "rank": style.rank}, name)


def _block_printer(
    style: Style, names: Names, function: Function, printer: Printer
) -> BlockPrinter:
    taken = style.taken | identifiers(function, names)
    return BlockPrinter(printer, static_printer(style, names), names.of, taken)


def _rule_text(rule: Rule, function: Function, style: Style, names: Names) -> RuleText:
    printer = _printer(style, names, step=False)
    lines = _block_printer(style, names, function, printer).lines(rule.body, style.indent)
    results = {r.state: printer.expr(r.value) for r in rule.results}
    return RuleText(tuple(map(names.of, rule.coefficients)), tuple(lines), results)


def decays_method(text: ProgramText, rows: Sparse, rest: str, others: bool = False) -> list[str]:
    """The method `_decays`, where rows wait. `rest` is the parameter for the numbers of the step
    that it does not need; `others`: there are some beside the coefficients.
    """
    rule = text.decays[rows.decaying or ""]
    others = others or len(rule.coefficients) < len(text.coefficients)
    parameters = ["self", *rule.coefficients, *([rest] if others else [])]
    return [
        "",
        *layout.signature("def _decays", parameters, 4),
        '        """What a step without a gradient multiplies the slots of `_DECAYING` by."""',
        *layout.returned(list(rule.results.values()), 8),
    ]


def condition_text(condition: Condition, static: Printer) -> str:
    """A condition that is known at construction."""
    return str(condition) if isinstance(condition, bool) else static.expr(condition)


def policy_text(rows: Sparse, static: Printer) -> str:
    """The sparse policy, as an expression of what is known at construction.

    Where nothing moves on the rows that a gradient does not mention, it is lazy in all but name,
    and so it is called.
    """
    text = ""
    for policy in reversed(rows.policies):
        value = _way(policy.name, rows.moves[policy.name], static)
        if policy.condition is None:
            text = value
        elif value != text:
            otherwise = f"({text})" if " if " in text else text
            text = f"{value} if {static.expr(policy.condition)} else {otherwise}"
    return text


def _way(policy: str, moves: Condition, static: Printer) -> str:
    if moves is False:
        return '"lazy"'
    return f'"{policy}"' if moves is True else f'("{policy}" if {static.expr(moves)} else "lazy")'
