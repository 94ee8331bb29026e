"""The lists of one optimizer, and expressions with their entries named.

The entries of a const `b = [0, 0.9]` get the names `b_0` and `b_1`, those of a slot `v[b]` the
names `v_0` and `v_1`. Nothing behind this knows of lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace

from optdsl.diagnostics import Diagnostics, Source, Span
from optdsl.semantics.expand import TooLarge
from optdsl.semantics.limits import MAX_ENTRIES
from optdsl.semantics.operators import FUNCTIONS
from optdsl.semantics.scope import PREDEFINED, RESERVED, Scope
from optdsl.syntax import tree


@dataclass
class Place:
    """What names mean at a place: indices of `repeat`s are `numbers`, `let`s have new names.

    `hidden` are parameters of a definition; `rounds` are the numbers of the rounds around it.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    locals: dict[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    rounds: tuple[int, ...] = ()

    def inside(self) -> Place:
        """The same at the start of a block: what is declared in it ends with it."""
        return replace(self, locals=dict(self.locals))

    def in_round(self, number: int, index: tree.Ident | None) -> Place:
        """The same at the start of a round of a `repeat`."""
        numbers = self.numbers if index is None else {**self.numbers, index.text: number}
        return replace(
            self, numbers=numbers, locals=dict(self.locals), rounds=(*self.rounds, number)
        )


class Lists:
    """Knows the lists of an optimizer, and puts the names of entries into expressions."""

    def __init__(self, nodes: object, scope: Scope) -> None:
        self._scope = scope
        self._taken = {*PREDEFINED, *RESERVED, *FUNCTIONS, *scope.functions}
        self._taken |= {n.text for n in walk(nodes) if isinstance(n, tree.Ident | tree.Name)}
        self._entries: dict[str, tuple[str, ...]] = {}

    @property
    def _diagnostics(self) -> Diagnostics:
        return self._scope.diagnostics

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def entries(self, name: str) -> tuple[str, ...]:
        """The names of the entries; none of a list that was reported as wrong."""
        return self._entries[name]

    def add(self, name: tree.Ident, count: int, place: Span) -> None:
        """Declare a list. Raises TooLarge, after a report, where it has too many entries."""
        if count > MAX_ENTRIES:
            self._diagnostics.add("O105", f"a list has at most {MAX_ENTRIES} entries", place)
            raise TooLarge
        self._entries[name.text] = tuple(
            self.fresh(f"{name.text}_{i}", f"{name.text}[{i}]") for i in range(count)
        )

    def fresh(self, name: str, written: str) -> str:
        """A name that nothing else has, for what the spec writes in another way."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        self._diagnostics.written[name] = written
        return name

    # ------------------------------------------------------------------- numbers

    def count(self, expr: tree.Expr) -> int | None:
        """How many entries or rounds are meant; None after a report, or for a wrong list."""
        match expr:
            case tree.Number(value=int(value)) if value > 0:
                return value
            case tree.Name(text=name) if name in self:
                return len(self.entries(name)) or None
        self._diagnostics.add(
            "O311", "this is no positive integer that is known when code is generated", expr.span,
            "write a positive integer, or the name of a list",
        )  # fmt: skip
        return None

    def _number(self, index: tree.Expr, numbers: Mapping[str, int]) -> int | None:
        """The value of an index; None after a report."""
        match index:
            case tree.Number(value=int(value)):
                return value
            case tree.Name(text=name) if name in numbers:
                return numbers[name]
            case tree.Unary(op="-", operand=operand):
                value_ = self._number(operand, numbers)
                return None if value_ is None else -value_
            case tree.Binary(op="+" | "-" as op, left=left, right=right):
                values = self._number(left, numbers), self._number(right, numbers)
                if values[0] is None or values[1] is None:
                    return None
                return values[0] + values[1] if op == "+" else values[0] - values[1]
        self._diagnostics.add(
            "O306", "an index is made of integers, with + and -", index.span,
            "write '0', or the name that 'repeat … as' gives",
        )  # fmt: skip
        return None

    # ------------------------------------------------------------------- entries

    def entry(self, name: tree.Ident, index: tree.Expr, place: Place) -> str | None:
        """The name of an entry; None after a report."""
        if name.text not in self or name.text in place.hidden:
            self._report_no_list(name, place)
            return None
        number = self._number(index, place.numbers)
        entries = self.entries(name.text)
        if number is None or not entries:
            return None
        if not 0 <= number < len(entries):
            last = len(entries) - 1
            has = f"the entries 0 to {last}" if last else "the entry 0 only"
            mend = "a condition on the index leaves rounds out: 'if i > 0 { … }'"
            self._diagnostics.add(
                "O309", f"'{name.text}' has {has}, no entry {number}", index.span,
                mend if place.rounds else "",
            )  # fmt: skip
            return None
        return entries[number]

    def _report_no_list(self, name: tree.Ident, place: Place) -> None:
        known = {*self._scope.symbols, *place.numbers, *place.locals, *place.hidden}
        if name.text not in known:
            self._scope.report_unknown(name.text, name.span)
            return
        symbol = self._scope.symbols.get(name.text)
        if symbol and symbol.kind == "list" and name.text not in place.hidden:
            message = f"'{name.text}' may be of any length: it has no entries of its own"
            mend = "it is an argument of piecewise(x, boundaries, values)"
            self._diagnostics.add("O307", message, name.span, mend)
            return
        self._diagnostics.add(
            "O307", f"'{name.text}' is no list", name.span,
            "equations hold for all elements at once; lists are 'const b = [0, 0.9]', 'slot v[b]'",
        )  # fmt: skip

    def report_whole(self, name: str, span: Span) -> None:
        """A list that stands where one of its entries is needed."""
        self._diagnostics.add(
            "O307", f"'{name}' is a list: one of its entries is needed", span,
            f"write '{name}[0]', or '{name}[i]' inside 'repeat {name} as i {{ … }}'",
        )  # fmt: skip

    # --------------------------------------------------------------- expressions

    def expr(self, expr: tree.Expr, place: Place) -> tree.Expr:
        """The expression with entries and indices written out; what is wrong is reported."""
        match expr:
            case tree.Name():
                return self._name(expr, place)
            case tree.Index(name=name, index=index):
                return tree.Name(self.entry(name, index, place) or "?", expr.span)
            case tree.Unary():
                return replace(expr, operand=self.expr(expr.operand, place))
            case tree.Binary():
                left, right = self.expr(expr.left, place), self.expr(expr.right, place)
                return replace(expr, left=left, right=right)
            case tree.Call():
                return self._call(expr, place)
            case _:
                return expr

    def _name(self, name: tree.Name, place: Place) -> tree.Expr:
        if name.text in place.numbers:
            number = place.numbers[name.text]
            return tree.Number(str(number), number, name.span)
        if name.text in self and name.text not in place.hidden:
            self.report_whole(name.text, name.span)
            return replace(name, text="?")
        return replace(name, text=place.locals.get(name.text, name.text))

    def _call(self, call: tree.Call, place: Place) -> tree.Expr:
        match call:
            case tree.Call(function=function, args=(tree.Name(text=name),)) if (
                function.text == "size" and name in self and name not in place.hidden
            ):
                count = len(self.entries(name))
                return tree.Number(str(count), count, call.span)
        return replace(
            call,
            args=tuple(self.expr(a, place) for a in call.args),
            options=tuple((name, self._option(value, place)) for name, value in call.options),
        )

    def _option(
        self, value: tree.Expr | tuple[tree.Expr, ...], place: Place
    ) -> tree.Expr | tuple[tree.Expr, ...]:
        if isinstance(value, tuple):
            return tuple(self.expr(v, place) for v in value)
        return self.expr(value, place)


def walk(node: object) -> Iterator[object]:
    """A node of the tree and all that is in it."""
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and not isinstance(node, Span | Source):
        for part in fields(node):
            yield from walk(getattr(node, part.name))
