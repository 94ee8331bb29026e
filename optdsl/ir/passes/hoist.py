"""Every number of the level step that the bodies use becomes a coefficient, computed once.

`(1-b1)*g` becomes `one_minus_b1 * g`: the difference is taken in float64 and rounded once, where
it meets the elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from optdsl.ir.build import is_static, op
from optdsl.ir.fresh_names import FreshNames
from optdsl.ir.nodes import (
    Branch,
    Define,
    Expr,
    Literal_,
    Op,
    Program,
    Ref,
    Result,
    Rule,
    Statement,
    Value,
)  # fmt: skip
from optdsl.semantics.level import Level


def hoist(program: Program) -> Program:
    """Replace step-level parts of the bodies by coefficients that the block `step` defines."""
    hoister = Hoister(program)
    rules = [hoister.rule(p.rule) for p in program.phases]
    rule = hoister.rule(program.rule)
    untouched = tuple(
        replace(u, rule=hoister.rule(u.rule), decays=hoister.factors(u.decays))
        for u in program.untouched
    )
    step = (*program.step, *hoister.added)
    phases = tuple(
        replace(p, step=step, rule=rule) for p, rule in zip(program.phases, rules, strict=True)
    )
    return replace(program, step=step, rule=rule, untouched=untouched, phases=phases)


@dataclass
class Hoister:
    """Gives the numbers of a step names."""

    program: Program
    added: list[Define] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._known: dict[Expr, Value] = {
            s.expr: s.value for s in self.program.step if isinstance(s, Define)
        }
        self._names = FreshNames(self.program)

    def rule(self, rule: Rule) -> Rule:
        """The rule over coefficients; the coefficients stand in the order of their first use."""
        self._used: dict[Value, None] = {}
        body = tuple(self._statement(s) for s in rule.body)
        results = tuple(Result(r.state, self._expr(r.value)) for r in rule.results)
        return Rule(body, results, tuple(self._used))

    def factors(self, rule: Rule) -> Rule:
        """A rule whose results are numbers. Literals become coefficients, too: every target rounds
        those to the dtype of the variable.
        """
        numbers = {r.state: self.coefficient(r.value) for r in rule.results}
        results = tuple(Result(state, Ref(number)) for state, number in numbers.items())
        return Rule((), results, tuple(dict.fromkeys(numbers.values())))

    def _statement(self, statement: Statement) -> Statement:
        if isinstance(statement, Define):
            return replace(statement, expr=self._expr(statement.expr))
        condition = statement.condition
        if not is_static(condition):
            condition = self._expr(condition)
        merges = tuple(
            replace(m, then=self._expr(m.then), orelse=self._expr(m.orelse))
            for m in statement.merges
        )
        then = tuple(self._statement(s) for s in statement.then)
        orelse = tuple(self._statement(s) for s in statement.orelse)
        return Branch(condition, then, orelse, merges, statement.text)

    def _expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Literal_):
            return expr
        if expr.level <= Level.STEP:
            coefficient = self.coefficient(expr)
            self._used[coefficient] = None
            return Ref(coefficient)
        if isinstance(expr, Op):
            return op(expr.op, *(self._expr(a) for a in expr.args))
        return expr

    def coefficient(self, expr: Expr) -> Value:
        """The value of the step that is `expr`: one that there is, or a new one in `added`."""
        if isinstance(expr, Ref):
            return expr.value
        if expr not in self._known:
            value = Value(self._names.of(expr, "coefficient"), 1, Level.STEP, "local", expr.is_bool)
            self._known[expr] = value
            self.added.append(Define(value, expr))
        return self._known[expr]
