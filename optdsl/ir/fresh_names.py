"""Names for values that the compiler makes: they spell out what is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from optdsl.ir.nodes import Block, Define, Expr, Literal_, Op, Program, Ref


class FreshNames:
    """Names that no value of a program has yet."""

    def __init__(self, program: Program) -> None:
        self._taken = set(_names(program))

    def of(self, expr: Expr, otherwise: str) -> str:
        """A name that says what an expression is; where that would be long, one with a number."""
        name = re.sub(r"^(?=[\d_])", "n", describe(expr))
        if len(name) > 24 or name in self._taken:
            stem = otherwise if len(name) > 24 else name
            name = next(n for i in range(1, 10**6) if (n := f"{stem}_{i}") not in self._taken)
        self._taken.add(name)
        return name


def _names(program: Program) -> Iterable[str]:
    yield from ("w", "g", "t", "self", "slots", "coefficients")
    for group in (program.hypers, program.consts, program.flags, program.slots, program.shareds):
        for item in group:
            yield item.name
            yield item.public
    for value in (*program.gradients, *program.totals):
        yield value.name
    steps = (program.step, *(phase.step for phase in program.phases))
    for block in (*steps, *(rule.body for rule in program.rules)):
        yield from _defined(block)


def _defined(block: Block) -> Iterable[str]:
    for statement in block:
        if isinstance(statement, Define):
            yield statement.value.name
        else:
            yield from _defined(statement.then)
            yield from _defined(statement.orelse)


_NUMBERS = {0: "zero", 1: "one", 2: "two", 3: "three", 4: "four", 0.5: "half"}
_WORDS = {
    "add": "plus", "sub": "minus", "mul": "times", "div": "over", "pow": "to", "lt": "below",
    "le": "at_most", "gt": "above", "ge": "at_least", "eq": "is", "ne": "is_not",
}  # fmt: skip


def describe(expr: Expr) -> str:
    """An identifier that spells out an expression: `1 - b1` is `one_minus_b1`."""
    match expr:
        case Ref(value=value):
            return value.name
        case Literal_(value=value):
            return _NUMBERS.get(value) or re.sub(r"\W", "_", repr(value))
        case Op(op="eq", args=(Op(op="mod", args=(_, count)), Literal_(value=0))):
            return f"every_{describe(count)}"
        case Op(op="pow", args=(arg, Literal_(value=2))):
            return f"{describe(arg)}_squared"
        case Op(op="neg", args=(arg,)):
            return f"minus_{describe(arg)}"
        case Op(op="mul", args=(left, right)):
            return f"{describe(left)}_{describe(right)}"
        case Op(op=name, args=args) if len(args) == 2 and name in _WORDS:
            return f"{describe(args[0])}_{_WORDS[name]}_{describe(args[1])}"
        case Op(op=name, args=args):
            return "_".join([name, *map(describe, args)])
