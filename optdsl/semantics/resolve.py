"""From the tree of a file to resolved optimizers, with every finding reported on the way."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from optdsl.diagnostics import Diagnostics, Note
from optdsl.semantics import model
from optdsl.semantics.compose import compose
from optdsl.semantics.constants import Folder
from optdsl.semantics.declarations import Declarer, names
from optdsl.semantics.domains import check_domains
from optdsl.semantics.evaluation import resolve_evaluation
from optdsl.semantics.expand import Expander, TooLarge
from optdsl.semantics.levels import Levels
from optdsl.semantics.lookup import Library, read
from optdsl.semantics.rename import map_blocks, statements
from optdsl.semantics.scope import PREDEFINED, Scope, closest
from optdsl.semantics.settings import SettingsReader, check_public_names
from optdsl.semantics.statements import check_body
from optdsl.semantics.unroll import unroll
from optdsl.semantics.usage import check_usage
from optdsl.syntax import tree


def resolve(
    file: tree.File, diagnostics: Diagnostics, library: Library | None = None
) -> tuple[model.Optimizer, ...]:
    """The optimizers of a file, resolved. Those with errors are left out; all is reported.

    Wrappers are checked, but no optimizers. Parts of compositions that the file does not declare
    are looked up beside it and in `library` (None: the built-in one).
    """
    _check_optimizer_names(file, diagnostics)
    resolver = _Resolver(file, library or Library())
    for item in file.optimizers:
        found, own = resolver.definition(item)
        if isinstance(item, tree.Optimizer) and found is not None and not own.has_errors:
            check_usage(found, own)
            check_domains(found, own)
        diagnostics.extend(own)
    return tuple(resolver.optimizers())


def resolve_checked(file: tree.File) -> tuple[model.Optimizer, ...]:
    """The optimizers of a file of optdsl's own, which nothing is wrong with: tests check that."""
    return tuple(_Resolver(file, Library(())).optimizers())


class _Resolver:
    """Resolves the definitions of one file, each once, and what they are composed of."""

    def __init__(self, file: tree.File, library: Library, around: tuple[Path, ...] = ()) -> None:
        self._file, self._library = file, library
        path = Path(file.source.name)
        self._path = path.resolve() if os.path.isfile(path) else None
        self._around = (*around, self._path) if self._path else around
        self._found: dict[int, tuple[model.Optimizer | None, Diagnostics]] = {}
        self._active: list[str] = []

    def optimizers(self) -> Iterator[model.Optimizer]:
        """Those without errors that code can be made of."""
        for item in self._file.optimizers:
            found, own = self.definition(item)
            if found is not None and not found.is_wrapper and not own.has_errors:
                yield found

    def definition(
        self, item: tree.Optimizer | tree.Composition
    ) -> tuple[model.Optimizer | None, Diagnostics]:
        """An optimizer, wrapper or composition, and what was found in it."""
        if id(item) not in self._found:
            own = Diagnostics()
            self._active.append(item.name.text)
            try:
                if isinstance(item, tree.Optimizer):
                    found = _optimizer(item, self._file, own)
                else:
                    found = compose(item, lambda name: self._look_up(name, own), self._file, own)
            except TooLarge:
                found = None
            self._active.pop()
            self._found[id(item)] = found, own
        return self._found[id(item)]

    def _look_up(self, name: tree.Ident, diagnostics: Diagnostics) -> model.Optimizer | None:
        """A part of a composition; None after a report."""
        for item in self._file.optimizers:
            if item.name.text == name.text and name.text not in self._active:
                found, own = self.definition(item)
                if found is None or own.has_errors:
                    diagnostics.add("O707", f"'{name.text}' has errors", name.span)
                    return None
                return found
        if name.text in self._active and name.text != self._active[-1]:
            self._report_cycle(name, diagnostics)
            return None
        return self._from_elsewhere(name, diagnostics)

    def _report_cycle(self, name: tree.Ident, diagnostics: Diagnostics) -> None:
        diagnostics.add("O708", f"'{name.text}' is composed of itself", name.span)

    def _from_elsewhere(self, name: tree.Ident, diagnostics: Diagnostics) -> model.Optimizer | None:
        beside = self._path.parent if self._path else None
        path = self._library.find(name.text, beside)
        if path is None or path.resolve() in self._around:
            if name.text in self._active:
                self._report_cycle(name, diagnostics)
                return None
            known = {i.name.text for i in self._file.optimizers} | {*self._library.names(beside)}
            near = closest(name.text, known)
            diagnostics.add(
                "O709", f"there is no optimizer or wrapper '{name.text}'", name.span,
                f"did you mean '{near}'?" if near else "it is looked up in the file, beside it, "
                "in the folders that were given, and in the built-in library",
            )  # fmt: skip
            return None
        file = read(path)
        found = file and _Resolver(file, self._library, self._around)._named(name.text)
        if not found:
            diagnostics.add(
                "O707", f"'{name.text}' has errors, in {path.name}", name.span,
                f"run 'optdsl check {path.name}'",
            )  # fmt: skip
        return found or None

    def _named(self, name: str) -> model.Optimizer | None:
        for item in self._file.optimizers:
            if item.name.text == name:
                found, own = self.definition(item)
                return None if own.has_errors else found
        return None


