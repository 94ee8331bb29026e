"""The names of one optimizer and what each of them is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from optdsl.diagnostics import Diagnostics, Note, Span
from optdsl.semantics.operators import FUNCTIONS, Operator
from optdsl.syntax import tree

SymbolKind: TypeAlias = Literal[
    "variable", "gradient", "step", "constant", "hyper", "const", "list", "flag", "slot", "shared",
    "let",
]  # fmt: skip

#: How diagnostics call them.
KIND_NAMES: dict[SymbolKind, str] = {
    "variable": "the variable",
    "gradient": "the gradient",
    "step": "the step number",
    "constant": "the constant",
    "hyper": "the hyperparameter",
    "const": "the const",
    "list": "the list",
    "flag": "the flag",
    "slot": "the slot",
    "shared": "the shared",
    "let": "the local",
}

#: Names that no declaration may take.
PREDEFINED: dict[str, SymbolKind] = {
    "w": "variable",
    "g": "gradient",
    "t": "step",
    "pi": "constant",
    "inf": "constant",
}

#: Words that cannot be declared because the grammar gives them a meaning inside expressions.
RESERVED = frozenset({"true", "false", "and", "or", "not", "uses", "total", "inner"})


@dataclass(frozen=True)
class Symbol:
    """A declared name. `declaration` is its node of the tree (None: predefined)."""

    name: str
    kind: SymbolKind
    span: Span | None = None
    declaration: tree.Declaration | tree.Let | None = None

    @property
    def described(self) -> str:
        return f"{KIND_NAMES[self.kind]} '{self.name}'"


@dataclass
class Scope:
    """Declared names, the `def`s, and the `let`s that are visible at the present place.

    `functions` are those of the language that can be called there.
    """

    diagnostics: Diagnostics
    symbols: dict[str, Symbol] = field(default_factory=dict)
    defs: dict[str, tree.Def] = field(default_factory=dict)
    functions: Mapping[str, Operator] = field(default_factory=lambda: FUNCTIONS)

    def __post_init__(self) -> None:
        self.symbols.update({n: Symbol(n, kind) for n, kind in PREDEFINED.items()})

    def declare(self, symbol: Symbol) -> bool:
        """Add a name; report a clash and return False where it is taken."""
        assert symbol.span is not None
        later = self.defs.get(symbol.name)
        if later is not None and _is_behind(later.span, symbol.span):
            self._report_twice(later.name, symbol.span)  # the error stands at the second of two
            self.defs.pop(symbol.name)
        if problem := self._taken(symbol.name):
            code, message, notes = problem
            self.diagnostics.add(code, message, symbol.span, "choose another name", notes)
            return False
        self.symbols[symbol.name] = symbol
        return True

    def _report_twice(self, second: tree.Ident, first: Span) -> None:
        name = second.text
        notes = (Note(f"'{name}' is declared here", first),)
        self.diagnostics.add(
            "O202", f"'{name}' is declared twice", second.span, "choose another name", notes
        )

    def _taken(self, name: str) -> tuple[str, str, tuple[Note, ...]] | None:
        if name in PREDEFINED:
            return "O203", f"'{name}' is predefined ({KIND_NAMES[PREDEFINED[name]]})", ()
        if name in RESERVED:
            return "O203", f"'{name}' is a word of the language", ()
        if name in self.functions:
            return "O203", f"'{name}' is a function of the language", ()
        other = self.symbols.get(name) or self.defs.get(name)
        if other is None:
            return None
        notes = (Note(f"'{name}' is declared here", other.span),) if other.span else ()
        return "O202", f"'{name}' is declared twice", notes

    def declare_def(self, definition: tree.Def) -> None:
        """Add a `def`; report a clash."""
        name = definition.name
        if problem := self._taken(name.text):
            code, message, notes = problem
            self.diagnostics.add(code, message, name.span, "choose another name", notes)
        else:
            self.defs[name.text] = definition

    @contextmanager
    def block(self) -> Iterator[None]:
        """The `let`s declared inside are forgotten at the end."""
        before = dict(self.symbols)
        yield
        self.symbols = before

    def _with_public_name(self, name: str) -> str | None:
        """The spec's name of what users know by this name."""
        for symbol in self.symbols.values():
            public = getattr(symbol.declaration, "public", None)
            if public is not None and public.text == name:
                return symbol.name
        return None

    def report_unknown(self, name: str, span: Span, hint: str = "") -> None:
        """O201, with the declared name that looks most like it."""
        written = self.diagnostics.written
        near = closest(name, (x for x in self.symbols if written.get(x) != name))
        mend = f"did you mean {self.symbols[near].described}?" if near else ""
        if own := self._with_public_name(name):
            mend = f"in a spec it goes by its own name, '{own}'"
        if name in self.defs:
            mend = f"'{name}' is a def: it needs arguments, as in '{name}(…)'"
        elif name in self.functions:
            mend = f"'{name}' is a function: it needs arguments, as in '{name}(…)'"
        self.diagnostics.add(
            "O201", f"'{name}' is not declared", span, " ".join(x for x in (mend, hint) if x)
        )


def _is_behind(second: Span, first: Span) -> bool:
    return second.source is first.source and second.start > first.start


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was probably meant to be."""
    found = difflib.get_close_matches(name, sorted(candidates), n=1, cutoff=0.5)
    return found[0] if found else None
