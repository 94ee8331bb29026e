"""One step of an optimizer on ranges, and the ranges of its state that no step leaves.

What is given: hyperparameters and consts lie in their domains, `t` is an integer from 1 on, `w`
and `g` are any finite numbers. A variable may have its first gradient in any step, so that state
may have its initial value in every step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from optdsl.semantics import intervals as iv
from optdsl.semantics import model
from optdsl.semantics.facts import Facts, Graph
from optdsl.semantics.intervals import End, Range
from optdsl.semantics.level import Level
from optdsl.semantics.operators import SYMBOLS
from optdsl.semantics.values import Value
from optdsl.syntax import tree

#: So many steps may widen the ranges of the state; then it may be anything.
MAX_STEPS = 12

#: Where a range that grows from step to step is tried to be held: low ends downward.
REST: tuple[End, ...] = ((1.0, True), (0.0, False), (0.0, True), (-1.0, False), (-1.0, True))


@dataclass(frozen=True)
class Site:
    """An operator that is not defined everywhere, with what it is applied to there."""

    op: str
    expr: tree.Expr
    operands: tuple[Value, ...]
    facts: Facts


@dataclass
class Step:
    """Runs the `update` block on values.

    `env` is what the names stand for, `start` what the state stands for before the step; `sites`
    is what came along on the way.
    """

    optimizer: model.Optimizer
    state: Mapping[str, Range]
    graph: Graph = field(default_factory=Graph)
    sites: list[Site] = field(default_factory=list)
    start: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._evaluations = 0
        graph, symbol = self.graph, self.graph.symbol
        self.env: dict[str, Value] = {
            "pi": graph.number(math.pi),
            "inf": graph.number(math.inf),
            "w": symbol("w", Level.ELEMENT),
            "g": symbol("g", Level.ELEMENT),
            "t": symbol("t", Level.STEP, Range((1.0, True), whole=True)),
        }
        for hyper in self.optimizer.hypers:
            self.env[hyper.name] = symbol(hyper.name, Level.STEP, iv.of_domain(hyper.domain))
        for const in self.optimizer.consts:
            domain = iv.of_domain(const.domain, const.is_int)
            self.env[const.name] = symbol(const.name, Level.FIXED, domain)
        for flag in self.optimizer.flags:
            self.env[flag.name] = symbol(flag.name, Level.FIXED)

    def initial(self) -> dict[str, Range]:
        """The ranges of the state before the first step."""
        nothing = self.graph.nothing
        return {s.name: self.value(s.initial, nothing).range for s in self.optimizer.state}

    def run(self) -> dict[str, Range]:
        """The ranges of the state after a step from the ranges `state`."""
        self.start = {
            s.name: self.graph.symbol(s.name, _level(s), self.state[s.name])
            for s in self.optimizer.state
        }
        self.env |= self.start
        self._block(self.optimizer.body, self.graph.nothing)
        return {name: self.env[name].range for name in self.start}

    # ----------------------------------------------------------------------------- statements

    def _block(self, body: tuple[tree.Statement, ...], facts: Facts) -> None:
        for statement in body:
            match statement:
                case tree.Let():
                    self.env[statement.name.text] = self.value(statement.value, facts)
                case tree.Assign():
                    self._assign(statement, facts)
                case tree.If():
                    self._if(statement.condition, statement.then, statement.orelse, facts)
                case tree.Every():
                    self._if(_is_due(statement), statement.body, (), facts)
                case tree.Evaluate():
                    self._evaluations += 1
                    self.env["g"] = self.graph.symbol(f"g {self._evaluations}", Level.ELEMENT)
                case tree.Inner():
                    self.env["w"] = self.graph.symbol("w inside", Level.ELEMENT)

    def _assign(self, statement: tree.Assign, facts: Facts) -> None:
        name, value = statement.target.text, self.value(statement.value, facts)
        if statement.op != "=":
            args = (self.env[name], value)
            value = self._apply(SYMBOLS[statement.op[0]].name, args, (statement.value,) * 2, facts)
        self.env[name] = value

    def _if(self, test: tree.Expr, then: tree.Block, orelse: tree.Block, facts: Facts) -> None:
        condition = self.value(test, facts)
        before = dict(self.env)
        ends = []
        for body, holds in ((then, True), (orelse, False)):
            case = facts.assume(condition, holds)
            if case:
                self.env = dict(before)
                self._block(body, case)
                ends.append(self.env)
        first, last = (ends[0], ends[-1]) if ends else (before, before)
        self.env = {
            name: self.graph.make("where", condition, first[name], last[name]) for name in before
        }

    # ---------------------------------------------------------------------------- expressions

    def value(self, expr: tree.Expr, facts: Facts) -> Value:
        """What an expression stands for, at a place where these facts hold."""
        match expr:
            case tree.Number(value=number):
                return self.graph.number(float(number))
            case tree.Boolean(value=truth):
                return self.graph.make("true" if truth else "false")
            case tree.Name(text=name):
                return self.env[name]
            case tree.Unary(op=op, operand=operand):
                return self.graph.make("neg" if op == "-" else "not", self.value(operand, facts))
            case tree.Binary(op="and" | "or", left=left, right=right):
                return self._guarded(expr.op, left, right, facts)
            case tree.Binary(op=op, left=left, right=right):
                args = (self.value(left, facts), self.value(right, facts))
                return self._apply(SYMBOLS[op].name, args, (left, right), facts)
            case tree.Call():
                return self._call(expr, facts)
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")

    def _call(self, call: tree.Call, facts: Facts) -> Value:
        name = call.function.text
        if name == "where":
            condition, x, y = call.args
            return self._where(condition, x, y, facts)
        if name == "total" or call.options:
            return self._gathered(call, facts)
        values = tuple(self.value(a, facts) for a in call.args)
        return self._apply(name, values, call.args, facts)

    def _gathered(self, call: tree.Call, facts: Facts) -> Value:
        """A reduction along axes, or over variables: a number of its own.

        All that is taken from the operand is its sign.
        """
        ranges = [facts.range(self.value(a, facts)) for a in call.args]
        sign = call.function.text in ("norm", "rms") or (
            call.function.text != "dot" and iv.within(ranges[0], iv.NONNEGATIVE)
        )
        level = Level.STEP if call.function.text == "total" else Level.ELEMENT
        found = iv.NONNEGATIVE if sign else iv.REALS
        return self.graph.symbol(f"{call.function.text} at {call.span.start}", level, found)

    def _apply(
        self, op: str, args: tuple[Value, ...], exprs: tuple[tree.Expr, ...], facts: Facts
    ) -> Value:
        if op in ("div", "mod", "pow", "sqrt", "log", "log1p"):
            self.sites.append(Site(op, exprs[1 if op in ("div", "mod") else 0], args, facts))
        return self.graph.make(op, *args)

    def _guarded(self, op: str, left: tree.Expr, right: tree.Expr, facts: Facts) -> Value:
        """`and`, `or`: the right side matters only where the left does not decide."""
        first = self.value(left, facts)
        second = self.value(right, facts.assume(first, op == "and") or facts)
        return self.graph.make(op, first, second)

    def _where(self, condition: tree.Expr, x: tree.Expr, y: tree.Expr, facts: Facts) -> Value:
        """What is not chosen does not matter."""
        choice = self.value(condition, facts)
        yes, no = facts.assume(choice, True), facts.assume(choice, False)
        if yes is None and no is not None:
            return self.value(y, no)
        if no is None and yes is not None:
            return self.value(x, yes)
        return self.graph.make(
            "where", choice, self.value(x, yes or facts), self.value(y, no or facts)
        )


def _is_due(every: tree.Every) -> tree.Expr:
    """The condition that `every` is short for."""
    span = every.span
    step = tree.Binary("%", tree.Name(every.step, span), every.count, span)
    return tree.Binary("==", step, tree.Number("0", 0, span), span)


def _level(state: model.State) -> Level:
    if isinstance(state, model.Shared):
        return Level.STEP
    return Level.VARIABLE if state.scalar else Level.ELEMENT


# ---------------------------------------------------------------------------- state of any step


def any_step(optimizer: model.Optimizer) -> Step:
    """A step, run from the ranges that the state keeps within in all steps."""
    initial = Step(optimizer, {}).initial()
    state = dict(initial)
    for number in range(MAX_STEPS):
        after = Step(optimizer, state).run()
        grown = {name: iv.hull(state[name], after[name]) for name in state}
        if grown == state:
            return _narrowed(optimizer, initial, after)
        state = {name: _widened(state[name], r) if number else r for name, r in grown.items()}
    return _ran(optimizer, {name: iv.hull(r, iv.REALS) for name, r in initial.items()})


def at_evaluation(optimizer: model.Optimizer, state: Mapping[str, Range]) -> Step:
    """What `eval` says, run on the ranges of the state; `t` is at least 1 there too."""
    step = Step(replace(optimizer, body=optimizer.evaluation), state)
    step.run()
    return step


def _ran(optimizer: model.Optimizer, state: dict[str, Range]) -> Step:
    step = Step(optimizer, state)
    step.initial()
    step.run()
    return step


def _narrowed(
    optimizer: model.Optimizer, initial: dict[str, Range], after: dict[str, Range]
) -> Step:
    """Widening may have gone too far; the state is initial, or what a step makes of it."""
    return _ran(optimizer, {name: iv.hull(initial[name], after[name]) for name in initial})


def _widened(before: Range, now: Range) -> Range:
    """A range that grew goes on to the next rest, where the growth mostly ends."""
    low, high = now.low, now.high
    if low != before.low:
        low = _rest(low)
    if high != before.high:
        mirrored = _rest((-high[0], high[1]))
        high = (-mirrored[0], mirrored[1])
    return iv.between(low, high, now.nonzero, now.whole) or now


def _rest(low: End) -> End:
    """The greatest rest that is not above a low end."""
    held = (rest for rest in REST if iv.starts(rest, low))
    return next(held, (-math.inf, low == (-math.inf, True)))
