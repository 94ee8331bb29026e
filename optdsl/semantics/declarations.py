"""Declarations: names are entered into the scope, values folded, domains checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics, Span
from optdsl.semantics import model
from optdsl.semantics.constants import Constant, Folder, NotConstant
from optdsl.semantics.expand import Expander
from optdsl.semantics.level import Level
from optdsl.semantics.levels import Levels
from optdsl.semantics.schedule import Numbers
from optdsl.semantics.scope import Scope, Symbol
from optdsl.syntax import tree


@dataclass
class Declarer:
    """Resolves the declarations of one optimizer, in the order written."""

    scope: Scope
    levels: Levels
    expander: Expander
    folder: Folder

    def __post_init__(self) -> None:
        self.known: dict[str, Constant] = {}
        self.hypers: list[model.Hyper] = []
        self.consts: list[model.Const] = []
        self.flags: list[model.Flag] = []
        self.lists: list[Numbers] = []
        self.slots: list[model.Slot] = []
        self.shareds: list[model.Shared] = []
        self.policies: list[model.Policy] = []

    @property
    def _diagnostics(self) -> Diagnostics:
        return self.scope.diagnostics

    def declare(self, declaration: tree.Declaration) -> None:
        """Resolve one declaration; `def` and `for` are the business of others."""
        match declaration:
            case tree.Hyper():
                self._hyper(declaration)
            case tree.Const():
                self._const(declaration)
            case tree.ListConst():
                self._list(declaration)
            case tree.Flag():
                self._flag(declaration)
            case tree.Slot():
                self._slots(declaration)
            case tree.Shared():
                self._shared(declaration)
            case tree.Sparse():
                self._sparse(declaration)

    # ------------------------------------------------------------- numbers

    def _hyper(self, hyper: tree.Hyper) -> None:
        default = None if hyper.default is None else self._constant(hyper.default)
        domain = self._domain(hyper.domain)
        if default is not None and hyper.default is not None:
            self._inside(default, domain, hyper.default.span, hyper.name.text)
        if self.scope.declare(Symbol(hyper.name.text, "hyper", hyper.name.span, hyper)):
            self.hypers.append(
                model.Hyper(
                    hyper.name.text, _public(hyper.name, hyper.public), default, domain, hyper.doc,
                    hyper.span,
                )
            )  # fmt: skip

    def _const(self, const: tree.Const) -> None:
        expr = self.expander.expand(const.default)
        value = self._constant(expr, const.is_int)
        domain = self._domain(const.domain)
        if value is not None:
            self._inside(value, domain, const.default.span, const.name.text)
        if self.scope.declare(Symbol(const.name.text, "const", const.name.span, const)):
            self.known[const.name.text] = 1.0 if value is None else value
            self.consts.append(
                model.Const(
                    const.name.text, _public(const.name, const.public), const.is_int, expr,
                    self.known[const.name.text], domain, const.doc, const.span, const.entry_of,
                    const.index,
                )
            )  # fmt: skip

    def _list(self, const: tree.ListConst) -> None:
        domain = self._domain(const.domain)
        values = []
        for expr in const.default:
            if (value := self._constant(expr)) is not None:
                values.append(value)
                self._inside(value, domain, expr.span, const.name.text)
        if self.scope.declare(Symbol(const.name.text, "list", const.name.span, const)):
            self.lists.append(
                Numbers(
                    const.name.text, _public(const.name, const.public), tuple(values), domain,
                    const.doc, const.span,
                )
            )  # fmt: skip

    def _flag(self, flag: tree.Flag) -> None:
        value = False
        if isinstance(flag.default, tree.Boolean):
            value = flag.default.value
        else:
            self._diagnostics.add(
                "O302", "a flag is true or false", flag.default.span, "write 'true' or 'false'"
            )
        if self.scope.declare(Symbol(flag.name.text, "flag", flag.name.span, flag)):
            self.flags.append(
                model.Flag(
                    flag.name.text, _public(flag.name, flag.public), value, flag.doc, flag.span
                )
            )

    def _constant(self, expr: tree.Expr, is_int: bool = False) -> float | None:
        """A finite number over literals and earlier consts; None, after a report, if it is none."""
        expr = self.expander.expand(expr)
        if self.levels.number(expr) is None:
            return None
        try:
            value = self.folder.value(expr, self.known)
        except NotConstant:
            self._report_not_constant(expr)
            return None
        if math.isinf(value):
            self._diagnostics.add("O401", "a default has to be a finite number", expr.span)
            return None
        if is_int and value != int(value):
            self._diagnostics.add("O306", f"{model.digits(value)} is no integer", expr.span)
            return None
        return float(value)

    def _report_not_constant(self, expr: tree.Expr) -> None:
        if (level := self.levels.number(expr)) is not None and level > Level.FIXED:
            self._diagnostics.add(
                "O305", "a default is made of numbers and earlier consts", expr.span
            )

    def _inside(self, value: float, domain: model.Interval, span: Span, name: str) -> None:
        if value not in domain:
            self._diagnostics.add(
                "O402",
                f"the default {model.digits(value)} of '{name}' is outside its domain {domain}",
                span,
            )

    def _domain(self, domain: tree.Domain | None) -> model.Interval:
        if domain is None:
            return model.REALS
        ends = []
        for expr in (domain.low, domain.high):
            try:
                ends.append(float(self.folder.value(self.expander.expand(expr), self.known)))
            except NotConstant:
                self._report_not_constant(expr)
                return model.REALS
        low, high = ends
        both = domain.low_closed and domain.high_closed
        if low > high or (low == high and not both) or (math.isnan(low + high) and low == high):
            self._diagnostics.add("O403", "no number lies in this domain", domain.span)
            return model.REALS
        return model.Interval(low, high, domain.low_closed, domain.high_closed)

    # --------------------------------------------------------------- state

    def _slots(self, slot: tree.Slot) -> None:
        condition = self._condition(slot.condition)
        initial = self._initial(slot)
        for item in slot.names:
            if self.scope.declare(Symbol(item.name.text, "slot", item.name.span, slot)):
                self.slots.append(
                    model.Slot(
                        item.name.text, _public(item.name, item.public), slot.scalar, initial,
                        condition, slot.doc, slot.span,
                    )
                )  # fmt: skip

    def _initial(self, slot: tree.Slot) -> tree.Expr:
        """The initial value: of the level fixed, or made of `w` and its reductions."""
        if slot.initial is None:
            return tree.Number("0", 0, slot.span)
        expr = self.expander.expand(slot.initial)
        level = self.levels.number(expr)
        wrong = [n for n in names(expr) if not self._starts(n)]
        if wrong:
            self._diagnostics.add(
                "O305", "an initial value is made of numbers, consts, flags, or of 'w'",
                wrong[0].span,
            )  # fmt: skip
        elif level == Level.ELEMENT and slot.scalar:
            self._diagnostics.add(
                "O301", "a scalar slot is one number per variable, this is one per element",
                expr.span, "a reduction such as norm(w) makes one number of it",
            )  # fmt: skip
        return expr

    def _starts(self, name: tree.Name) -> bool:
        symbol = self.scope.symbols.get(name.text)
        return symbol is None or symbol.kind in ("variable", "constant", "const", "flag")

    def _shared(self, shared: tree.Shared) -> None:
        condition = self._condition(shared.condition)
        initial = self.expander.expand(shared.initial)
        level = self.levels.number(initial)
        if level is not None and level > Level.FIXED:
            self._diagnostics.add(
                "O305", "a shared starts with numbers and consts", shared.initial.span
            )
        if self.scope.declare(Symbol(shared.name.text, "shared", shared.name.span, shared)):
            self.shareds.append(
                model.Shared(
                    shared.name.text, _public(shared.name, shared.public), initial, condition,
                    shared.doc, shared.span,
                )
            )  # fmt: skip

    def _condition(self, condition: tree.Expr | None) -> tree.Expr | None:
        """A condition of the level fixed, expanded."""
        if condition is None:
            return None
        expr = self.expander.expand(condition)
        level = self.levels.truth(expr)
        if level is not None and level > Level.FIXED:
            self._diagnostics.add(
                "O305", "this has to be known at construction: flags, consts, uses(…)",
                condition.span,
            )  # fmt: skip
        return expr

    def _sparse(self, sparse: tree.Sparse) -> None:
        condition = self._condition(sparse.condition)
        name = sparse.policy.text
        policies: dict[str, model.PolicyName] = {
            "exact": "exact", "hybrid": "hybrid", "lazy": "lazy"
        }  # fmt: skip
        if name in policies:
            self.policies.append(model.Policy(policies[name], condition, sparse.span))
        else:
            self._diagnostics.add(
                "O501", f"there is no policy '{name}'", sparse.policy.span,
                "it is exact, hybrid or lazy",
            )  # fmt: skip


def names(expr: tree.Expr) -> list[tree.Name]:
    """The uses of names in an expression, from left to right."""
    match expr:
        case tree.Name():
            return [expr]
        case tree.Unary(operand=operand):
            return names(operand)
        case tree.Binary(left=left, right=right):
            return names(left) + names(right)
        case tree.Call(args=args):
            return [n for a in args for n in names(a)]
        case _:
            return []


def _public(name: tree.Ident, public: tree.Ident | None) -> str:
    return (public or name).text
