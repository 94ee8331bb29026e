"""The methods that compute what stands for the variables at evaluation."""

from __future__ import annotations

from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Program, Value
from optdsl.targets import layout
from optdsl.targets.keras_v2.counting import counts
from optdsl.targets.keras_v2.writer import Writer


class EvaluationWriter(Writer):
    """Writes `_evaluation_scalars` and `_evaluated` of a program with an evaluation."""

    def __init__(self, program: Program) -> None:
        super().__init__(at_evaluation(program))
        self._counts = counts(program)

    def methods(self) -> list[str]:
        """Both methods, as lines."""
        return [*self._numbers(), "", *self._evaluated()]

    def _numbers(self) -> list[str]:
        return [
            "    def _evaluation_scalars(self, dtype, changes):",
            '        """The numbers that go into the weights for evaluation, in float64."""',
            *(line for name, value in self._text.inputs for line in self._read_now(name, value)),
            *self._text.step,
            *layout.bracketed("return ", self._text.items, 8, "{}"),
        ]

    def _read_now(self, name: str, value: Value) -> list[str]:
        if value.role == "step":
            done = f'self._shared_value("{self._counter}")'
            if not self._counts:
                done = "tf.cast(self.iterations, tf.float64)"
            return [f"        {name} = {done}"]
        return list(self._read(name, value))

    def _evaluated(self) -> list[str]:
        text = self._text.rule
        states = self._states()
        return [
            *self._head("_evaluated", states, text.coefficients),
            '        """The weights for evaluation of one variable, from it and its slots."""',
            *text.lines,
            f"        return {text.results.get('w', states[0])}",
        ]
