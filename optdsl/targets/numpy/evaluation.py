"""The methods that compute what stands for the variables at evaluation."""

from __future__ import annotations

from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Program, Shared, Value
from optdsl.targets import layout
from optdsl.targets.numpy.writer import Writer
from optdsl.targets.text import LiteralText


class EvaluationWriter(Writer):
    """Writes the methods `_evaluation_numbers` and `_evaluated` of a program with an evaluation."""

    def __init__(self, program: Program) -> None:
        super().__init__(at_evaluation(program))

    @property
    def uses_rank(self) -> bool:
        """Whether `_evaluated` has to be told the number of dimensions."""
        return self._uses_rank(self._program.rule)

    def methods(self) -> list[str]:
        """Both methods, as lines."""
        return [*self._numbers(), "", *self._evaluated()]

    def _numbers(self) -> list[str]:
        return [
            "    def _evaluation_numbers(self, changes):",
            '        """The numbers for `_evaluated`, in float64; `changes` are overrides."""',
            *(f"        {name} = {self._read(value)}" for name, value in self._text.inputs),
            *self._text.step,
            *layout.bracketed("return ", self._text.items, 8, "{}"),
        ]

    def _read(self, value: Value) -> str:
        match value.role:
            case "step":
                return "np.float64(self.t)"
            case "hyper":
                name = LiteralText(self._attributes[value.name])
                return f"np.float64(_after(self._now({name}), changes.get({name})))"
            case "shared":
                (shared,) = (s for s in self._program.shareds if s.name == value.name)
                return f"np.float64({_lookup(shared)})"
            case "const":
                return f"np.float64({self._attribute(value)})"
            case _:
                return self._attribute(value)

    def _evaluated(self) -> list[str]:
        text = self._text.rule
        return [
            *self._signature("_evaluated", [], [text], self.uses_rank),
            '        """The weights for evaluation of one variable, from it and its slots."""',
            *text.lines,
            f"        return {text.results.get('w', self._w)}",
        ]


def _lookup(shared: Shared) -> str:
    """A shared value; one that this configuration does not keep is not needed."""
    name = LiteralText(shared.name)
    return f"self._shared[{name}]" if shared.condition is None else f"self._shared.get({name}, 0)"
