"""Where values lie, given what the conditions around a place say."""

from __future__ import annotations

from collections.abc import Iterator

from optdsl.semantics import images
from optdsl.semantics import intervals as iv
from optdsl.semantics.intervals import Range
from optdsl.semantics.level import Level
from optdsl.semantics.values import Value, level_of

#: How deep questions about values may lead to others, and how many there may be in one step.
#: Beyond that a value has the range that holds anyway, so that every spec takes bounded time.
MAX_DEPTH = 30
MAX_QUESTIONS = 5_000

#: The comparison that holds where another does not.
OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}

#: Where y - x lies if x is compared with y.
GAPS = {"lt": iv.POSITIVE, "le": iv.NONNEGATIVE, "eq": iv.ZERO, "ne": iv.NONZERO}


class Graph:
    """Makes the values of one step; equal ones are one object."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Value] = {}
        self._questions = 0
        self._depth = 0
        self.nothing = Facts(self)

    def symbol(self, name: str, level: Level, range: Range = iv.REALS) -> Value:
        """A number or truth value that is given."""
        return self._made.setdefault(("symbol", name), Value("symbol", (), level, range, name))

    def number(self, x: float) -> Value:
        """A literal."""
        value = Value("number", (), Level.FIXED, iv.only(float(x)))
        return self._made.setdefault(("number", x), value)

    def make(self, op: str, *args: Value) -> Value:
        """The value of an operator."""
        if op == "where" and args[1] is args[2]:
            return args[1]
        if op == "mul" and args[0] is args[1]:
            return self.make("pow", args[0], self.number(2.0))
        key = (op, *args)
        if key not in self._made:
            found = images.image(op, args, self.nothing)
            self._made[key] = Value(op, args, level_of(op, args), found)
        return self._made[key]

    def find(self, op: str, *args: Value) -> Value | None:
        """The value of an operator if it was made before."""
        return self._made.get((op, *args))

    def may_ask(self) -> bool:
        """Whether one more question is within the limits."""
        self._questions += 1
        return self._questions <= MAX_QUESTIONS

    def image(self, value: Value, facts: Facts) -> Range:
        """The range of an operator's result by its operands; what is known anyway beyond limits."""
        if self._depth == MAX_DEPTH or not self.may_ask():
            return value.range
        self._depth += 1
        found = images.image(value.op, value.args, facts)
        self._depth -= 1
        return found


