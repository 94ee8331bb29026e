"""The checks on the statements of an `update` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from optdsl.diagnostics import Diagnostics, Note, Span
from optdsl.semantics.conditions import conjuncts, implies, negation, refuted
from optdsl.semantics.level import Level
from optdsl.semantics.levels import UNKNOWN, Levels, Type
from optdsl.semantics.scope import Scope, Symbol
from optdsl.syntax import tree

#: The highest level that may be assigned to a symbol of this kind; others cannot be assigned.
ASSIGNABLE = {"variable": Level.ELEMENT, "gradient": Level.ELEMENT, "shared": Level.STEP}


@dataclass
class Checker:
    """Walks a block in order, with the conditions around the present place."""

    levels: Levels
    context: Level = Level.FIXED
    path: tuple[tree.Expr, ...] = ()
    wraps: bool = False
    inners: tuple[tree.Inner, ...] = ()
    reported: set[tuple[str, tuple[tree.Expr, ...]]] = field(default_factory=set)

    @property
    def _scope(self) -> Scope:
        return self.levels.scope

    @property
    def _diagnostics(self) -> Diagnostics:
        return self.levels.scope.diagnostics

    def check(self, body: tuple[tree.Statement, ...]) -> None:
        """Check all the statements of a step."""
        self.levels.on_total = self.on_total
        self.block(body)

    def block(self, body: tuple[tree.Statement, ...]) -> None:
        """Check the statements of one block; its `let`s end with it."""
        with self._scope.block():
            for statement in body:
                self.statement(statement)

    def statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Let():
                self._let(statement)
            case tree.Assign():
                self._assign(statement)
            case tree.If():
                self._if(statement)
            case tree.Every():
                self._every(statement)
            case tree.Inner():
                self._inner(statement)

    def _let(self, let: tree.Let) -> None:
        found = self.levels.of(let.value)
        if found is not None and found is not UNKNOWN:
            self._raise_let(let, found)
        self._scope.declare(Symbol(let.name.text, "let", let.name.span, let))

    def _raise_let(self, let: tree.Let, found: Type) -> None:
        """The level of a `let` is the highest of all that is assigned to it."""
        before = self.levels.lets.get(let.span)
        level = max(found.level, self.context, before.level if before else Level.FIXED)
        self.levels.lets[let.span] = Type(level, before.is_bool if before else found.is_bool)

    def _assign(self, statement: tree.Assign) -> None:
        symbol = self._scope.symbols.get(statement.target.text)
        if symbol is None:
            name = statement.target.text
            self.levels.of(statement.value)
            self._scope.report_unknown(
                name, statement.target.span, f"A new local is made with 'let {name} = …'"
            )
            return
        self._slot_exists(symbol, statement.target.span)
        if symbol.kind == "let":
            self._assign_let(symbol, statement)
            return
        level = self.levels.number(statement.value)
        limit = self._limit(symbol, statement)
        if limit is not None and level is not None:
            self._fits(symbol, statement, level, limit)

    def _assign_let(self, symbol: Symbol, statement: tree.Assign) -> None:
        assert isinstance(symbol.declaration, tree.Let)
        known = self.levels.of_symbol(symbol)
        if known is UNKNOWN:
            self.levels.of(statement.value)
            return
        want = self.levels.truth if known.is_bool else self.levels.number
        if known.is_bool and statement.op != "=":
            self._diagnostics.add(
                "O302", f"'{symbol.name}' is a truth value; '{statement.op}' is for numbers",
                statement.target.span,
            )  # fmt: skip
        level = want(statement.value)
        if level is not None:
            self._raise_let(symbol.declaration, Type(level))

    def _limit(self, symbol: Symbol, statement: tree.Assign) -> Level | None:
        """The highest level that the target takes; None, after a report, if it takes nothing."""
        if isinstance(symbol.declaration, tree.Slot):
            return Level.VARIABLE if symbol.declaration.scalar else Level.ELEMENT
        if symbol.kind in ASSIGNABLE:
            return ASSIGNABLE[symbol.kind]
        self._diagnostics.add(
            "O204", f"{symbol.described} cannot be assigned to", statement.target.span,
            "slots, shareds, lets, w and g change in a step; make a 'let' for another value",
        )  # fmt: skip
        return None

    def _fits(self, symbol: Symbol, statement: tree.Assign, level: Level, limit: Level) -> None:
        span = statement.value.span
        if level > limit:
            mend = "a reduction such as sum(…) or norm(…) makes one number of it"
            if limit == Level.STEP:
                mend = "a shared is one number for all variables; use a slot"
            self._diagnostics.add(
                "O301", f"{symbol.described} is one number per {_per(limit)}, "
                f"this is one per {_per(level)}", span, mend,
            )  # fmt: skip
        elif symbol.kind == "shared" and self.context > Level.STEP:
            self._diagnostics.add(
                "O304", f"{symbol.described} is assigned under a condition that differs from "
                "variable to variable", statement.span,
                "it is one number for all of them; use a scalar slot",
            )  # fmt: skip

    def _if(self, statement: tree.If) -> None:
        level = self.levels.truth(statement.condition)
        if level == Level.ELEMENT:
            self._diagnostics.add(
                "O303", "the condition differs from element to element", statement.condition.span,
                "choose with where(condition, a, b)",
            )  # fmt: skip
            level = None
        parts = conjuncts(statement.condition) if level is not None else ()
        before = self.inners
        with self._under(level, self._fixed(parts)):
            self.block(statement.then)
        after_then, self.inners = self.inners, before
        parts = tuple(map(negation, refuted(statement.condition))) if level is not None else ()
        with self._under(level, self._fixed(parts)):
            self.block(statement.orelse)
        self.inners = (*after_then, *self.inners[len(before) :])

    def _every(self, statement: tree.Every) -> None:
        if self.levels.number(statement.count) is not None and not self._is_count(statement.count):
            self._diagnostics.add(
                "O306", "'every' takes a number of steps: a positive integer known at construction",
                statement.count.span, "a literal, or a 'const k: int = … in [1, inf)'",
            )  # fmt: skip
        with self._under(Level.STEP, ()):
            self.block(statement.body)

    def _is_count(self, expr: tree.Expr) -> bool:
        """Whether an expression is a positive integer for sure."""
        match expr:
            case tree.Number(value=value):
                return isinstance(value, int) and value > 0
            case tree.Binary(op="+" | "*", left=left, right=right):
                return self._is_count(left) and self._is_count(right)
            case tree.Name(text=name):
                declared = self._scope.symbols[name].declaration
                return isinstance(declared, tree.Const) and _is_positive_integer(declared)
        return False

    def _inner(self, inner: tree.Inner) -> None:
        """`inner` runs once in a step for all variables, or for none."""
        if not self.wraps:
            self._diagnostics.add(
                "O701", "'inner' stands in a 'wrapper' alone", inner.span,
                "an 'optimizer' has nothing to run inside",
            )  # fmt: skip
        elif self.context > Level.STEP:
            self._diagnostics.add(
                "O304", "'inner' under a condition that differs from variable to variable",
                inner.span, "it is one step for all of them",
            )  # fmt: skip
        elif self.inners:
            self._diagnostics.add(
                "O702", "'inner' can run twice in a step", inner.span,
                "it may stand once on each path", (Note("the first", self.inners[0].span),),
            )  # fmt: skip
        self.inners = (*self.inners, inner)

    def _fixed(self, parts: tuple[tree.Expr, ...]) -> tuple[tree.Expr, ...]:
        return tuple(p for p in parts if self.levels.truth(p) == Level.FIXED)

    @contextmanager
    def _under(self, level: Level | None, conditions: tuple[tree.Expr, ...]) -> Iterator[None]:
        before = self.context, self.path
        self.context = max(self.context, level or Level.FIXED)
        self.path += conditions
        yield
        self.context, self.path = before

    def _slot_exists(self, symbol: Symbol, span: Span) -> None:
        """O208 where a conditional slot or shared may be missing at this place."""
        declaration = symbol.declaration
        if not isinstance(declaration, tree.Slot | tree.Shared) or declaration.condition is None:
            return
        place = symbol.name, self.path
        if place not in self.reported and not implies(self.path, declaration.condition):
            self.reported.add(place)
            condition = declaration.condition.span
            self._diagnostics.add(
                "O208", f"{symbol.described} exists only if {condition.text}", span,
                f"put this under 'if {condition.text} {{ … }}'",
                (Note("the condition of the slot", condition),),
            )  # fmt: skip

    def on_total(self, call: tree.Call) -> bool:
        """What `Levels` asks where it comes across a `total`."""
        if self.context > Level.STEP:
            self._diagnostics.add(
                "O304", "'total' under a condition that differs from variable to variable",
                call.span, "all the variables have to take part in it",
            )  # fmt: skip
        return True

    def on_use(self, symbol: Symbol, name: tree.Name) -> None:
        self._slot_exists(symbol, name.span)


def _is_positive_integer(const: tree.Const) -> bool:
    if not const.is_int or const.domain is None or not isinstance(const.domain.low, tree.Number):
        return False
    return const.domain.low.value >= (1 if const.domain.low_closed else 0)


def _per(level: Level) -> str:
    return {Level.FIXED: "optimizer", Level.STEP: "step"}.get(level, str(level))


def check_body(scope: Scope, body: tuple[tree.Statement, ...], wraps: bool) -> Levels:
    """Report what is wrong in the statements; return the types of their `let`s.

    `wraps`: they are those of a wrapper.
    """
    lets: dict[Span, Type] = {}
    while True:  # levels only rise, so this ends after at most three rounds per let
        known = dict(lets)
        scratch = replace(
            scope, diagnostics=Diagnostics(), symbols=dict(scope.symbols), defs=scope.defs
        )
        Checker(Levels(scratch, lets), wraps=wraps).check(body)
        if lets == known:
            break
    levels = Levels(scope, lets)
    checker = Checker(levels, wraps=wraps)
    levels.on_use = checker.on_use
    checker.check(body)
    return levels
