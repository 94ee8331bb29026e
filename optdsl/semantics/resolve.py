"""From the tree of a file to resolved optimizers, with every finding reported on the way."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import replace

from optdsl.diagnostics import Diagnostics, Note
from optdsl.semantics import model
from optdsl.semantics.constants import Folder
from optdsl.semantics.declarations import Declarer, names
from optdsl.semantics.domains import check_domains
from optdsl.semantics.evaluation import resolve_evaluation
from optdsl.semantics.expand import Expander, TooLarge
from optdsl.semantics.levels import Levels
from optdsl.semantics.scope import PREDEFINED, Scope, closest
from optdsl.semantics.settings import SettingsReader, check_public_names
from optdsl.semantics.statements import check_body
from optdsl.semantics.usage import check_usage
from optdsl.syntax import tree


def resolve(file: tree.File, diagnostics: Diagnostics) -> tuple[model.Optimizer, ...]:
    """The optimizers of a file, resolved. Those with errors are left out; all is reported."""
    _check_optimizer_names(file, diagnostics)
    resolved = []
    for item in file.optimizers:
        own = Diagnostics()
        try:
            found = _optimizer(item, file, own)
        except TooLarge:
            found = None
        if found is not None and not own.has_errors:
            check_usage(found, own)
            check_domains(found, own)
            resolved.append(found)
        diagnostics.extend(own)
    return tuple(resolved)


def _check_optimizer_names(file: tree.File, diagnostics: Diagnostics) -> None:
    first: dict[str, tree.Ident] = {}
    for item in file.optimizers:
        name = item.name
        if keyword.iskeyword(name.text):
            diagnostics.add("O203", f"'{name.text}' is a word of Python", name.span)
        if name.text in first:
            diagnostics.add(
                "O202", f"the optimizer '{name.text}' is declared twice", name.span,
                notes=(Note("it is declared here", first[name.text].span),),
            )  # fmt: skip
        first.setdefault(name.text, name)


def _optimizer(
    item: tree.Optimizer | tree.Composition, file: tree.File, diagnostics: Diagnostics
) -> model.Optimizer | None:
    if not _supported(item, diagnostics):
        return None
    assert isinstance(item, tree.Optimizer)
    scope = Scope(diagnostics)
    expander, folder = Expander(scope), Folder(diagnostics)
    _declare_defs(item, file, scope)
    declarer = Declarer(scope, Levels(scope), expander, folder)
    for declaration in item.declarations:
        declarer.declare(declaration)
    _check_defs(item, file, scope)
    body = expand_block(item.stages[0].body, expander)
    check_constants(body, folder)
    levels = check_body(scope, body)
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
        evaluation=evaluation,
    )
    check_public_names(optimizer, diagnostics)
    return optimizer


def _supported(item: tree.Optimizer | tree.Composition, diagnostics: Diagnostics) -> bool:
    """Report what this version does not know yet, and an optimizer without an update."""
    missing = ""
    if isinstance(item, tree.Composition):
        missing = "composition with 'of'"
    elif item.is_wrapper:
        missing = "'wrapper'"
    elif any(stage.name for stage in item.stages):
        missing = "'stage'"
    if missing:
        diagnostics.add("O901", f"{missing} is not supported in this version", item.name.span)
        return False
    assert isinstance(item, tree.Optimizer)
    if not item.stages:
        diagnostics.add(
            "O102", f"'{item.name.text}' has no 'update {{ … }}'", item.name.span,
            "its equations belong there",
        )  # fmt: skip
    for extra in item.stages[1:]:
        diagnostics.add(
            "O202", "'update' stands twice", extra.span,
            notes=(Note("the first", item.stages[0].span),),
        )  # fmt: skip
    return len(item.stages) == 1


def _declare_defs(item: tree.Optimizer, file: tree.File, scope: Scope) -> None:
    for definition in (*file.definitions, *_own_defs(item)):
        scope.declare_def(definition)


def _own_defs(item: tree.Optimizer) -> list[tree.Def]:
    return [d for d in item.declarations if isinstance(d, tree.Def)]


def _check_defs(item: tree.Optimizer, file: tree.File, scope: Scope) -> None:
    """The names in a `def`, used or not: its parameters, and what is declared around it."""
    for definition in (*file.definitions, *_own_defs(item)):
        top = definition in file.definitions
        known = set(PREDEFINED) if top else set(scope.symbols)
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
            return replace(
                statement,
                condition=expander.expand(statement.condition),
                then=expand_block(statement.then, expander),
                orelse=expand_block(statement.orelse, expander),
            )
        case _:
            return statement


def check_constants(body: tuple[tree.Statement, ...], folder: Folder) -> None:
    """O401 for constants in the statements that are no finite numbers."""
    for statement in body:
        match statement:
            case tree.Let(value=value) | tree.Assign(value=value):
                folder.check(value)
            case tree.If():
                folder.check(statement.condition)
                check_constants(statement.then, folder)
                check_constants(statement.orelse, folder)
