"""One step of an optimizer, read off its resolved tree. Compare it with the language reference.

Every variable runs the whole `update` block from the old values, with its own copy of the
shareds. That is lock-step: a shared cannot depend on a variable, so all the copies come out
alike, and a statement sees the old value of a shared wherever it stands before its assignment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias

import numpy as np

from optdsl.oracle.arithmetic import Arithmetic, Array, N, computation_dtype
from optdsl.semantics import model
from optdsl.semantics.operators import SYMBOLS
from optdsl.syntax import tree


@dataclass(frozen=True)
class Sparse:
    """Rows of a gradient: values[i] belongs to row indices[i]; a row may occur several times."""

    indices: Array
    values: Array


Gradient: TypeAlias = Array | Sparse | None
#: A number, or a schedule: a function of t - 1.
Argument: TypeAlias = bool | float | Callable[[int], float]


@dataclass(frozen=True)
class State(Generic[N]):
    """All that is kept after `t` steps. `variables` is {key: {"w": …, and each of its slots}}."""

    t: int
    shared: Mapping[str, N]
    variables: Mapping[str, Mapping[str, N]]


class Oracle(Generic[N]):
    """An optimizer with its arguments, run by definition.

    `arguments` go by the spec's names; what is missing has the default that it has in `target`.
    """

    def __init__(
        self,
        optimizer: model.Optimizer,
        arguments: Mapping[str, Argument],
        target: str,
        arithmetic: Arithmetic[N],
    ) -> None:
        self._body, self._a = optimizer.body, arithmetic
        self._evaluation = optimizer.evaluation
        settings = optimizer.settings.get(target, model.Settings())
        given: dict[str, Any] = {**settings.defaults, **arguments}
        self._hypers: dict[str, Any] = {
            h.name: given.get(h.name, h.default) for h in optimizer.hypers
        }
        self._fixed = {"pi": arithmetic.constant(np.pi), "inf": arithmetic.constant(np.inf)}
        for flag in optimizer.flags:
            self._fixed[flag.name] = arithmetic.constant(given.get(flag.name, flag.default))
        for const in optimizer.consts:
            number = tree.Number("", given[const.name], const.span) if const.name in given else None
            self._fixed[const.name] = self._value(number or const.default, self._fixed)
        self.slots = tuple(s for s in optimizer.slots if self._holds(s.condition))
        self.shareds = tuple(s for s in optimizer.shareds if self._holds(s.condition))
        self._kept = {"w", "g", *(s.name for s in self.slots + self.shareds)}
        self.policy = next(p.name for p in optimizer.policies if self._holds(p.condition))

    def start(self, variables: Mapping[str, Array]) -> State[N]:
        """The state before the first step; a slot may begin as something made of `w`."""
        shared = {s.name: self._value(s.initial, self._fixed) for s in self.shareds}
        return State(0, shared, {key: self._first(w) for key, w in variables.items()})

    def step(self, state: State[N], gradients: Mapping[str, Gradient]) -> State[N]:
        """The next state. A dense gradient has the variable's shape; None takes no part."""
        env = self._numbers(state, state.t + 1)
        shared, variables = dict(state.shared), dict(state.variables)
        for key, gradient in gradients.items():
            if gradient is not None:
                after = self._apply(gradient, variables[key], env)
                variables[key] = {x: after[x] for x in variables[key]}
                shared = {x: after[x] for x in shared}
        return State(state.t + 1, shared, variables)

    def evaluation(self, state: State[N]) -> dict[str, N]:
        """What stands for each variable at evaluation; before the first step, itself."""
        env = self._numbers(state, state.t)
        result = {}
        for key, old in state.variables.items():
            after = {**env, **old}
            self._run(self._evaluation if state.t else (), after, None)
            result[key] = self._a.stored(after["w"], old["w"])
        return result

    def _numbers(self, state: State[N], t: int) -> dict[str, N]:
        """All that has a value without a variable; the hypers as the next step finds them."""
        now = {
            h: self._a.constant(x(state.t) if callable(x) else x) for h, x in self._hypers.items()
        }
        return {**self._fixed, **now, "t": self._a.constant(t), **state.shared}

    def _first(self, w: Array) -> dict[str, N]:
        values = {"w": self._a.state(w)}
        for slot in self.slots:
            zeros = np.zeros(() if slot.scalar else w.shape, computation_dtype(w.dtype))
            initial = self._value(slot.initial, {**self._fixed, "w": values["w"]})
            values[slot.name] = self._a.assigned(initial, self._a.state(zeros))
        return values

    # ------------------------------------------------------------ one variable, by its policy

    def _apply(
        self, gradient: Array | Sparse, old: Mapping[str, N], env: Mapping[str, N]
    ) -> dict[str, N]:
        if not isinstance(gradient, Sparse):
            return self._rule(self._a.state(gradient), old, env)
        values, (rows, *_) = self._a.state(gradient.values), self._a.shape(old["w"])
        if self.policy == "lazy":
            return self._lazy(gradient.indices, values, old, env)
        g = self._a.sum_rows(values, gradient.indices, rows)
        if self.policy == "exact":
            return self._rule(g, old, env)
        touched = np.isin(np.arange(rows), gradient.indices)
        return self._rule(g, old, env, touched.reshape(-1, *[1] * (len(self._a.shape(g)) - 1)))

    def _lazy(
        self, indices: Array, values: N, old: Mapping[str, N], env: Mapping[str, N]
    ) -> dict[str, N]:
        """The rule on a variable made of just the rows that the gradient names."""
        rows, row = np.unique(indices, return_inverse=True)
        g = self._a.sum_rows(values, row.reshape(-1), len(rows))
        wide = [x for x in old if self._a.shape(old[x]) == self._a.shape(old["w"])]
        after = self._rule(g, {**old, **{x: self._a.take(old[x], rows) for x in wide}}, env)
        return {**after, **{x: self._a.put(old[x], rows, after[x]) for x in wide}}

    def _rule(
        self, g: N, old: Mapping[str, N], env: Mapping[str, N], touched: Array | None = None
    ) -> dict[str, N]:
        """Everything as it is after the block; under hybrid `w` moves on the touched rows only."""
        after = {**env, **old, "g": g}
        self._run(self._body, after, touched)
        return {**after, **{x: self._a.stored(after[x], old[x]) for x in old}}

    # -------------------------------------------------------------- statements and expressions

    def _run(
        self, body: tuple[tree.Statement, ...], env: dict[str, N], touched: Array | None
    ) -> None:
        for statement in body:
            match statement:
                case tree.Let():
                    env[statement.name.text] = self._value(statement.value, env)
                case tree.Assign():
                    self._assign(statement, env, touched)
                case tree.If():
                    self._if(statement, env, touched)
                case _:
                    raise NotImplementedError(type(statement).__name__)

    def _assign(self, statement: tree.Assign, env: dict[str, N], touched: Array | None) -> None:
        name, value = statement.target.text, self._value(statement.value, env)
        if statement.op != "=":
            value = self._a.apply(SYMBOLS[statement.op[0]].name, env[name], value)
        if name == "w" and touched is not None:
            value = self._a.apply("where", self._a.constant(touched), value, env["w"])
        env[name] = self._a.assigned(value, env[name]) if name in self._kept else value

    def _if(self, statement: tree.If, env: dict[str, N], touched: Array | None) -> None:
        condition = self._value(statement.condition, env)
        holds = self._a.truth(condition)
        then, orelse = dict(env), dict(env)
        self._run(statement.then if holds is not False else (), then, touched)
        self._run(statement.orelse if holds is not True else (), orelse, touched)
        if holds is None:  # the arithmetic has to look at both sides
            env.update({x: self._a.either(condition, then[x], orelse[x]) for x in env})
        else:
            env.update(then if holds else orelse)

    def _holds(self, condition: tree.Expr | None) -> bool:
        return condition is None or bool(self._a.truth(self._value(condition, self._fixed)))

    def _value(self, expr: tree.Expr, env: Mapping[str, N]) -> N:
        match expr:
            case tree.Number(value=value) | tree.Boolean(value=value):
                return self._a.constant(value)
            case tree.Name(text=name):
                return env[name]
            case tree.Unary(op=op, operand=operand):
                return self._a.apply("neg" if op == "-" else "not", self._value(operand, env))
            case tree.Binary(op=op, left=left, right=right):
                args = self._value(left, env), self._value(right, env)
                return self._a.apply(SYMBOLS[op].name, *args)
            case tree.Call(function=function, args=(tree.Name(text=hyper),)) if (
                function.text == "uses"
            ):
                given = self._hypers[hyper]
                return self._a.constant(callable(given) or given != 0)
            case tree.Call(function=function):
                return self._a.apply(function.text, *[self._value(x, env) for x in expr.args])
