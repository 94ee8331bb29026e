"""Lists and `repeat` written out: an optimizer without them that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from optdsl.diagnostics import Diagnostics, Note, Span
from optdsl.semantics.constants import Folder, NotConstant
from optdsl.semantics.declarations import names
from optdsl.semantics.expand import TooLarge
from optdsl.semantics.limits import MAX_STATEMENTS
from optdsl.semantics.lists import Lists, Place, walk
from optdsl.semantics.operators import SCHEDULE_FUNCTIONS
from optdsl.semantics.scope import Scope, Symbol, SymbolKind
from optdsl.syntax import tree


def unroll(
    item: tree.Optimizer, file: tree.File, diagnostics: Diagnostics
) -> tuple[tree.Optimizer, tree.File]:
    """An optimizer, and the file whose definitions it uses, without lists and `repeat`s.

    What is wrong with them is reported. Raises TooLarge, after a report, where the result is.
    """
    if not any(map(_is_of_lists, walk((item, file.definitions)))):
        return item, file
    unroller = _Unroller(item, file, Scope(diagnostics))
    place = Place()  # a `let` of a stage is still there in the next one
    stages = tuple(replace(s, body=unroller.block(s.body, place)) for s in item.stages)
    return replace(item, declarations=unroller.declarations, stages=stages), unroller.file


def unroll_schedule(
    item: tree.Schedule, file: tree.File, diagnostics: Diagnostics
) -> tuple[tree.Schedule, tree.File]:
    """The same for a schedule. Its lists may be of any length, and so have no entries here."""
    if not any(map(_is_of_lists, walk((item, file.definitions)))):
        return item, file
    unroller = _Unroller(item, file, Scope(diagnostics, functions=SCHEDULE_FUNCTIONS))
    body = unroller.block(item.body, Place())
    return replace(item, declarations=unroller.declarations, body=body), unroller.file


def _is_of_lists(node: object) -> bool:
    match node:
        case tree.Index() | tree.List() | tree.Repeat():
            return True
        case tree.SlotName(count=found) | tree.Assign(index=found):
            return found is not None
    return False


_Kind = TypeVar("_Kind", bound=tree.Declaration)


class _Unroller:
    """Writes one optimizer out."""

    def __init__(self, item: tree.Optimizer | tree.Schedule, file: tree.File, scope: Scope) -> None:
        self._written, self._scope, self._diagnostics = item, scope, scope.diagnostics
        self._lists = Lists((item, file.definitions), scope)
        self._statements = 0
        self._declared: set[tree.Ident] = set()
        self._declare(file)
        definitions = tuple(map(self._definition, file.definitions))
        self.file = replace(file, definitions=definitions)
        self.declarations = tuple(
            new for d in item.declarations for new in self._declaration(d)
        )  # fmt: skip

    # --------------------------------------------------------------------- names

    def _declare(self, file: tree.File) -> None:
        """All the names, and the lists with their lengths; what stands twice is reported."""
        for definition in (*file.definitions, *self._own(tree.Def)):
            self._scope.declare_def(definition)
        for declaration in self._written.declarations:
            for name, kind in _declared(declaration):
                if self._scope.declare(Symbol(name.text, kind, name.span, declaration)):
                    self._declared.add(name)
        for const in self._own(tree.Const):
            if isinstance(const.default, tree.List) and const.name in self._declared:
                self._lists.add(const.name, len(const.default.items), const.default.span)
        for slot in self._own(tree.Slot):
            for item in slot.names:
                if item.count is not None and item.name in self._declared:
                    count = self._lists.count(item.count)
                    self._lists.add(item.name, count or 0, item.count.span)

    def _own(self, kind: type[_Kind]) -> Iterator[_Kind]:
        return (d for d in self._written.declarations if isinstance(d, kind))

    # -------------------------------------------------------------- declarations

    def _declaration(self, declaration: tree.Declaration) -> tuple[tree.Declaration, ...]:
        match declaration:
            case tree.Const():
                return self._const(declaration)
            case tree.For():
                settings = tuple(s for x in declaration.settings for s in self._setting(x))
                return (replace(declaration, settings=settings),)
        return (self._plain(declaration),)

    def _plain(self, item: tree.Declaration) -> tree.Declaration:
        """A declaration that stays one."""
        new: tree.Declaration = item
        match item:
            case tree.Slot():
                new = self._slot(item)
            case tree.Def():
                new = self._definition(item)
            case tree.Hyper():
                first, domain = self._maybe(item.default), self._domain(item)
                new = replace(item, default=first, domain=domain)
            case tree.ListConst():
                numbers, domain = tuple(map(self._expr, item.default)), self._domain(item)
                new = replace(item, default=numbers, domain=domain)
            case tree.Flag():
                new = replace(item, default=self._expr(item.default))
            case tree.Shared():
                initial, condition = self._expr(item.initial), self._maybe(item.condition)
                new = replace(item, initial=initial, condition=condition)
            case tree.Sparse():
                new = replace(item, condition=self._maybe(item.condition))
            case tree.Eval():
                value, condition = self._expr(item.value), self._maybe(item.condition)
                new = replace(item, value=value, condition=condition)
        return new

    def _expr(self, expr: tree.Expr) -> tree.Expr:
        return self._lists.expr(expr, Place())

    def _maybe(self, expr: tree.Expr | None) -> tree.Expr | None:
        return None if expr is None else self._expr(expr)

    def _domain(self, item: tree.Hyper | tree.Const | tree.ListConst) -> tree.Domain | None:
        if item.domain is None:
            return None
        low, high = self._expr(item.domain.low), self._expr(item.domain.high)
        return replace(item.domain, low=low, high=high)

    def _const(self, const: tree.Const) -> tuple[tree.Const, ...]:
        """A const for each entry; they share the name that users know."""
        domain, name = self._domain(const), const.name
        if not isinstance(const.default, tree.List):
            return (replace(const, default=self._expr(const.default), domain=domain),)
        for index in walk(const.default):
            if isinstance(index, tree.Index) and index.name.text == name.text:
                message = "a default is made of numbers and earlier consts"
                self._diagnostics.add("O305", message, index.span)
                return ()
        names = self._lists.entries(name.text) if name in self._declared else ()
        entries = zip(names, const.default.items, strict=False)
        return tuple(
            replace(
                const, name=replace(name, text=entry), default=self._expr(value), domain=domain,
                public=const.public or name, entry_of=name.text, index=i,
            )
            for i, (entry, value) in enumerate(entries)
        )  # fmt: skip

    def _slot(self, slot: tree.Slot) -> tree.Slot:
        return replace(
            slot,
            names=tuple(name for x in slot.names for name in self._slot_names(x)),
            initial=self._maybe(slot.initial),
            condition=self._maybe(slot.condition),
        )

    def _slot_names(self, name: tree.SlotName) -> tuple[tree.SlotName, ...]:
        if name.count is None:
            return (name,)
        if name.name not in self._declared:
            return ()
        return tuple(
            tree.SlotName(replace(name.name, text=entry), name.public and _numbered(name.public, i))
            for i, entry in enumerate(self._lists.entries(name.name.text))
        )

    def _definition(self, definition: tree.Def) -> tree.Def:
        hidden = frozenset(p.text for p in definition.parameters)
        return replace(definition, body=self._lists.expr(definition.body, Place(hidden=hidden)))

    # -------------------------------------------------- what differs in a target

    def _setting(self, setting: tree.Setting) -> tuple[tree.Setting, ...]:
        match setting:
            case tree.SetPublic(name=name, public=public) if name.text in self._lists:
                together = any(c.name.text == name.text for c in self._own(tree.Const))
                return tuple(
                    replace(
                        setting, name=replace(name, text=entry),
                        public=public if together else _numbered(public, i),
                    )
                    for i, entry in enumerate(self._lists.entries(name.text))
                )  # fmt: skip
            case tree.SetDefault():
                return self._set_default(setting)
        return (setting,)

    def _set_default(self, setting: tree.SetDefault) -> tuple[tree.SetDefault, ...]:
        name, default = setting.name, setting.default
        if name.text not in self._lists:
            if isinstance(default, tree.List) and name.text in self._scope.symbols:
                message = f"'{name.text}' is one value, this is a list"
                self._diagnostics.add("O307", message, default.span)
                return ()
            value = default.items[0] if isinstance(default, tree.List) else default
            return (replace(setting, default=self._expr(value)),)
        entries = self._lists.entries(name.text)
        if not list_fits(name.text, len(entries), default, self._diagnostics):
            return ()
        assert isinstance(default, tree.List)
        return tuple(
            replace(setting, name=replace(name, text=entry), default=self._expr(value))
            for entry, value in zip(entries, default.items, strict=True)
        )

    # ---------------------------------------------------------------- statements

    def block(self, body: tuple[tree.Statement, ...], place: Place) -> tuple[tree.Statement, ...]:
        """The statements of a block, written out; its `let`s are entered into the place."""
        return tuple(new for s in body for new in self._statement(s, place))

    def _statement(self, statement: tree.Statement, place: Place) -> tuple[tree.Statement, ...]:
        if place.rounds:
            self._count(statement.span)
        match statement:
            case tree.Let(name=name):
                value = self._lists.expr(statement.value, place)
                own = replace(name, text=self._local(name, place))
                return (replace(statement, name=own, value=value),)
            case tree.Assign():
                return self._assign(statement, place)
            case tree.If():
                return self._if(statement, place)
            case tree.Every():
                count = self._lists.expr(statement.count, place)
                body = self.block(statement.body, place.inside())
                return (replace(statement, count=count, body=body),)
            case tree.Repeat():
                return self._repeat(statement, place)
            case _:
                return (statement,)

    def _local(self, name: tree.Ident, place: Place) -> str:
        """What a `let` is called: in each round it is another one.

        One that takes a name which is visible keeps that, so that it is found out later.
        """
        if name.text in place.numbers or name.text in self._lists:
            self._report_twice(name)
        elif place.rounds and name.text not in {*place.locals, *self._scope.symbols}:
            numbered = "_".join([name.text, *map(str, place.rounds)])
            place.locals[name.text] = self._lists.fresh(numbered, name.text)
        return place.locals.setdefault(name.text, name.text)

    def _report_twice(self, name: tree.Ident) -> None:
        first = self._scope.symbols.get(name.text)
        place = first.span if first else None
        notes = (Note(f"'{name.text}' is declared here", place),) if place else ()
        message = f"'{name.text}' is declared twice"
        self._diagnostics.add("O202", message, name.span, "choose another name", notes)

    def _assign(self, statement: tree.Assign, place: Place) -> tuple[tree.Statement, ...]:
        value, target = self._lists.expr(statement.value, place), statement.target
        if statement.index is not None:
            entry = self._lists.entry(target, statement.index, place)
            if entry is None:
                return ()
            own = replace(target, text=entry)
            return (replace(statement, target=own, value=value, index=None),)
        if target.text in self._lists:
            self._lists.report_whole(target.text, target.span)
            return ()
        if target.text in place.numbers:
            message = f"the index '{target.text}' cannot be assigned to"
            self._diagnostics.add("O204", message, target.span, "it counts the rounds")
            return ()
        own = replace(target, text=place.locals.get(target.text, target.text))
        return (replace(statement, target=own, value=value),)

    def _if(self, statement: tree.If, place: Place) -> tuple[tree.Statement, ...]:
        """A condition on the index is decided here, so that `v[i-1]` may stand under `i > 0`."""
        condition = self._lists.expr(statement.condition, place)
        if any(n.text in place.numbers for n in names(statement.condition)):
            try:
                holds = Folder(Diagnostics()).value(condition)
            except NotConstant:
                holds = 0.0
            if isinstance(holds, bool):
                return self.block(statement.then if holds else statement.orelse, place.inside())
        then = self.block(statement.then, place.inside())
        orelse = self.block(statement.orelse, place.inside())
        return (replace(statement, condition=condition, then=then, orelse=orelse),)

    def _repeat(self, statement: tree.Repeat, place: Place) -> tuple[tree.Statement, ...]:
        count, index = self._lists.count(statement.count), statement.index
        if index is not None and not self._is_free(index, place):
            return ()
        found: list[tree.Statement] = []
        for number in range(count or 0):
            self._count(statement.span)
            found += self.block(statement.body, place.in_round(number, index))
        return tuple(found)

    def _is_free(self, index: tree.Ident, place: Place) -> bool:
        if index.text in {*place.numbers, *place.locals}:
            self._report_twice(index)
            return False
        with self._scope.block():
            return self._scope.declare(Symbol(index.text, "let", index.span))

    def _count(self, place: Span) -> None:
        self._statements += 1
        if self._statements > MAX_STATEMENTS:
            message = f"with all its rounds this is more than {MAX_STATEMENTS} statements"
            self._diagnostics.add("O105", message, place, "repeat less")
            raise TooLarge


def list_fits(name: str, length: int, given: tree.Expr, diagnostics: Diagnostics) -> bool:
    """Whether this is a list of as many entries as the list `name` has; reports where not."""
    if not isinstance(given, tree.List):
        diagnostics.add(
            "O307", f"'{name}' is a list, this is one value", given.span,
            f"write a list of {length}, as in '[{', '.join(['0.9'] * min(length, 3))}]'",
        )  # fmt: skip
    elif len(given.items) != length:
        diagnostics.add(
            "O310", f"'{name}' has {length} entries, not {len(given.items)}", given.span,
            "how many they are is fixed where the list is declared",
        )  # fmt: skip
    return isinstance(given, tree.List) and len(given.items) == length


def _declared(declaration: tree.Declaration) -> Iterator[tuple[tree.Ident, SymbolKind]]:
    """The names that a declaration declares."""
    match declaration:
        case tree.Hyper(name=name):
            yield name, "hyper"
        case tree.Const(name=name):
            yield name, "const"
        case tree.ListConst(name=name):
            yield name, "list"
        case tree.Flag(name=name):
            yield name, "flag"
        case tree.Shared(name=name):
            yield name, "shared"
        case tree.Slot(names=slots):
            for slot in slots:
                yield slot.name, "slot"


def _numbered(name: tree.Ident, number: int) -> tree.Ident:
    return replace(name, text=f"{name.text}_{number}")
