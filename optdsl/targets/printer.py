"""Expressions and statements of the IR as Python. A target supplies a table of its functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from optdsl.ir.build import is_static
from optdsl.ir.nodes import Block, Branch, Define, Expr, Literal_, Op, Ref, Value
from optdsl.semantics.level import Level
from optdsl.targets.layout import WIDTH

#: How an operator is written: a format of its arguments (`np.sqrt({0})`), an infix symbol or
#: prefix word from INFIX or PREFIX, or a function of the operator and its printed arguments.
Form: TypeAlias = str | Callable[[Op, Sequence[str]], str]

#: Infix symbols and how tight they bind.
INFIX = {
    "or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4,
    "+": 7, "-": 7, "*": 8, "/": 8, "%": 8, "**": 10,
}  # fmt: skip
#: Prefix operators likewise.
PREFIX = {"not ": 3, "-": 9}
#: Python's choice between two numbers; it binds less than everything else.
CONDITIONAL = "{1} if {0} else {2}"
_ATOM = 11

#: Operators that Python itself has, for numbers and for arrays.
ARITHMETIC: dict[str, Form] = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "pow": "**", "neg": "-",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
#: Truth values that are Python's own.
LOGIC: dict[str, Form] = {"and": "and", "or": "or", "not": "not "}

#: Everything that can stand in an expression of the level fixed, for Python's own numbers.
PYTHON: dict[str, Form] = {
    **ARITHMETIC,
    **LOGIC,
    **{f: f"math.{f}({{0}})" for f in ("sqrt", "exp", "log", "log1p", "expm1", "tanh", "cos")},
    **{f: f"math.{f}({{0}})" for f in ("floor", "ceil", "isfinite")},
    "abs": "abs({0})",
    "round": "round({0})",
    "sign": "float(({0} > 0) - ({0} < 0))",
    "sigmoid": "(1 / (1 + math.exp(-({0}))))",
    "cbrt": "math.copysign(abs({0}) ** (1 / 3), {0})",
    "atan2": "math.atan2({0}, {1})",
    "min": "min({0}, {1})",
    "max": "max({0}, {1})",
    "where": CONDITIONAL,
}


@dataclass(frozen=True)
class Printer:
    """Prints expressions with the functions of one table.

    `name` gives the text of a value. `literal` is the form of a literal that is an argument of a
    function, where the framework would otherwise have to guess its dtype. `numbers` are forms that
    replace those of `table` below the level element. `pi` is how that literal is written.
    """

    table: Mapping[str, Form]
    name: Callable[[Value], str]
    literal: str = "{0}"
    infinity: str = 'float("inf")'
    numbers: Mapping[str, Form] = field(default_factory=dict)
    pi: str = repr(math.pi)

    def expr(self, expr: Expr) -> str:
        """The expression as Python."""
        return self._print(expr)[0]

    def _print(self, expr: Expr) -> tuple[str, int]:
        """The text, and how tight its outermost operator binds."""
        if isinstance(expr, Ref):
            return self.name(expr.value), _ATOM
        if isinstance(expr, Literal_):
            return self._literal(expr)
        form = self._form(expr)
        if callable(form):
            return form(expr, [self._argument(a) for a in expr.args]), _ATOM
        if form == CONDITIONAL:
            condition, then = (self._within(a, 1) for a in expr.args[:2])
            return form.format(condition, then, self.expr(expr.args[2])), 0
        if form in INFIX and len(expr.args) == 2:
            return self._infix(form, *expr.args), INFIX[form]
        if form in PREFIX:
            return form + self._within(expr.args[0], PREFIX[form]), PREFIX[form]
        return form.format(*map(self._argument, expr.args)), _ATOM

    def _form(self, op: Op) -> Form:
        own = self.numbers.get(op.op) if op.level < Level.ELEMENT else None
        return own or self.table[op.op]

    def _literal(self, literal: Literal_) -> tuple[str, int]:
        undefined = self.infinity.replace("inf", "nan")
        text = repr(literal.value).replace("e+", "e")  # as formatters write it
        text = text.replace("nan", undefined).replace("inf", self.infinity)
        text = self.pi if literal.value == math.pi else text
        return text, PREFIX["-"] if text.startswith("-") else _ATOM

    def _argument(self, expr: Expr) -> str:
        text = self.expr(expr)
        if isinstance(expr, Literal_) and not expr.is_bool:
            return self.literal.format(text)
        return text

    def _infix(self, symbol: str, left: Expr, right: Expr) -> str:
        tight = INFIX[symbol]
        power = symbol == "**"
        chained = tight == INFIX["<"]
        # a power's right side may carry a sign; comparisons do not chain
        before = self._within(left, tight + (1 if power or chained else 0))
        after = self._within(right, PREFIX["-"] if power else tight + 1)
        if power and _hugs(left) and _hugs(right):
            return f"{before}{symbol}{after}"
        return f"{before} {symbol} {after}"

    def _within(self, expr: Expr, least: int) -> str:
        text, tight = self._print(expr)
        return text if tight >= least else f"({text})"


def _hugs(expr: Expr) -> bool:
    """Formatters write `x**2` without spaces where both sides are names or numbers."""
    if isinstance(expr, Op):
        return expr.op == "neg" and isinstance(expr.args[0], Literal_)
    return True


@dataclass
class BlockPrinter:
    """Prints a block as the body of a function; long lines are cut into named parts.

    `static` prints the conditions that are known while the code for a variable is built; `taken`
    are the identifiers that a part may not have.
    """

    printer: Printer
    static: Printer
    identifier: Callable[[Value], str]
    taken: frozenset[str] = frozenset()
    _parts: int = field(default=0)

    def lines(self, block: Block, indent: int) -> list[str]:
        """The statements, indented by so many columns."""
        return [line for statement in block for line in self._statement(statement, indent)]

    def _statement(self, statement: Define | Branch, indent: int) -> list[str]:
        if isinstance(statement, Branch):
            return self._branch(statement, indent)
        target, expr = self.identifier(statement.value), statement.expr
        if isinstance(expr, Ref) and self.printer.expr(expr) == target:
            return []  # another version of the same name, as after `w -= 0`
        return self.assign(target, expr, indent)

    def assign(self, target: str, expr: Expr, indent: int) -> list[str]:
        """`target = expr`, cut into parts where it is too long for a line."""
        pad = " " * indent
        lines: list[str] = []
        while len(f"{pad}{target} = {self.printer.expr(expr)}") > WIDTH:
            part = self._largest_part(expr, WIDTH - indent - 12)
            if part is None:
                break
            value = Value(self._part_name(), 1, part.level, "local", part.is_bool)
            lines.append(f"{pad}{value.name} = {self.printer.expr(part)}")
            expr = _replace(expr, part, Ref(value))
        return [*lines, f"{pad}{target} = {self.printer.expr(expr)}"]

    def _part_name(self) -> str:
        while True:
            self._parts += 1
            if (name := f"part_{self._parts}") not in self.taken:
                return name

    def _largest_part(self, expr: Expr, room: int) -> Op | None:
        """The longest proper part that fits on a line of its own."""
        best: Op | None = None
        length = 12  # shorter parts are not worth a name
        for part in _proper_parts(expr):
            size = len(self.printer.expr(part))
            if length < size <= room:
                best, length = part, size
        return best

    def _branch(self, branch: Branch, indent: int) -> list[str]:
        then = self._side(branch.then, [(m.value, m.then) for m in branch.merges], indent + 4)
        orelse = self._side(branch.orelse, [(m.value, m.orelse) for m in branch.merges], indent + 4)
        static = is_static(branch.condition)
        condition = (self.static if static else self.printer).expr(branch.condition)
        pad = " " * indent
        if not then and not orelse:
            return []
        if not then:
            negated = f"({condition})" if " " in condition else condition
            return [f"{pad}if not {negated}:", *orelse]
        if not orelse:
            return [f"{pad}if {condition}:", *then]
        nested = isinstance(branch.orelse[0], Branch) if len(branch.orelse) == 1 else False
        if nested and orelse[0].startswith(f"{pad}    if ") and self._is_one_if(orelse, indent):
            return [f"{pad}if {condition}:", *then, *_chained(orelse)]
        return [f"{pad}if {condition}:", *then, f"{pad}else:", *orelse]

    @staticmethod
    def _is_one_if(lines: list[str], indent: int) -> bool:
        """Whether nothing but one if/elif/else stands at the outermost depth of these lines."""
        pad = " " * (indent + 4)
        outer = [x[len(pad) :] for x in lines if x.startswith(pad) and x[len(pad)] != " "]
        return outer[0].startswith("if ") and all(
            x.startswith(("elif ", "else:")) for x in outer[1:]
        )

    def _side(self, block: Block, merges: list[tuple[Value, Expr]], indent: int) -> list[str]:
        lines = self.lines(block, indent)
        for value, expr in merges:
            target, source = self.identifier(value), self.printer.expr(expr)
            if target != source:
                lines.append(f"{' ' * indent}{target} = {source}")
        return lines


def _chained(lines: list[str]) -> list[str]:
    """An `if` in an `else` as `elif`, one level further out."""
    out = [line[4:] for line in lines]
    pad = len(out[0]) - len(out[0].lstrip())
    return [out[0][:pad] + "el" + out[0][pad:], *out[1:]]


def _proper_parts(expr: Expr) -> list[Op]:
    if not isinstance(expr, Op):
        return []
    found = []
    for arg in expr.args:
        if isinstance(arg, Op):
            found.append(arg)
            found += _proper_parts(arg)
    return found


def _replace(expr: Expr, part: Op, by: Expr) -> Expr:
    if expr == part:
        return by
    if not isinstance(expr, Op):
        return expr
    return Op(expr.op, tuple(_replace(a, part, by) for a in expr.args), expr.level, expr.is_bool)
