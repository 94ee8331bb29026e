"""The parts of a resolved optimizer under other names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from optdsl.semantics import model
from optdsl.syntax import tree

#: The new names, by the old ones; what is missing keeps its name.
Renaming = Mapping[str, str]


def renamed_optimizer(optimizer: model.Optimizer, names: Renaming) -> model.Optimizer:
    """The optimizer with its arguments, state and locals renamed; public names stay."""

    def own(name: str) -> str:
        return names.get(name, name)

    def condition(expr: tree.Expr | None) -> tree.Expr | None:
        return None if expr is None else renamed(expr, names)

    return replace(
        optimizer,
        hypers=tuple(replace(h, name=own(h.name), clock=own(h.clock)) for h in optimizer.hypers),
        consts=tuple(
            replace(
                c, name=own(c.name), default=renamed(c.default, names), entry_of=own(c.entry_of)
            )
            for c in optimizer.consts
        ),
        flags=tuple(replace(f, name=own(f.name)) for f in optimizer.flags),
        slots=tuple(
            replace(
                s, name=own(s.name), initial=renamed(s.initial, names),
                condition=condition(s.condition),
            )
            for s in optimizer.slots
        ),
        shareds=tuple(
            replace(
                s, name=own(s.name), initial=renamed(s.initial, names),
                condition=condition(s.condition),
            )
            for s in optimizer.shareds
        ),
        policies=tuple(
            replace(p, condition=condition(p.condition)) for p in optimizer.policies
        ),
        settings={
            target: replace(
                s,
                defaults={own(n): v for n, v in s.defaults.items()},
                public={own(n): v for n, v in s.public.items()},
            )
            for target, s in optimizer.settings.items()
        },
        body=tuple(renamed_statement(s, names) for s in optimizer.body),
        evaluation=tuple(renamed_statement(s, names) for s in optimizer.evaluation),
        origins={own(n): v for n, v in optimizer.origins.items()},
    )  # fmt: skip


def renamed(expr: tree.Expr, names: Renaming) -> tree.Expr:
    """An expression under other names."""
    match expr:
        case tree.Name(text=text):
            return replace(expr, text=names.get(text, text))
        case tree.Unary():
            return replace(expr, operand=renamed(expr.operand, names))
        case tree.Binary():
            return replace(expr, left=renamed(expr.left, names), right=renamed(expr.right, names))
        case tree.Call():
            return replace(expr, args=tuple(renamed(a, names) for a in expr.args))
        case _:
            return expr


def renamed_statement(statement: tree.Statement, names: Renaming) -> tree.Statement:
    """A statement under other names."""

    def own(name: tree.Ident) -> tree.Ident:
        return replace(name, text=names.get(name.text, name.text))

    match statement:
        case tree.Let():
            return replace(
                statement, name=own(statement.name), value=renamed(statement.value, names)
            )
        case tree.Assign():
            return replace(
                statement, target=own(statement.target), value=renamed(statement.value, names)
            )
        case tree.If():
            statement = replace(statement, condition=renamed(statement.condition, names))
        case tree.Every():
            statement = replace(
                statement,
                count=renamed(statement.count, names),
                step=names.get(statement.step, statement.step),
            )
        case tree.Wrapped():
            statement = replace(
                statement,
                policies=tuple(
                    p if p.condition is None
                    else replace(p, condition=renamed(p.condition, names))
                    for p in statement.policies
                ),
            )  # fmt: skip
    return map_blocks(statement, lambda block: tuple(renamed_statement(s, names) for s in block))


def map_blocks(
    statement: tree.Statement,
    change: Callable[[tuple[tree.Statement, ...]], tuple[tree.Statement, ...]],
) -> tree.Statement:
    """The statement with its blocks changed."""
    match statement:
        case tree.If():
            return replace(statement, then=change(statement.then), orelse=change(statement.orelse))
        case tree.Every() | tree.Wrapped():
            return replace(statement, body=change(statement.body))
        case _:
            return statement


def blocks(statement: tree.Statement) -> tuple[tuple[tree.Statement, ...], ...]:
    """The blocks of a statement."""
    match statement:
        case tree.If(then=then, orelse=orelse):
            return then, orelse
        case tree.Every(body=body) | tree.Wrapped(body=body):
            return (body,)
        case _:
            return ()


def statements(body: Iterable[tree.Statement]) -> Iterator[tree.Statement]:
    """All the statements of a block, those inside others too, in order."""
    for statement in body:
        yield statement
        for block in blocks(statement):
            yield from statements(block)


def local_names(body: Iterable[tree.Statement]) -> Iterator[str]:
    """The names of all `let`s."""
    return (s.name.text for s in statements(body) if isinstance(s, tree.Let))
