"""`def`s expanded in place; the size of what comes out is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from optdsl.diagnostics import Note, Span
from optdsl.semantics.limits import MAX_DEPTH, MAX_NODES
from optdsl.semantics.operators import FUNCTIONS, OF_SCHEDULES, WITH_AXIS
from optdsl.semantics.scope import Scope, closest
from optdsl.syntax import tree


class TooLarge(Exception):
    """The optimizer grows beyond the limits; already reported."""


@dataclass
class Expander:
    """Expands the expressions of one optimizer and counts their nodes."""

    scope: Scope
    nodes: int = 0

    def expand(self, expr: tree.Expr) -> tree.Expr:
        """The expression without calls of `def`s. Wrong calls are reported and become 0.

        Raises TooLarge, after a diagnostic, where the result would exceed the limits.
        """
        return self._expand(expr, {}, (), 0, expr.span)

    def _expand(
        self,
        expr: tree.Expr,
        bound: Mapping[str, tree.Expr],
        active: tuple[str, ...],
        depth: int,
        origin: Span,
    ) -> tree.Expr:
        self._count(depth, origin)
        match expr:
            case tree.Name(text=name) if name in bound:
                return self._expand(bound[name], {}, (), depth, origin)
            case tree.Unary():
                operand = self._expand(expr.operand, bound, active, depth + 1, origin)
                return replace(expr, operand=operand)
            case tree.Binary():
                left = self._expand(expr.left, bound, active, depth + 1, origin)
                right = self._expand(expr.right, bound, active, depth + 1, origin)
                return replace(expr, left=left, right=right)
            case tree.Call():
                return self._call(expr, bound, active, depth, origin)
            case _:
                return expr

    def _count(self, depth: int, origin: Span) -> None:
        self.nodes += 1
        what = ""
        if depth > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH} levels"
        elif self.nodes > MAX_NODES:
            what = f"larger than {MAX_NODES} operations"
        if what:
            self.scope.diagnostics.add(
                "O105", f"with its definitions expanded this is {what}", origin,
                "name parts of it with 'let'",
            )  # fmt: skip
            raise TooLarge

    def _call(
        self,
        call: tree.Call,
        bound: Mapping[str, tree.Expr],
        active: tuple[str, ...],
        depth: int,
        origin: Span,
    ) -> tree.Expr:
        name = call.function.text
        args = tuple(self._expand(a, bound, active, depth + 1, origin) for a in call.args)
        definition = self.scope.defs.get(name)
        if definition is None:
            return replace(call, args=args) if self._known(call) else _nothing(call.span)
        if name in active:
            self.scope.diagnostics.add(
                "O207", f"the definition of '{name}' calls itself", call.span,
                notes=(Note("it is defined here", definition.name.span),),
            )  # fmt: skip
            return _nothing(call.span)
        if not self._arity(call, len(definition.parameters), len(definition.parameters)):
            return _nothing(call.span)
        parameters = (p.text for p in definition.parameters)
        return self._expand(
            definition.body, dict(zip(parameters, args, strict=True)), (*active, name), depth + 1,
            origin,
        )  # fmt: skip

    def _known(self, call: tree.Call) -> bool:
        """Whether this is a right call of a function of the language; reports where not."""
        name = call.function.text
        for i, (option, value) in enumerate(call.options):
            if option.text != "axis" or name not in WITH_AXIS or i:
                self.scope.diagnostics.add(
                    "O206", f"'{name}' has no argument '{option.text}'", option.span,
                    "give the axes as 'axis=[0, 1]'" if option.text == "axis" and i else "",
                )  # fmt: skip
                return False
            if not self._axes(value, option.span):
                return False
        if name == "uses":
            return self._arity(call, 1, 1)
        functions = self.scope.functions
        if name in functions:
            return self._arity(call, functions[name].least, functions[name].most)
        self._unknown_function(call)
        return False

    def _axes(self, value: tree.Expr | tuple[tree.Expr, ...], place: Span) -> bool:
        """Whether these are axes: different integers, negative ones counted from the last."""
        found = [axis_number(a) for a in (value if isinstance(value, tuple) else (value,))]
        known = [a for a in found if a is not None]
        if len(known) == len(found) > 0 and len(set(known)) == len(known):
            return True
        self.scope.diagnostics.add(
            "O306", "an axis is an integer, or several are a list of different ones", place,
            "write 'axis=0', or 'axis=[0, 1]'",
        )  # fmt: skip
        return False

    def _unknown_function(self, call: tree.Call) -> None:
        name = call.function.text
        if name in self.scope.symbols:
            mend = f"{self.scope.symbols[name].described} is no function; for a product write '*'"
        else:
            near = closest(name, [*self.scope.functions, *self.scope.defs, "uses"])
            mend = f"did you mean '{near}'?" if near else "define it with 'def'"
            if name in FUNCTIONS:
                mend = "it reduces elements; a schedule is made of 't' and constants"
            elif name in OF_SCHEDULES:
                mend = "only schedules have it"
        self.scope.diagnostics.add(
            "O205", f"there is no function '{name}'", call.function.span, mend
        )

    def _arity(self, call: tree.Call, least: int, most: int | None) -> bool:
        given = len(call.args)
        if given >= least and (most is None or given <= most):
            return True
        wanted = f"{least}" if most == least else f"{least} or more" if most is None else ""
        self.scope.diagnostics.add(
            "O206",
            f"'{call.function.text}' takes {wanted or f'{least} to {most}'} "
            f"argument{'' if most == 1 else 's'}, not {given}",
            call.span,
        )
        return False


def axis_number(expr: tree.Expr) -> int | None:
    """The axis that an expression names; None if it is no integer literal."""
    match expr:
        case tree.Number(value=int(value)):
            return value
        case tree.Unary(op="-", operand=tree.Number(value=int(value))):
            return -value
    return None


def axes_of(call: tree.Call) -> tuple[int, ...]:
    """The axes of a resolved call; none where it reduces everything."""
    for _, value in call.options:
        given = value if isinstance(value, tuple) else (value,)
        return tuple(a for v in given if (a := axis_number(v)) is not None)
    return ()


def _nothing(span: Span) -> tree.Expr:
    """What stands for an expression that was reported as wrong."""
    return tree.Name(text="?", span=span)