def _check_optimizer_names(file: tree.File, diagnostics: Diagnostics) -> None:
    first: dict[str, tree.Ident] = {}
    for item in sorted((*file.optimizers, *file.schedules), key=lambda i: i.name.span.start):
        name = item.name
        kind = "schedule" if isinstance(item, tree.Schedule) else "optimizer"
        if keyword.iskeyword(name.text):
            diagnostics.add("O203", f"'{name.text}' is a word of Python", name.span)
        if name.text in first:
            diagnostics.add(
                "O202", f"the {kind} '{name.text}' is declared twice", name.span,
                notes=(Note("it is declared here", first[name.text].span),),
            )  # fmt: skip
        first.setdefault(name.text, name)


def _optimizer(
    item: tree.Optimizer, file: tree.File, diagnostics: Diagnostics
) -> model.Optimizer | None:
    if not _has_step(item, diagnostics):
        return None
    item, file = unroll(item, file, diagnostics)
    scope = Scope(diagnostics)
    expander, folder = Expander(scope), Folder(diagnostics)
    declare_defs(item, file, scope)
    declarer = Declarer(scope, Levels(scope), expander, folder)
    for declaration in item.declarations:
        declarer.declare(declaration)
    check_defs(item, file, scope)
    body = expand_block(_statements(item), expander)
    check_constants(body, folder)
    levels = check_body(scope, body, item.is_wrapper)
    if item.is_wrapper and not any(isinstance(s, tree.Inner) for s in statements(body)):
        diagnostics.add(
            "O703", f"'{item.name.text}' never runs what it wraps", item.name.span,
            "put 'inner' where that takes its step",
        )  # fmt: skip
    evaluation = resolve_evaluation(item, scope, expander)
    check_constants(evaluation, folder)
    domains = {h.name: h.domain for h in declarer.hypers}
    domains |= {c.name: c.domain for c in declarer.consts}
    blocks = [d for d in item.declarations if isinstance(d, tree.For)]
    optimizer = model.Optimizer(
        name=item.name.text,
        doc=item.doc,
        hypers=tuple(declarer.hypers),
        consts=tuple(declarer.consts),
        flags=tuple(declarer.flags),
        slots=tuple(declarer.slots),
        shareds=tuple(declarer.shareds),
        policies=_policies(declarer.policies, item, diagnostics),
        settings=SettingsReader(scope, folder, domains).read(blocks),
        body=body,
        let_levels={span: found.level for span, found in levels.lets.items()},
        sources=(file.source,),
        span=item.name.span,
        is_wrapper=item.is_wrapper,
        evaluation=evaluation,
    )
    check_public_names(optimizer, diagnostics)
    return optimizer


