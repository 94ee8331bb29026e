"""Bounds for steps that a kernel of the framework computes: they follow the kernel's own spec.

A kernel gets its numbers in the dtype of the variable and computes others from them in that dtype,
such as 1 - beta2, which a rule has from float64. So the rule says what its numbers are, in float64;
they are rounded; and what the kernel makes of them is read off its spec, as a rule is.

A table whose rows all move goes through the kernel in tf1, with a dense gradient. In keras_v2 such
a table and the rows of a lazy rule go through a kernel in some surroundings, through the rule in
others: they may be where either puts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from optdsl.ir.lower import lower
from optdsl.ir.nodes import Define, Expr, Fused, Literal_, Ref, Value
from optdsl.ir.sparse import sparse
from optdsl.kernels import RESOURCE, Kernel, kernel
from optdsl.kernels.select import with_kernels
from optdsl.oracle import Gradient, Oracle, Sparse
from optdsl.oracle.arithmetic import Array
from optdsl.oracle.interpreter import Argument, _Run
from optdsl.semantics import model
from optdsl.syntax import tree
from optdsl.targets.tensorflow.kernels import linear_of, of_keras
from optdsl.verify.cases import calls
from optdsl.verify.enclosure import Enclosure
from optdsl.verify.sets import Enclosed, Set, hull

#: The targets that call kernels: how they find those of a program.
TARGETS = {"tf1": with_kernels, "keras_v2": of_keras}


def bounds(
    optimizer: model.Optimizer,
    arguments: Mapping[str, Argument],
    target: str,
    mode: str,
    sets: Enclosure,
) -> Oracle[Set]:
    """Where the numbers of a target must lie, run in a mode."""
    if target not in TARGETS:
        return Oracle(optimizer, arguments, target, sets)
    return _WithKernels(optimizer, arguments, target, mode, sets)


class _WithKernels(Oracle[Set]):
    """An oracle whose dense steps are those of a kernel, where the target calls one, and whose
    sparse steps subtract row by row, where tf1 does as the rule is linear in the gradient.
    """

    def __init__(
        self,
        optimizer: model.Optimizer,
        arguments: Mapping[str, Argument],
        target: str,
        mode: str,
        sets: Enclosure,
    ) -> None:
        super().__init__(optimizer, arguments, target, sets)
        self._sets = sets
        program = TARGETS[target](lower(optimizer))
        self._definitions = {s.value: s.expr for s in program.step if isinstance(s, Define)}
        self._totals = program.totals
        self._asked: list[bool] = []
        fused = next(filter(self._is_called, program.kernels), None)
        if fused is not None and mode == "ref" and fused.kernel.startswith(RESOURCE):
            fused = None
        self._fused = fused
        self._subtracts = target == "tf1" and fused is not None and fused is linear_of(program)
        self._rows_too = target == "keras_v2"
        self._all_rows = set(self._policies(self._body, self.policy)) == {"exact"}
        rows = sparse(program)
        moves_all = rows.moves_all and self._applies(rows.moves.get("exact", False))
        self._by_kernel = target == "tf1" and moves_all and not self._applies(rows.waits)
        self._at_rows = False

    def _is_called(self, fused: Fused) -> bool:
        if fused.condition is not None and not self._applies(fused.condition):
            return False
        values = [self._hypers[v.name] for v in fused.positive]
        return all(isinstance(x, int | float) and x > 0 for x in values)

    def _applies(self, condition: Expr | bool) -> bool:
        """Whether what is known at construction holds."""
        if isinstance(condition, bool):
            return condition
        return bool(self._a.truth(self._number(condition, self._fixed)))

    def _apply(
        self,
        gradients: Sequence[Gradient],
        totals: Sequence[Set],
        old: Mapping[str, Set],
        env: Mapping[str, Set],
    ) -> dict[str, Set]:
        after, w = super()._apply(gradients, totals, old, env), old["w"]
        assert isinstance(w, Enclosed)
        if self._fused is not None and w.dtype != np.float16:
            (g,), env = gradients, self._with_totals(env, totals)
            if isinstance(g, Sparse) and self._subtracts:
                after["w"] = self._subtracted(self._fused, g, w, env)
            elif isinstance(g, Sparse) and self._all_rows:
                of_kernel = self._of_kernel(self._fused, self._dense(g, w), old, env)
                after |= of_kernel if self._by_kernel else _either(after, of_kernel)
            elif g is not None and not isinstance(g, Sparse):
                after |= self._of_kernel(self._fused, self._a.state(g), old, env)
        return after

    def _subtracted(self, fused: Fused, g: Sparse, w: Enclosed, env: Mapping[str, Set]) -> Set:
        """The variable after a sparse step whose rows are not summed before."""
        (factor,) = self._given(fused, w, env).values()
        parts = self._a.apply("mul", self._a.state(g.values), factor)
        return self._sets.subtract_rows(w, parts, g.indices)

    def _lazy(
        self,
        rows: Array,
        gradients: Sequence[Gradient],
        totals: Sequence[Set],
        old: Mapping[str, Set],
        env: Mapping[str, Set],
    ) -> dict[str, Set]:
        w = old["w"]
        assert isinstance(w, Enclosed)
        self._at_rows = self._rows_too and self._fused is not None and w.dtype != np.float16
        try:
            return super()._lazy(rows, gradients, totals, old, env)
        finally:
            self._at_rows = False

    def _rule(
        self, run: _Run[Set], old: Mapping[str, Set], env: Mapping[str, Set]
    ) -> dict[str, Set]:
        self._asked = []
        after = super()._rule(run, old, env)
        if self._at_rows and self._fused is not None:
            known = self._with_totals(env, run.totals)
            of_kernel = self._of_kernel(self._fused, run.gradients[0], old, known)
            after |= _either(after, of_kernel)
        return after

    def _total(self, part: Set) -> Set:
        self._asked.append(True)
        return super()._total(part)

    def _if(
        self, condition: Set, if_true: tree.Block, if_false: tree.Block, env: dict[str, Set]
    ) -> None:
        holds = self._a.truth(condition)
        self._asked += [False] * (_totals_in(if_true) if holds is False else 0)
        super()._if(condition, if_true, if_false, env)
        self._asked += [False] * (_totals_in(if_false) if holds is True else 0)

    def _with_totals(self, env: Mapping[str, Set], totals: Sequence[Set]) -> Mapping[str, Set]:
        """What has a value without a variable, by name, and the sums over all variables, as the
        rule asked for them; a sum on a side that is not taken is 0.
        """
        given, zero = iter(totals), self._a.constant(0.0)
        found = [next(given) if asked else zero for asked in self._asked]
        named = zip(self._totals, found, strict=True)
        return {**env, **{_of_total(value): total for value, total in named}}

    def _of_kernel(
        self, fused: Fused, g: Set, old: Mapping[str, Set], env: Mapping[str, Set]
    ) -> dict[str, Set]:
        """The states after the kernel, by the spec's names."""
        numbers = self._given(fused, old["w"], env)
        attributes = {
            name: x for name, x in fused.numbers if name not in numbers and not isinstance(x, Value)
        }
        states = {"w" if arg == "var" else arg: state for arg, state in fused.states}
        oracle = _OfKernel(kernel(fused.kernel), attributes, self._sets)
        after = oracle.computed(g, {arg: old[state] for arg, state in states.items()}, numbers)
        return {state: after[arg] for arg, state in states.items()}

    def _given(self, fused: Fused, w: Set, env: Mapping[str, Set]) -> dict[str, Set]:
        """The numbers of the step that a kernel is called with, in the dtype of the variable."""
        hypers = {h.name for h in kernel(fused.kernel).program.hypers}
        given = {
            name: Ref(x) if isinstance(x, Value) else Literal_(x)
            for name, x in fused.numbers
            if name in hypers
        }
        return {name: self._a.stored(self._number(x, env), w) for name, x in given.items()}

    def _number(self, expr: Expr, env: Mapping[str, Set]) -> Set:
        """A number of the step, or what is fixed, as the target computes it."""
        if isinstance(expr, Literal_):
            return self._a.constant(expr.value)
        if not isinstance(expr, Ref):
            return self._a.apply(expr.op, *[self._number(a, env) for a in expr.args])
        value = expr.value
        if value in self._definitions:
            return self._number(self._definitions[value], env)
        if value.role == "uses":
            given = self._hypers[value.name]
            return self._a.constant(callable(given) or given != 0)
        return env[_of_total(value) if value.role == "total" else value.name]


def _totals_in(block: tree.Block) -> int:
    return sum(call.function.text == "total" for call in calls(block))


def _of_total(value: Value) -> str:
    return f"the sum {value.name}"  # no name of a spec


def _either(after: Mapping[str, Set], of_kernel: Mapping[str, Set]) -> dict[str, Set]:
    """States that are where the rule or the kernel puts them."""
    found: dict[str, Set] = {}
    for state, x in of_kernel.items():
        y = after[state]
        assert isinstance(x, Enclosed) and isinstance(y, Enclosed)
        found[state] = hull(y, x)
    return found


class _OfKernel(Oracle[Set]):
    """The spec of a kernel, run on numbers that are rounded already."""

    def __init__(self, of: Kernel, attributes: Mapping[str, Argument], sets: Enclosure) -> None:
        super().__init__(of.optimizer, attributes, "", sets)

    def computed(
        self, g: Set, states: Mapping[str, Set], numbers: Mapping[str, Set]
    ) -> dict[str, Set]:
        """The states after a step."""
        return self._rule(_Run([g], [], self.policy), states, {**self._fixed, **numbers})
