"""`eval = e`: what stands for `w` at evaluation, resolved to statements that assign to `w`."""

from __future__ import annotations

from dataclasses import dataclass

from optdsl.diagnostics import Note
from optdsl.semantics.conditions import conjuncts, implies
from optdsl.semantics.expand import Expander
from optdsl.semantics.level import Level
from optdsl.semantics.levels import Levels
from optdsl.semantics.scope import Scope, Symbol
from optdsl.syntax import tree


def resolve_evaluation(
    item: tree.Optimizer, scope: Scope, expander: Expander
) -> tuple[tree.Statement, ...]:
    """`w = e`, or `if c { w = e }`, with every `def` expanded; nothing where there is no `eval`.

    Reports a second `eval`, and what is wrong in the first.
    """
    found = [d for d in item.declarations if isinstance(d, tree.Eval)]
    if not found:
        return ()
    for extra in found[1:]:
        scope.diagnostics.add(
            "O202", "'eval' stands twice", extra.span, "choose with where(c, a, b)",
            (Note("the first", found[0].span),),
        )  # fmt: skip
    value = expander.expand(found[0].value)
    condition = None if found[0].condition is None else expander.expand(found[0].condition)
    _Checker(scope, condition).check(value)
    span = found[0].span
    assign = tree.Assign(tree.Ident("w", span), "=", value, span)
    return (assign,) if condition is None else (tree.If(condition, (assign,), (), span),)


@dataclass
class _Checker:
    """Checks the value, which is used only where the condition holds (None: always)."""

    scope: Scope
    condition: tree.Expr | None

    def check(self, value: tree.Expr) -> None:
        if self.condition is not None:
            level = Levels(self.scope).truth(self.condition)
            if level is not None and level > Level.FIXED:
                self.scope.diagnostics.add(
                    "O305", "this has to be known at construction: flags, consts, uses(…)",
                    self.condition.span,
                )  # fmt: skip
        Levels(self.scope, on_use=self._on_use).number(value)

    def _on_use(self, symbol: Symbol, name: tree.Name) -> None:
        if symbol.kind == "gradient":
            self.scope.diagnostics.add(
                "O305", "there is no gradient at evaluation", name.span,
                "keep what is needed of it in a slot",
            )  # fmt: skip
        declaration = symbol.declaration
        if not isinstance(declaration, tree.Slot | tree.Shared) or declaration.condition is None:
            return
        path = () if self.condition is None else conjuncts(self.condition)
        if not implies(path, declaration.condition):
            text = declaration.condition.span.text
            self.scope.diagnostics.add(
                "O208", f"{symbol.described} exists only if {text}", name.span,
                f"write 'eval = … if {text}'",
                (Note("the condition of the slot", declaration.condition.span),),
            )  # fmt: skip