class Facts:
    """Ranges and truth values of some values, and what follows from them for others."""

    def __init__(self, graph: Graph, outer: Facts | None = None) -> None:
        self.graph = graph
        self.splits: bool = outer.splits if outer else True
        self._ranges: dict[Value, Range] = dict(outer._ranges) if outer else {}
        self._truths: dict[Value, bool] = dict(outer._truths) if outer else {}
        self._known: dict[Value, Range] = {}
        self._uniform: Facts | None = None

    @property
    def are_none(self) -> bool:
        return not self._ranges and not self._truths

    # ------------------------------------------------------------------------------ questions

    def range(self, value: Value) -> Range:
        """Where a number lies."""
        if self.are_none:
            return value.range
        if value not in self._known:
            found = value.range
            if value.args:
                found = iv.both(found, self.graph.image(value, self))
            self._known[value] = iv.both(found, self._ranges.get(value, iv.EVERYTHING))
        return self._known[value]

    def truth(self, condition: Value, depth: int = MAX_DEPTH) -> bool | None:
        """Whether a condition holds; None where it may or may not."""
        if condition in self._truths or not depth or not self.graph.may_ask():
            return self._truths.get(condition)
        match condition.op:
            case "true" | "false":
                return condition.op == "true"
            case "not":
                found = self.truth(condition.args[0], depth - 1)
                return None if found is None else not found
            case "and" | "or":
                decisive = condition.op == "or"
                parts = [self.truth(a, depth - 1) for a in condition.args]
                if decisive in parts:
                    return decisive
                return None if None in parts else not decisive
            case op if op in OPPOSITE:
                return self._compared(op, *condition.args)
            case _:
                return None

    def _compared(self, op: str, left: Value, right: Value) -> bool | None:
        if op in ("ge", "gt", "ne"):
            other = self._compared(OPPOSITE[op], left, right)
            return None if other is None else not other
        x, y = self.range(left), self.range(right)
        if op == "eq":
            return False if iv.intersection(x, y) is None else None
        strict = op == "lt"
        if iv.intersection(x, iv.up_to(y, strict)) is None:
            return False
        return True if iv.intersection(x, iv.from_on(y, not strict)) is None else None

    def at_least(self, left: Value, right: Value) -> bool:
        """Whether `left >= right` is known, of these values or of their difference."""
        return (
            left is right
            or (left.op in ("max", "abs") and right in left.args)
            or (right.op == "min" and left in right.args)
            or self._stated("sub", left, right).low[0] >= 0
            or self._stated("sub", right, left).high[0] <= 0
        )

    def _stated(self, op: str, *args: Value) -> Range:
        """What is known of a value without asking for its operands, which may ask for this."""
        value = self.graph.find(op, *args)
        return self._ranges.get(value, value.range) if value else iv.REALS

    # ---------------------------------------------------------------------------- assumptions

    def assume(self, condition: Value, holds: bool) -> Facts | None:
        """These facts and that one more; None where they contradict each other."""
        more = Facts(self.graph, self)
        return more if more._accept(condition, holds, MAX_DEPTH) else None

    def with_range(self, value: Value, range: Range) -> Facts | None:
        """These facts, and that a number lies in a range; None where it cannot."""
        more = Facts(self.graph, self)
        return more if more._learn(value, range, MAX_DEPTH) else None

    def uniform(self) -> Facts:
        """The facts that are not about single elements."""
        if self._uniform is None:
            self._uniform = Facts(self.graph)
            self._uniform._ranges = {
                v: r for v, r in self._ranges.items() if v.level < Level.ELEMENT
            }
            self._uniform._truths = {
                v: t for v, t in self._truths.items() if v.level < Level.ELEMENT
            }
        return self._uniform

    def cases(self, value: Value) -> Iterator[Facts]:
        """One case each for a number above, below and at 0, in which no more cases are made."""
        for part in (iv.POSITIVE, iv.NEGATIVE, iv.ZERO):
            more = self.with_range(value, part)
            if more:
                more.splits = False
                yield more

    def _accept(self, condition: Value, holds: bool, depth: int) -> bool:
        """Take a condition as a fact; whether that is possible."""
        known = self.truth(condition)
        if known is not None or not depth or not self.graph.may_ask():
            return known in (holds, None)
        self._truths[condition] = holds
        self._known.clear()
        match condition.op:
            case "not":
                return self._accept(condition.args[0], not holds, depth - 1)
            case "and" | "or":
                return self._accept_parts(condition, holds, depth - 1)
            case "uses":
                return holds or self._learn(condition.args[0], iv.ZERO, depth - 1)
            case op if op in OPPOSITE:
                return self._relate(op if holds else OPPOSITE[op], *condition.args)
            case _:
                return True

    def _accept_parts(self, condition: Value, holds: bool, depth: int) -> bool:
        if holds == (condition.op == "and"):  # all the parts are as the whole
            return all(self._accept(a, holds, depth) for a in condition.args)
        left, right = condition.args
        if self.truth(left) is (not holds):
            return self._accept(right, holds, depth)
        return self.truth(right) is not (not holds) or self._accept(left, holds, depth)

    def _relate(self, op: str, left: Value, right: Value) -> bool:
        """Take a comparison as facts about the difference, which say what is known of both."""
        if op in ("gt", "ge"):
            return self._relate({"gt": "lt", "ge": "le"}[op], right, left)
        x, y = self.range(left), self.range(right)
        return (
            self._learn(self.graph.make("sub", right, left), GAPS[op], MAX_DEPTH)
            and self._learn(self.graph.make("sub", left, right), iv.neg(GAPS[op]), MAX_DEPTH)
            and (op != "ne" or self._learn(left, iv.unlike(x, y), MAX_DEPTH))
            and (op != "ne" or self._learn(right, iv.unlike(y, x), MAX_DEPTH))
        )

    def _learn(self, value: Value, range: Range | None, depth: int) -> bool:
        """Take a range as a fact; whether that is possible."""
        before = self.range(value)
        now = range and iv.intersection(before, range)
        if now is None:
            return False
        if now == before or not depth:
            return True
        self._ranges[value] = now
        self._known.clear()
        return all(self._learn(x, known, depth - 1) for x, known in self._sources(value, now))

    def _sources(self, value: Value, range: Range) -> Iterator[tuple[Value, Range]]:
        """What the range of a value says about its operands."""
        match value.op, value.args:
            case "neg", (x,):
                yield x, iv.neg(range)
            case "abs", (x,):
                yield x, iv.hull(range, iv.neg(range))
            case "add", (x, y):
                yield x, iv.sub(range, self.range(y))
                yield y, iv.sub(range, self.range(x))
            case "sub", (x, y):
                yield x, iv.add(range, self.range(y))
                yield y, iv.sub(self.range(x), range)
            case "min", args:
                yield from ((x, iv.from_on(range, False)) for x in args)
            case "max", args:
                yield from ((x, iv.up_to(range, False)) for x in args)
        if 0 not in range:
            yield from ((x, iv.NONZERO) for x in self._vanishing(value))

    def _vanishing(self, value: Value) -> tuple[Value, ...]:
        """The operands that have to be 0 if they are to make the value 0, each alone."""
        match value.op:
            case "abs" | "sqrt" | "cbrt" | "sign" | "mul":
                return value.args
            case "div":
                return value.args[:1]
            case "pow" if self.range(value.args[1]).low[0] > 0:
                return value.args[:1]
            case _:
                return ()
