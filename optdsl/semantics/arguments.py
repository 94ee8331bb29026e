"""The arguments of a part in a composition: `Lookahead(k=6)` has other defaults."""

from __future__ import annotations

import math
from dataclasses import replace

from optdsl.diagnostics import Diagnostics, Note
from optdsl.semantics import model
from optdsl.semantics.constants import Constant, Folder, NotConstant
from optdsl.semantics.scope import closest
from optdsl.semantics.unroll import list_fits
from optdsl.syntax import tree


def with_arguments(
    optimizer: model.Optimizer, part: tree.Part, diagnostics: Diagnostics
) -> model.Optimizer | None:
    """The optimizer with the defaults that a part of a composition gives; None after a report."""
    given: dict[str, tuple[tree.Ident, tree.Expr]] = {}
    right = True
    for name, expr in part.arguments:
        argument = _named(optimizer, name, diagnostics)
        if argument is None:
            right = False
        elif argument.name in given:
            right = False
            diagnostics.add(
                "O704", f"'{name.text}' is given twice", name.span,
                notes=(Note("the first", given[argument.name][0].span),),
            )  # fmt: skip
        else:
            parts = _parts(optimizer, argument, expr, diagnostics)
            right = right and parts is not None
            given |= {part: (name, value) for part, value in parts or ()}
    known = {a.name: a for a in optimizer.arguments}
    values = {n: _value(known[n], expr, diagnostics) for n, (_, expr) in given.items()}
    if not right or None in values.values():
        return None
    for name_, value in values.items():
        assert value is not None
        optimizer = _with_default(optimizer, name_, value, given[name_][1])
    return _with_constants(optimizer, part, diagnostics)


def _named(
    optimizer: model.Optimizer, name: tree.Ident, diagnostics: Diagnostics
) -> model.Argument | None:
    """The argument of this name: the public one wins over the spec's."""
    heads = [a for a in optimizer.arguments if not (isinstance(a, model.Const) and a.index)]
    by_name = {_title(a): a for a in heads} | {a.public: a for a in heads}
    if name.text not in by_name:
        near = closest(name.text, by_name)
        known = ", ".join(map(_title, heads))
        mend = f"did you mean '{near}'?" if near else f"it has {known}" if known else "it has none"
        diagnostics.add(
            "O704", f"'{optimizer.name}' has no argument '{name.text}'", name.span, mend
        )
    return by_name.get(name.text)


def _title(argument: model.Argument) -> str:
    """The spec's name: of an entry of a list, that of the list."""
    return (
        argument.name
        if not isinstance(argument, model.Const)
        else (argument.entry_of or argument.name)
    )


def _parts(
    optimizer: model.Optimizer, argument: model.Argument, expr: tree.Expr, diagnostics: Diagnostics
) -> list[tuple[str, tree.Expr]] | None:
    """What an argument gives to which names: of a list, to each entry. None after a report."""
    title = _title(argument)
    if not isinstance(argument, model.Const) or not argument.entry_of:
        if isinstance(expr, tree.List):
            diagnostics.add("O307", f"'{title}' is one value, this is a list", expr.span)
            return None
        return [(argument.name, expr)]
    entries = [c.name for c in optimizer.consts if c.entry_of == title]
    if not list_fits(title, len(entries), expr, diagnostics):
        return None
    assert isinstance(expr, tree.List)
    return list(zip(entries, expr.items, strict=True))


def _with_default(
    optimizer: model.Optimizer, name: str, value: Constant, expr: tree.Expr
) -> model.Optimizer:
    return replace(
        optimizer,
        hypers=tuple(
            replace(h, default=float(value)) if h.name == name else h for h in optimizer.hypers
        ),
        consts=tuple(replace(c, default=expr) if c.name == name else c for c in optimizer.consts),
        flags=tuple(
            replace(f, default=bool(value)) if f.name == name else f for f in optimizer.flags
        ),
        settings={
            target: replace(s, defaults={n: v for n, v in s.defaults.items() if n != name})
            for target, s in optimizer.settings.items()
        },
    )


def _value(argument: model.Argument, expr: tree.Expr, diagnostics: Diagnostics) -> Constant | None:
    """A value that fits the argument; None after a report."""
    found = Diagnostics()
    try:
        value = Folder(found).value(expr)
    except NotConstant:
        if not found.has_errors:
            found.add("O305", "an argument is made of numbers", expr.span)
        diagnostics.extend(found)
        return None
    name = argument.written if isinstance(argument, model.Const) else argument.name
    is_flag = isinstance(argument, model.Flag)
    if isinstance(value, bool) != is_flag:
        wanted = "true or false" if is_flag else "a number"
        diagnostics.add("O302", f"'{name}' is {wanted}", expr.span)
        return None
    if isinstance(argument, model.Flag):
        return value
    whole = isinstance(argument, model.Const) and argument.is_int
    if whole and math.isfinite(value) and value != int(value):
        diagnostics.add("O306", f"'{name}' is an integer", expr.span)
        return None
    if value not in argument.domain or (whole and not math.isfinite(value)):
        diagnostics.add(
            "O402", f"{model.digits(value)} is outside the domain {argument.domain} of '{name}'",
            expr.span,
        )  # fmt: skip
        return None
    return value


def _with_constants(
    optimizer: model.Optimizer, part: tree.Part, diagnostics: Diagnostics
) -> model.Optimizer | None:
    """The values of consts whose defaults are made of others; None where one may not be."""
    known: dict[str, Constant] = {}
    consts, right = [], True
    for const in optimizer.consts:
        known[const.name] = Folder(Diagnostics()).value(const.default, known)
        value = float(known[const.name])
        consts.append(replace(const, default_value=value))
        if value not in const.domain:
            right = False
            message = f"'{const.written}' becomes {model.digits(value)}, outside its domain"
            diagnostics.add("O402", f"{message} {const.domain}", part.name.span)
    return replace(optimizer, consts=tuple(consts)) if right else None