def _has_step(item: tree.Optimizer, diagnostics: Diagnostics) -> bool:
    """Whether there is an `update`, or stages; reports what is wrong with them."""
    if not item.stages:
        diagnostics.add(
            "O102", f"'{item.name.text}' has no 'update {{ … }}'", item.name.span,
            "its equations belong there",
        )  # fmt: skip
    first: dict[str, tree.Stage] = {}
    for stage in item.stages:
        name = stage.name.text if stage.name else "update"
        if name in first:
            diagnostics.add(
                "O202", f"'{name}' stands twice", stage.span,
                notes=(Note("the first", first[name].span),),
            )  # fmt: skip
        first.setdefault(name, stage)
    return bool(item.stages) and len(first) == len(item.stages)


def _statements(item: tree.Optimizer) -> tuple[tree.Statement, ...]:
    """The statements of all the stages, with a `tree.Evaluate` between two."""
    body: tuple[tree.Statement, ...] = ()
    for i, stage in enumerate(item.stages):
        between = (tree.Evaluate(stage.name.text if stage.name else "", stage.span),) if i else ()
        body += (*between, *stage.body)
    return body


def declare_defs(item: tree.Optimizer | tree.Schedule, file: tree.File, scope: Scope) -> None:
    """Enter the `def`s of the file and those inside."""
    for definition in (*file.definitions, *_own_defs(item)):
        scope.declare_def(definition)


def _own_defs(item: tree.Optimizer | tree.Schedule) -> list[tree.Def]:
    return [d for d in item.declarations if isinstance(d, tree.Def)]


def check_defs(item: tree.Optimizer | tree.Schedule, file: tree.File, scope: Scope) -> None:
    """The names in a `def`, used or not: its parameters, and what is declared around it."""
    for definition in (*file.definitions, *_own_defs(item)):
        top = definition in file.definitions
        known = {"?", *(PREDEFINED if top else scope.symbols)}
        parameters = [p.text for p in definition.parameters]
        for i, parameter in enumerate(definition.parameters):
            if parameter.text in parameters[:i]:
                scope.diagnostics.add(
                    "O202", f"'{parameter.text}' is declared twice", parameter.span
                )
        for name in names(definition.body):
            if name.text not in known.union(parameters):
                near = closest(name.text, known.union(parameters))
                mend = f"did you mean '{near}'?" if near else "make it a parameter"
                scope.diagnostics.add("O201", f"'{name.text}' is not declared", name.span, mend)


def _policies(
    found: Sequence[model.Policy], item: tree.Optimizer, diagnostics: Diagnostics
) -> tuple[model.Policy, ...]:
    """The policies, conditional ones first; `exact` where nothing is said."""
    always = [p for p in found if p.condition is None]
    for extra in always[1:]:
        diagnostics.add(
            "O501", "a second policy without a condition", extra.span,
            notes=(Note("the first", always[0].span),),
        )  # fmt: skip
    last = always[:1] or [model.Policy("exact", None, item.name.span)]
    return (*(p for p in found if p.condition is not None), *last)


def expand_block(
    body: tuple[tree.Statement, ...], expander: Expander
) -> tuple[tree.Statement, ...]:
    """The statements with every `def` expanded."""
    return tuple(_expand_statement(s, expander) for s in body)


def _expand_statement(statement: tree.Statement, expander: Expander) -> tree.Statement:
    match statement:
        case tree.Let() | tree.Assign():
            return replace(statement, value=expander.expand(statement.value))
        case tree.If():
            statement = replace(statement, condition=expander.expand(statement.condition))
        case tree.Every():
            statement = replace(statement, count=expander.expand(statement.count))
    return map_blocks(statement, lambda block: expand_block(block, expander))


def check_constants(body: tuple[tree.Statement, ...], folder: Folder) -> None:
    """O401 for constants in the statements that are no finite numbers."""
    for statement in statements(body):
        match statement:
            case tree.Let(value=value) | tree.Assign(value=value):
                folder.check(value)
            case tree.If(condition=condition):
                folder.check(condition)
