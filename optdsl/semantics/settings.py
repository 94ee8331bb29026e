"""`for TARGET { … }`: what is different in one target, and the public names of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics, Note, Span
from optdsl.semantics import model
from optdsl.semantics.constants import Folder, NotConstant
from optdsl.semantics.schedule import Schedule
from optdsl.semantics.scope import Scope, Symbol, closest
from optdsl.syntax import tree
from optdsl.targets.names import TARGET_NAMES

#: Arguments that a target adds to the constructor, which `order` may name too.
CONSTRUCTOR_EXTRAS = {"tf1": ("use_locking", "name"), "keras_v2": ("name",), "numpy": ()}

#: Symbols that the user of a target sees by a public name.
PUBLIC_KINDS = ("hyper", "const", "flag", "list", "slot", "shared")


@dataclass
class SettingsReader:
    """Reads the `for` blocks of one optimizer, after all its declarations."""

    scope: Scope
    folder: Folder
    domains: dict[str, model.Interval]

    @property
    def _diagnostics(self) -> Diagnostics:
        return self.scope.diagnostics

    def read(self, blocks: Iterable[tree.For]) -> dict[str, model.Settings]:
        """The settings by target; several blocks for one target add up."""
        gathered: dict[str, list[tree.Setting]] = {}
        for block in blocks:
            if block.target.text not in TARGET_NAMES:
                near = closest(block.target.text, TARGET_NAMES)
                self._diagnostics.add(
                    "O601", f"there is no target '{block.target.text}'", block.target.span,
                    f"did you mean '{near}'?" if near else "known: " + ", ".join(TARGET_NAMES),
                )  # fmt: skip
            else:
                gathered.setdefault(block.target.text, []).extend(block.settings)
        return {target: self._settings(target, items) for target, items in gathered.items()}

    def _settings(self, target: str, items: list[tree.Setting]) -> model.Settings:
        class_name, order = None, dict[str, Span]()
        defaults: dict[str, float | bool] = {}
        public: dict[str, str] = {}
        for item in items:
            match item:
                case tree.SetClass():
                    class_name = item.name.text
                case tree.SetOrder():
                    order = self._order(order, item)
                case tree.SetPublic() if self._symbol(item.name, PUBLIC_KINDS):
                    public[item.name.text] = item.public.text
                case tree.SetDefault() if symbol := self._symbol(item.name, PUBLIC_KINDS[:3]):
                    value = self._default(symbol, item)
                    if value is not None:
                        defaults[item.name.text] = value
        self._order_known(items, public)
        return model.Settings(class_name, defaults, public, tuple(order))

    def _symbol(self, name: tree.Ident, kinds: tuple[str, ...]) -> Symbol | None:
        symbol = self.scope.symbols.get(name.text)
        if symbol is None:
            self.scope.report_unknown(name.text, name.span)
        elif symbol.kind not in kinds:
            self._diagnostics.add(
                "O602", f"{symbol.described} cannot be set for a target", name.span
            )
            return None
        return symbol

    def _default(self, symbol: Symbol, item: tree.SetDefault) -> float | bool | None:
        try:
            value = self.folder.value(item.default)
        except NotConstant:
            self._diagnostics.add("O602", "a default for a target is a literal", item.default.span)
            return None
        if isinstance(value, bool) != (symbol.kind == "flag"):
            wanted = "true or false" if symbol.kind == "flag" else "a number"
            self._diagnostics.add("O602", f"{symbol.described} is {wanted}", item.default.span)
            return None
        domain = self.domains.get(symbol.name)
        if domain is not None and value not in domain:
            given = f"the default {model.digits(value)} of '{symbol.name}'"
            message = f"{given} is outside its domain {domain}"
            self._diagnostics.add("O402", message, item.default.span)
            return None
        return value

    def _order(self, before: dict[str, Span], item: tree.SetOrder) -> dict[str, Span]:
        """The names of this line after those of the lines before."""
        seen = dict(before)
        for name in item.names:
            if name.text in seen:
                self._diagnostics.add(
                    "O602", f"'{name.text}' stands twice in the order", name.span,
                    notes=(Note("the first", seen[name.text]),),
                )  # fmt: skip
            seen.setdefault(name.text, name.span)
        return seen

    def _order_known(self, items: list[tree.Setting], public: dict[str, str]) -> None:
        """Every name in `order` is an argument of the constructor."""
        arguments = {
            public.get(s.name, _declared_public(s))
            for s in self.scope.symbols.values()
            if s.kind in PUBLIC_KINDS[:4]
        }
        extras = {extra for names in CONSTRUCTOR_EXTRAS.values() for extra in names}
        for item in items:
            for name in item.names if isinstance(item, tree.SetOrder) else ():
                if name.text not in arguments | extras:
                    near = closest(name.text, arguments | extras)
                    self._diagnostics.add(
                        "O602", f"the constructor has no argument '{name.text}'", name.span,
                        f"did you mean '{near}'?" if near else "",
                    )  # fmt: skip


def _declared_public(symbol: Symbol) -> str:
    declaration = symbol.declaration
    argument = tree.Hyper | tree.Const | tree.ListConst | tree.Flag
    if isinstance(declaration, argument) and declaration.public:
        return declaration.public.text
    return symbol.name


def check_public_names(optimizer: model.Optimizer | Schedule, diagnostics: Diagnostics) -> None:
    """O209 where two arguments, or two pieces of state, have one public name in some target."""
    for renamed in [{}, *(s.public for s in optimizer.settings.values())]:
        for group in (optimizer.arguments, optimizer.state):
            taken: dict[str, Span] = {}
            for item in group:
                public = renamed.get(item.name, item.public)
                if isinstance(item, model.Const) and item.index:
                    continue  # it goes by the name of the whole list
                if public in taken:
                    diagnostics.add(
                        "O209", f"'{item.name}' has the public name '{public}' of another",
                        item.span, notes=(Note("the other", taken[public]),),
                    )  # fmt: skip
                taken.setdefault(public, item.span)
