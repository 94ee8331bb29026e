"""What the compiler found out about an optimizer, as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from optdsl.ir.build import op
from optdsl.ir.lower import translate
from optdsl.ir.nodes import (
    Block,
    Branch,
    Define,
    Expr,
    Fused,
    Literal_,
    Movement_,
    Op,
    Program,
    Ref,
    Slot,
    Untouched,
    Value,
)
from optdsl.ir.passes import run_passes
from optdsl.kernels.select import with_kernels
from optdsl.semantics.level import Level
from optdsl.semantics.model import Optimizer
from optdsl.semantics.operators import FUNCTIONS
from optdsl.targets.printer import ARITHMETIC, LOGIC, Form, Printer
from optdsl.targets.tensorflow.kernels import of_keras

_COST = {
    Level.FIXED: "when the optimizer is constructed",
    Level.STEP: "once per step",
    Level.VARIABLE: "once per variable",
    Level.ELEMENT: "per element",
}


def _call(op: Op, args: Iterable[str]) -> str:
    return f"{op.op}({', '.join(args)})"


_FORMS: dict[str, Form] = {
    **dict.fromkeys(FUNCTIONS, _call),
    **ARITHMETIC,
    **LOGIC,
    "fill": "{0}",
}
_PRINTER = Printer(
    _FORMS, lambda v: f"uses({v.name})" if v.role == "uses" else v.name, infinity="inf"
)


def explain(optimizer: Optimizer) -> str:
    """The levels of its statements, its state, what sparse gradients do; ends with a newline."""
    written = translate(optimizer)
    program = run_passes(written)
    parts = [
        [program.name],
        ["Statements, and when each is computed", *_statements(written.rule.body)],
        ["State", *_state(program)],
        *(_policy(program, number) for number in range(len(program.policies))),
    ]
    if kernels := with_kernels(program).kernels:
        where = "tf1 and keras_v2" if of_keras(program).kernels == kernels else "tf1"
        lines = [_kernel(fused, first=fused is kernels[0]) for fused in kernels]
        parts.append([f"A dense gradient in {where}", *lines])
    if program.evaluation is not None:
        parts.append(["At evaluation", *program.evaluation.equation.split("\n")])
    return "\n".join("\n".join((part[0], *_indented(part[1:]), "")) for part in parts)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _text(expr: Expr) -> str:
    """An expression in the notation of specs."""
    return _PRINTER.expr(expr).replace("**", "^")


def _if(condition: Expr | bool | None) -> str:
    return f" if {_text(condition)}" if isinstance(condition, Expr) else ""


def _columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    rows = list(rows)
    width = max((len(left) for left, _ in rows), default=0)
    return [f"{left:<{width}}  {right}".rstrip() for left, right in rows]


# ----------------------------------------------------------------- statements


def _statements(block: Block) -> list[str]:
    return _columns(_leveled(block, ""))


def _leveled(block: Block, indent: str) -> Iterator[tuple[str, str]]:
    for statement in block:
        if isinstance(statement, Define):
            yield indent + statement.text, _level(statement.value.level)
            continue
        yield indent + statement.text, _level(statement.condition.level)
        yield from _leveled(statement.then, indent + "  ")
        if statement.orelse:
            yield indent + "else", ""
            yield from _leveled(statement.orelse, indent + "  ")


def _level(level: Level) -> str:
    return f"{level!s:<8}  {_COST[level]}"


def _kernel(fused: Fused, *, first: bool) -> str:
    """Under what conditions a step is one operation of the framework, if none before is the one."""
    conditions = [fused.condition] if fused.condition is not None else []
    conditions += [op("gt", Ref(value), Literal_(0)) for value in fused.positive]
    when = " and ".join(map(_text, conditions))
    runs = "runs" if first else "else"
    return f"{runs} on the fused kernel {fused.kernel}" + (f" if {when}" if when else "")


# ---------------------------------------------------------------------- state


def _state(program: Program) -> list[str]:
    lines = [
        *_bytes("per parameter", [s for s in program.slots if not s.scalar]),
        *_bytes("per variable", [s for s in program.slots if s.scalar]),
    ]
    if program.shareds:
        names = ", ".join(s.name for s in program.shareds)
        lines.append(f"{8 * len(program.shareds)} bytes for the whole optimizer: {names}")
    return lines or ["none"]


def _bytes(per: str, slots: list[Slot]) -> Iterator[str]:
    """A line for the slots under each condition: half precision keeps float32 state."""
    for condition in dict.fromkeys(s.condition for s in slots):
        names = [s.name for s in slots if s.condition == condition]
        small, large = 4 * len(names), 8 * len(names)
        what = f"{', '.join(names)}{_if(condition)}"
        yield f"{small} bytes {per} ({large} for float64): {what}"


# --------------------------------------------------------------------- sparse


def _policy(program: Program, number: int) -> list[str]:
    policy = program.policies[number]
    condition = _if(policy.condition) or (" otherwise" if number else "")
    title = f"A sparse gradient: {policy.name}{condition}"
    if policy.name == "lazy":
        return [
            title,
            "gathers the rows of the gradient, runs the rule on them, and scatters them back",
            "all other rows of w and of the slots stay as they are",
        ]
    untouched = next(u for u in program.untouched if u.policy == policy.name)
    absent = {s.name: op("not", s.condition) for s in program.slots if s.condition is not None}
    return [title, *_path(untouched), *_movements(untouched, absent)]


def _path(untouched: Untouched) -> list[str]:
    """How the gradient is applied, with what it costs."""
    dense = f"makes the gradient dense: the rule reads {_list(untouched.reductions)} of all rows"
    if untouched.densify is True:
        return [dense]
    lines = [dense + _if(untouched.densify)] if untouched.densify is not False else []
    if not untouched.swept:
        why = (
            "that is the dense result" if untouched.policy == "exact" else "no slot moves elsewhere"
        )
        return [*lines, f"touches the rows of the gradient only: {why}"]
    states = _list(state + _if(condition) for state, condition in untouched.swept)
    lines.append(f"sweeps all rows of {states}, then writes the rows of the gradient")
    if untouched.waits is not False:
        condition = _if(untouched.waits)
        lines.append(f"or{condition}, a row does all that when it is next used")
    if untouched.sweeps is not False:
        condition = _if(untouched.sweeps)
        lines.append(f"or, in keras_v2{condition}, slots that decay do so when they are next used")
    return lines


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _movements(untouched: Untouched, absent: Mapping[str, Expr]) -> list[str]:
    """What a row does that is not in the gradient; `absent` says when a slot does not exist."""
    known = dict(_definitions(untouched.rule.body))
    there = [m for m in untouched.movements if m.condition != absent.get(m.state, "")]
    rows = [(m.state + _if(m.condition), _movement(m, untouched, known)) for m in there]
    return ["a row without a gradient:", *_indented(_columns(rows))]


def _movement(movement: Movement_, untouched: Untouched, definitions: Mapping[Value, Expr]) -> str:
    state = movement.state
    if movement.kind == "fixed":
        if state == "w" and untouched.policy == "hybrid":
            return "stays: hybrid moves w on the rows of the gradient only"
        if untouched.policy.startswith("mixed"):
            return (
                "stays: with g = 0 its equation gives what it was, or its part moves no other row"
            )
        return "stays: with g = 0 its equation gives what it was"
    if movement.kind == "decay" and movement.factor is not None:
        return f"decays: with g = 0 it is multiplied by {_text(movement.factor)}"
    value = next(r.value for r in untouched.rule.results if r.state == state)
    if isinstance(value, Ref):
        value = definitions.get(value.value, value)
    how = "" if isinstance(value, Ref) else f" becomes {_text(value)}"
    return f"moves: with g = 0 it{how or ' follows the branches of the rule'}"


def _definitions(block: Block) -> Iterator[tuple[Value, Expr]]:
    for statement in block:
        if isinstance(statement, Branch):
            yield from _definitions(statement.then)
            yield from _definitions(statement.orelse)
        else:
            yield statement.value, statement.expr
