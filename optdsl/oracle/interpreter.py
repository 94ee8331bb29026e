"""One step of an optimizer, read off its resolved tree. Compare it with the language reference.

Every variable runs the whole step from the old values, with its own copy of the shareds. That is
lock-step: a shared cannot depend on a variable by itself, so all the copies come out alike, and a
statement sees the old value of a shared wherever it stands before its assignment.

Where all the variables have to come together, for a `total` or for the gradient of the next stage,
a run ends with what it has to give; when all have given it, all start again, and know it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
#: The gradients of the next stage, at these values of the variables.
Evaluate: TypeAlias = Callable[[Mapping[str, N]], Mapping[str, Gradient]]
#: A number, or a schedule: a function of t - 1.
Argument: TypeAlias = bool | float | Callable[[int], float]


@dataclass(frozen=True)
class State(Generic[N]):
    """All that is kept after `t` steps. `variables` is {key: {"w": …, and each of its slots}}."""

    t: int
    shared: Mapping[str, N]
    variables: Mapping[str, Mapping[str, N]]


class _Wanted(Exception):
    """A run has come to a place where all the variables have to come together.

    `part` is what this one gives: its part of a total, or where `w` is.
    """

    def __init__(self, part: Any, *, is_total: bool) -> None:
        super().__init__()
        self.part, self.is_total = part, is_total


@dataclass
class _Run(Generic[N]):
    """A run of the step for one variable, with what is known of gradients and totals by now.

    `touched` are the rows that the gradients name (None: all of them), as a mask that spreads over
    the variable; `policy` is that of the present part of the optimizer.
    """

    gradients: Sequence[N]
    totals: Sequence[N]
    policy: str
    touched: Array | None = None
    stage: int = 0
    total: int = 0


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
        self._wide = {"w", *(s.name for s in self.slots if not s.scalar)}
        # a tf1 optimizer is given tensors, which know nothing of what it counts
        self._clocks = {h.name: h.clock if target != "tf1" else "" for h in optimizer.hypers}
        self.policy = str(next(p.name for p in optimizer.policies if self._holds(p.condition)))
        self._now: _Run[N]  # the present run, and the state that it began with
        self._old: Mapping[str, N]
        self._is_lazy = set(self._policies(self._body, self.policy)) == {"lazy"}

    def start(self, variables: Mapping[str, Array]) -> State[N]:
        """The state before the first step; a slot may begin as something made of `w`."""
        shared = {s.name: self._value(s.initial, self._fixed) for s in self.shareds}
        return State(0, shared, {key: self._first(w) for key, w in variables.items()})

    def step(
        self,
        state: State[N],
        gradients: Mapping[str, Gradient],
        evaluate: Evaluate[N] | None = None,
    ) -> State[N]:
        """The next state. A dense gradient has the variable's shape; None takes no part.

        `evaluate` gives the gradients of each later stage, at the values of the variables then.
        """
        env = self._numbers(state, state.t + 1)
        keys = [key for key, gradient in gradients.items() if gradient is not None]
        stages, totals = [gradients], list[N]()
        while True:
            known = {key: [stage.get(key) for stage in stages] for key in keys}
            after, parts, is_total = self._run_all(known, totals, state, env)
            if not parts:
                break
            if is_total:
                totals.append(self._a.total(list(parts.values())))
            else:
                assert evaluate is not None
                values = {key: x["w"] for key, x in state.variables.items()}
                stages.append(evaluate({**values, **parts}))
        variables = dict(state.variables)
        for key, new in after.items():
            variables[key] = {x: new[x] for x in variables[key]}
        last = next(reversed(after.values()), state.shared)
        return State(state.t + 1, {x: last[x] for x in state.shared}, variables)

    def _argument(self, name: str, value: Argument, state: State[N]) -> N:
        """A hyperparameter in this step; a schedule sees how many steps were done before."""
        if not callable(value):
            return self._a.constant(value)
        clock = self._clocks[name]
        return self._a.constant(value(self._a.whole(state.shared[clock]) if clock else state.t))

    def _run_all(
        self,
        gradients: Mapping[str, Sequence[Gradient]],
        totals: Sequence[N],
        state: State[N],
        env: Mapping[str, N],
    ) -> tuple[dict[str, dict[str, N]], dict[str, N], bool]:
        """What every variable is after the step; or what each gives, and whether to a total."""
        after: dict[str, dict[str, N]] = {}
        parts: dict[str, N] = {}
        is_total = False
        for key, known in gradients.items():
            try:
                after[key] = self._apply(known, totals, state.variables[key], env)
            except _Wanted as wanted:
                parts[key], is_total = wanted.part, wanted.is_total
        return after, parts, is_total

    def evaluation(self, state: State[N]) -> dict[str, N]:
        """What stands for each variable at evaluation; before the first step, itself."""
        env = self._numbers(state, state.t)
        result = {}
        for key, old in state.variables.items():
            after = {**env, **old}
            self._now = _Run([], [], "exact")
            self._run(self._evaluation if state.t else (), after)
            result[key] = self._a.stored(after["w"], old["w"])
        return result

    def _numbers(self, state: State[N], t: int) -> dict[str, N]:
        """All that has a value without a variable; the hypers as the next step finds them."""
        now = {h: self._argument(h, x, state) for h, x in self._hypers.items()}
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
        self,
        gradients: Sequence[Gradient],
        totals: Sequence[N],
        old: Mapping[str, N],
        env: Mapping[str, N],
    ) -> dict[str, N]:
        shape = self._a.shape(old["w"])
        named = [g.indices for g in gradients if isinstance(g, Sparse)]
        if any(g is not None and not isinstance(g, Sparse) for g in gradients) or not named:
            dense = [self._dense(g, old["w"]) for g in gradients]
            return self._rule(_Run(dense, totals, self.policy), old, env)
        rows = np.unique(np.concatenate(named))
        if self._is_lazy:
            return self._lazy(rows, gradients, totals, old, env)
        touched = np.isin(np.arange(shape[0]), rows).reshape(-1, *[1] * (len(shape) - 1))
        dense = [self._dense(g, old["w"]) for g in gradients]
        return self._rule(_Run(dense, totals, self.policy, touched), old, env)

    def _dense(self, gradient: Gradient, w: N) -> N:
        """A gradient in the shape of the variable; one that is missing is 0."""
        shape = self._a.shape(w)
        if gradient is None:
            return self._a.apply("mul", w, self._a.constant(np.zeros(shape)))
        if not isinstance(gradient, Sparse):
            return self._a.state(gradient)
        return self._a.sum_rows(self._a.state(gradient.values), gradient.indices, shape[0])

    def _lazy(
        self,
        rows: Array,
        gradients: Sequence[Gradient],
        totals: Sequence[N],
        old: Mapping[str, N],
        env: Mapping[str, N],
    ) -> dict[str, N]:
        """The rule on a variable made of just the rows that the gradients name."""
        few = {x: self._a.take(v, rows) if x in self._wide else v for x, v in old.items()}
        placed = [
            Sparse(np.searchsorted(rows, g.indices), g.values) if isinstance(g, Sparse) else g
            for g in gradients
        ]
        run = _Run([self._dense(g, few["w"]) for g in placed], totals, self.policy)
        try:
            after = self._rule(run, few, env)
        except _Wanted as wanted:
            if not wanted.is_total:
                wanted.part = self._a.put(old["w"], rows, wanted.part)
            raise
        wide = {x: self._a.put(old[x], rows, after[x]) for x in self._wide}
        return {**after, **wide}

    def _rule(self, run: _Run[N], old: Mapping[str, N], env: Mapping[str, N]) -> dict[str, N]:
        """Everything as it is after the step."""
        after = {**env, **old, "g": run.gradients[0]}
        self._now, self._old = run, old
        self._run(self._body, after)
        return {**after, **{x: self._a.stored(after[x], old[x]) for x in old}}

    # -------------------------------------------------------------- statements and expressions

    def _run(self, body: tuple[tree.Statement, ...], env: dict[str, N]) -> None:
        for statement in body:
            match statement:
                case tree.Let():
                    env[statement.name.text] = self._value(statement.value, env)
                case tree.Assign():
                    self._assign(statement, env)
                case tree.If(condition=condition, then=then, orelse=orelse):
                    self._if(self._value(condition, env), then, orelse, env)
                case tree.Every(count=count, body=due, step=step):
                    left = self._a.apply("mod", env[step], self._value(count, env))
                    self._if(self._a.apply("eq", left, self._a.constant(0.0)), due, (), env)
                case tree.Evaluate():
                    self._evaluate(env)
                case tree.Wrapped():
                    self._wrapped(statement, env)
                case tree.Inner():
                    raise AssertionError("a wrapper by itself has no step")

    def _assign(self, statement: tree.Assign, env: dict[str, N]) -> None:
        name, value = statement.target.text, self._value(statement.value, env)
        if statement.op != "=":
            value = self._a.apply(SYMBOLS[statement.op[0]].name, env[name], value)
        if self._now.touched is not None and self._rests(name):
            value = self._a.apply("where", self._a.constant(self._now.touched), value, env[name])
        env[name] = self._a.assigned(value, env[name]) if name in self._kept else value

    def _rests(self, name: str) -> bool:
        """Whether rows that no gradient names stay as they are."""
        policy = self._now.policy
        return (policy == "hybrid" and name == "w") or (policy == "lazy" and name in self._wide)

    def _if(
        self, condition: N, if_true: tree.Block, if_false: tree.Block, env: dict[str, N]
    ) -> None:
        holds = self._a.truth(condition)
        then, orelse = dict(env), dict(env)
        self._run(if_true if holds is not False else (), then)
        self._run(if_false if holds is not True else (), orelse)
        if holds is None:  # the arithmetic has to look at both sides
            env.update({x: self._a.either(condition, then[x], orelse[x]) for x in env})
        else:
            env.update(then if holds else orelse)

    def _evaluate(self, env: dict[str, N]) -> None:
        """The next stage begins, with the gradient at what the variable holds now."""
        self._now.stage += 1
        if self._now.stage == len(self._now.gradients):
            raise _Wanted(self._a.stored(env["w"], self._old["w"]), is_total=False)
        env["g"] = self._now.gradients[self._now.stage]

    def _wrapped(self, part: tree.Wrapped, env: dict[str, N]) -> None:
        """A step of a wrapped optimizer, by its own policy; its `g` ends with it."""
        policy, gradient, stage = self._now.policy, env["g"], self._now.stage
        self._now.policy = self._policy_of(part)
        self._run(part.body, env)
        self._now.policy = policy
        stayed = self._now.stage == stage  # behind stages, `g` is that of the last one
        env["g"] = gradient if stayed else self._now.gradients[self._now.stage]

    def _policy_of(self, part: tree.Wrapped) -> str:
        return next(p.policy.text for p in part.policies if self._holds(p.condition))

    def _policies(self, body: tuple[tree.Statement, ...], policy: str) -> Iterator[str]:
        """The policies of the parts that assign state."""
        for statement in body:
            match statement:
                case tree.Assign(target=target) if target.text in self._wide:
                    yield policy
                case tree.If(then=then, orelse=orelse):
                    yield from self._policies((*then, *orelse), policy)
                case tree.Every(body=due):
                    yield from self._policies(due, policy)
                case tree.Wrapped(body=inside):
                    yield from self._policies(inside, self._policy_of(statement))

    def _total(self, part: N) -> N:
        """The sum over all the variables."""
        self._now.total += 1
        if self._now.total > len(self._now.totals):
            raise _Wanted(part, is_total=True)
        return self._now.totals[self._now.total - 1]

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
            case tree.Call(function=function) if function.text == "total":
                return self._total(self._value(expr.args[0], env))
            case tree.Call(function=function) if expr.options:
                return self._a.along(
                    function.text, _axes(expr), *[self._value(x, env) for x in expr.args]
                )
            case tree.Call(function=function):
                return self._a.apply(function.text, *[self._value(x, env) for x in expr.args])
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")


def _axes(call: tree.Call) -> tuple[int, ...]:
    """The axes that a call names: integers, perhaps with a sign."""
    ((_, given),) = call.options
    found = []
    for axis in given if isinstance(given, tuple) else (given,):
        negative = isinstance(axis, tree.Unary)
        number = axis.operand if isinstance(axis, tree.Unary) else axis
        assert isinstance(number, tree.Number)
        found.append(-int(number.value) if negative else int(number.value))
    return tuple(found)
