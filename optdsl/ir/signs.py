"""Whether numbers of a rule are never negative, or always positive: where that can be proved."""

from __future__ import annotations

from collections.abc import Mapping

from optdsl.ir.build import FILL, is_literal
from optdsl.ir.nodes import Const, Expr, Hyper, Literal_, Op, Program, Ref, Rule, Value
from optdsl.semantics.level import Level

#: Hyperparameters and consts that have to be above 0 for something to be positive.
Premises = frozenset[Value]

_NEVER_NEGATIVE = frozenset("sqrt abs exp sigmoid norm rms".split())


class Signs:
    """Of a program, and a rule of it that has no branches.

    `definitions` are those of the locals of its step and of the rule. What is said of a slot holds
    as long as nobody but the optimizer assigns it.
    """

    def __init__(self, program: Program, rule: Rule, definitions: Mapping[Value, Expr]) -> None:
        self._definitions = definitions
        inputs: tuple[Hyper | Const, ...] = (*program.hypers, *program.consts)
        self._inputs = {x.name: x for x in inputs}
        new = {r.state: r.value for r in rule.results}
        initial = {s.name: s.initial for s in program.slots}
        self._not_negative = {s for s, x in initial.items() if self.not_negative(x)}
        while True:  # what holds at first and, if it holds, after the next step
            kept = {s for s in self._not_negative if s not in new or self.not_negative(new[s])}
            if kept == self._not_negative:
                break
            self._not_negative = kept
        self._positive: dict[str, Premises] = {}
        for slot in sorted(self._not_negative):
            premises = self.positive(initial[slot])
            if premises is not None:
                self._positive[slot] = premises
                after = self.positive(new[slot]) if slot in new else premises
                if after is None:
                    del self._positive[slot]
                else:
                    self._positive[slot] |= after

    def not_negative(self, expr: Expr) -> bool:
        """Whether a number is 0 or above."""
        match expr:
            case Literal_(value=value):
                return value >= 0
            case Ref(value=value):
                return self._value_is_not_negative(value)
            case Op(op="add" | "min" | "div", args=(left, right)):
                return self.not_negative(left) and self.not_negative(right)
            case Op(op="mul", args=(left, right)):
                return left == right or (self.not_negative(left) and self.not_negative(right))
            case Op(op="sub", args=(left, right)):
                return self._at_least(left, right)
            case Op(op="max", args=args):
                return any(map(self.not_negative, args))
            case Op(op="where", args=(_, then, orelse)):
                return self.not_negative(then) and self.not_negative(orelse)
            case Op(op="pow", args=(base, exponent)):
                even = isinstance(exponent, Literal_) and exponent.value % 2 == 0
                return even or self.not_negative(base)
            case Op(op=name, args=args) if name == FILL:
                return self.not_negative(args[0])
            case _:
                return expr.op in _NEVER_NEGATIVE

    def positive(self, expr: Expr) -> Premises | None:
        """What makes a number positive; None where nothing is known to."""
        match expr:
            case Literal_(value=value):
                return frozenset() if value > 0 else None
            case Ref(value=value):
                return self._value_is_positive(value)
            case Op(op="add", args=(left, right)):
                for one, other in ((left, right), (right, left)):
                    premises = self.positive(one)
                    if premises is not None and self.not_negative(other):
                        return premises
                return None
            case Op(op="mul") if expr.level > Level.STEP:
                return None  # a state that decays is 0 in the end
            case Op(op="mul" | "div" | "min", args=(left, right)):
                sides = self.positive(left), self.positive(right)
                return None if sides[0] is None or sides[1] is None else sides[0] | sides[1]
            case Op(op="max", args=args):
                return next((p for p in map(self.positive, args) if p is not None), None)
            case Op(op="sqrt" | "pow", args=(base, *_)):
                return self.positive(base)
            case Op(op="exp"):
                return frozenset()
            case Op(op=name, args=args) if name == FILL:
                return self.positive(args[0])
        return None

    def _value_is_not_negative(self, value: Value) -> bool:
        if value in self._definitions:
            return self.not_negative(self._definitions[value])
        if value.name in self._inputs and value.role in ("hyper", "const"):
            return self._inputs[value.name].domain.low >= 0
        return value.role == "step" or value.name in self._not_negative

    def _value_is_positive(self, value: Value) -> Premises | None:
        if value in self._definitions:
            return self.positive(self._definitions[value])
        if value.role == "step":
            return frozenset()
        if value.role in ("hyper", "const"):
            domain = self._inputs[value.name].domain
            if domain.low < 0:
                return None
            return frozenset([value] if 0 in domain else [])
        return self._positive.get(value.name)

    def _at_least(self, left: Expr, right: Expr) -> bool:
        """Whether `left` is a number that a hyperparameter or const never goes beyond."""
        if isinstance(right, Ref) and right.value.role in ("hyper", "const"):
            high = self._inputs[right.value.name].domain.high
            return isinstance(left, Literal_) and high <= left.value
        return is_literal(right, 0) and self.not_negative(left)
