"""The type system: the level of every expression, and whether it is a number or a truth value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from optdsl.diagnostics import Diagnostics, Span
from optdsl.semantics.level import Level
from optdsl.semantics.operators import NEGATE, NOT, SYMBOLS, Operator
from optdsl.semantics.scope import Scope, Symbol
from optdsl.syntax import tree

#: The level of what a symbol stands for, where its kind alone decides.
LEVELS: dict[str, Level] = {
    "variable": Level.ELEMENT,
    "gradient": Level.ELEMENT,
    "step": Level.STEP,
    "constant": Level.FIXED,
    "hyper": Level.STEP,
    "const": Level.FIXED,
    "list": Level.FIXED,
    "flag": Level.FIXED,
    "shared": Level.STEP,
}


@dataclass(frozen=True)
class Type:
    level: Level
    is_bool: bool = False


#: What a wrong expression has: it goes with everything and causes no second finding.
UNKNOWN = Type(Level.FIXED)


@dataclass
class Levels:
    """Types of expressions within a scope. `lets` holds what is known of each `let` so far."""

    scope: Scope
    lets: dict[Span, Type] = field(default_factory=dict)
    on_use: Callable[[Symbol, tree.Name], None] = lambda symbol, name: None
    on_total: Callable[[tree.Call], bool] = lambda call: False

    @property
    def _diagnostics(self) -> Diagnostics:
        return self.scope.diagnostics

    def of_symbol(self, symbol: Symbol) -> Type:
        """The type of a declared name."""
        declaration = symbol.declaration
        if isinstance(declaration, tree.Let):
            return self.lets.get(declaration.span, UNKNOWN)
        if isinstance(declaration, tree.Slot):
            return Type(Level.VARIABLE if declaration.scalar else Level.ELEMENT)
        return Type(LEVELS[symbol.kind], is_bool=symbol.kind == "flag")

    def number(self, expr: tree.Expr) -> Level | None:
        """The level of a number; None, after a report, where it is none or wrong."""
        return self._operand(expr, want_bool=False)

    def truth(self, expr: tree.Expr) -> Level | None:
        """The level of a truth value; None, after a report, where it is none or wrong."""
        return self._operand(expr, want_bool=True)

    def _operand(self, expr: tree.Expr, want_bool: bool) -> Level | None:
        found = self.of(expr)
        if found is None or found is UNKNOWN:
            return None
        if found.is_bool != want_bool:
            self._report_kind(expr, want_bool)
            return None
        return found.level

    def _report_kind(self, expr: tree.Expr, want_bool: bool) -> None:
        if want_bool:
            message = "this is a number, where a truth value is needed"
            mend = "compare it, as in 'x != 0'"
            if isinstance(expr, tree.Name) and self.scope.symbols[expr.text].kind == "hyper":
                mend = f"write 'uses({expr.text})', or compare it"
        else:
            message, mend = "this is a truth value, where a number is needed", "use where(c, a, b)"
        self._diagnostics.add("O302", message, expr.span, mend)

    def of(self, expr: tree.Expr) -> Type | None:
        """The type of an expression; None where it is wrong, which has been reported."""
        match expr:
            case tree.Number():
                return Type(Level.FIXED)
            case tree.Boolean():
                return Type(Level.FIXED, is_bool=True)
            case tree.Name():
                return self._name(expr)
            case tree.Unary(op=op, operand=operand):
                return self._operator(NEGATE if op == "-" else NOT, (operand,), expr)
            case tree.Binary(op=symbol, left=left, right=right):
                return self._operator(SYMBOLS[symbol], (left, right), expr)
            case tree.Call(function=function) if function.text == "uses":
                return self._uses(expr)
            case tree.Call(function=function) if function.text == "total":
                return self._total(expr)
            case tree.Call(function=function):
                found = self._operator(self.scope.functions[function.text], expr.args, expr)
                return Type(Level.ELEMENT) if found and expr.options else found
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")

    def _name(self, name: tree.Name) -> Type | None:
        if name.text == "?":
            return None
        symbol = self.scope.symbols.get(name.text)
        if symbol is None:
            self.scope.report_unknown(name.text, name.span)
            return None
        self.on_use(symbol, name)
        return self.of_symbol(symbol)

    def _uses(self, call: tree.Call) -> Type | None:
        (arg,) = call.args
        symbol = self.scope.symbols.get(arg.text) if isinstance(arg, tree.Name) else None
        if symbol is None or symbol.kind != "hyper":
            self._diagnostics.add(
                "O305", "'uses' asks whether a hyperparameter was given as something else than 0",
                arg.span, "write the name of a hyper",
            )  # fmt: skip
            return None
        assert isinstance(arg, tree.Name)
        self.on_use(symbol, arg)
        return Type(Level.FIXED, is_bool=True)

    def _total(self, call: tree.Call) -> Type | None:
        level = self.number(call.args[0])
        if level is None:
            return None
        message, mend = "", ""
        if not self.on_total(call):
            message = "'total' stands in the statements of a step alone"
        elif level != Level.VARIABLE:
            message = f"'total' adds up one number per variable; this is one per {level}"
            mend = "as in total(sum(g^2))" if level == Level.ELEMENT else "it is the same for all"
        if message:
            self._diagnostics.add("O305", message, call.span, mend)
            return None
        return Type(Level.STEP)

    def _operator(
        self, operator: Operator, args: tuple[tree.Expr, ...], expr: tree.Expr
    ) -> Type | None:
        wants = [operator.kind == "logic"] * len(args)
        if operator.kind == "choice":
            wants = [True, False, False]
        levels = [self._operand(a, w) for a, w in zip(args, wants, strict=True)]
        known = [level for level in levels if level is not None]
        if len(known) < len(levels):
            return None
        level = max(known)
        if operator.reduction:
            if level < Level.ELEMENT:
                self._diagnostics.add(
                    "O305", f"'{operator.name}' needs a number per element; this is one number",
                    expr.span,
                )  # fmt: skip
                return None
            level = Level.VARIABLE
        return Type(level, is_bool=operator.kind in ("test", "logic"))
