"""State that overflows: what grows by a factor in every step, and what counts in float32."""

from __future__ import annotations

from optdsl.diagnostics import Diagnostics
from optdsl.semantics import intervals as iv
from optdsl.semantics import model
from optdsl.semantics.abstract import Step
from optdsl.semantics.intervals import Range
from optdsl.semantics.level import Level
from optdsl.semantics.values import Value

#: How deep an expression is looked into, and how many cases of it are told apart.
MAX_DEPTH = 20
MAX_CASES = 32

#: The first whole number that float32, which slots are kept in, cannot tell from the next.
LAST_COUNT = 2**24


def check_growth(optimizer: model.Optimizer, step: Step, diagnostics: Diagnostics) -> None:
    """W405 for the state that does nothing but grow."""
    kept = {*step.start.values(), step.graph.symbol("w", Level.ELEMENT)}
    for state in optimizer.state:
        before, cases = step.start[state.name], _cases(step.env[state.name])
        moves = [x for x in cases if x is not before]
        if not moves:
            continue
        if before.range != iv.ZERO and all(_multiplies(x, before, kept) for x in moves):
            diagnostics.add(
                "W405", f"'{state.name}' grows by a factor above 1 whenever it changes, until it "
                "overflows", state.span, "bound it, as in min(…, 1e6)",
            )  # fmt: skip
        elif isinstance(state, model.Slot) and all(_counts(x, before) for x in moves):
            diagnostics.add(
                "W405", f"'{state.name}' counts in float32, where nothing is added to {LAST_COUNT}",
                state.span, "use t, or a shared, or bound it, as in min(…, 1e6)",
            )  # fmt: skip


def _cases(value: Value) -> list[Value]:
    """What a value may be after all the choices in it, up to MAX_CASES."""
    found = [value]
    i = 0
    while i < len(found):
        if found[i].op == "where" and len(found) < MAX_CASES:
            found[i : i + 1] = found[i].args[1:]
        else:
            i += 1
    return found


def _counts(after: Value, before: Value) -> bool:
    """Whether a value is another one plus or minus a constant whole number."""
    if after.op not in ("add", "sub") or before not in after.args:
        return False
    (one, *rest) = [x for x in after.args if x is not before] or [before]
    return not rest and one.range.point not in (None, 0.0) and one.range.whole


def _multiplies(after: Value, before: Value, kept: set[Value]) -> bool:
    """Whether a value is a multiple of another one above 1, plus what is no state itself."""
    linear = _Linear(before)
    factor = linear.factor(after, MAX_DEPTH)
    if factor is None or not (factor.low > (1.0, True) or factor.low == (1.0, False)):
        return False
    return kept.intersection(linear.parts) == {before}


class _Linear:
    """By what a value is multiplied in expressions that are linear in it, part by part."""

    def __init__(self, value: Value) -> None:
        self.parts: dict[Value, Range | None] = {value: iv.ONE}

    def factor(self, value: Value, depth: int) -> Range | None:
        """None where the expression is not linear, or deeper than `depth`."""
        if value not in self.parts:
            self.parts[value] = self._find(value, depth - 1) if depth else None
        return self.parts[value]

    def _find(self, value: Value, depth: int) -> Range | None:
        factors = [self.factor(a, depth) for a in value.args]
        known = [f for f in factors if f is not None]
        if len(known) < len(factors):
            return None
        if all(f == iv.ZERO for f in known):
            return iv.ZERO
        match value.op:
            case "add" | "sub" | "neg":
                return iv.IMAGES[value.op](*known)
            case "mul" if iv.ZERO in known:
                x, y = (
                    a.range if f == iv.ZERO else f for a, f in zip(value.args, known, strict=True)
                )
                return iv.mul(x, y)
            case "div" if known[1] == iv.ZERO:
                return iv.div(known[0], value.args[1].range)
            case _:
                return None
