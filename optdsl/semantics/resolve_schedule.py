"""From the tree of a file to resolved schedules, with every finding reported on the way.

Names, constants, kinds and assignments are checked as in an optimizer. What a schedule may not
use becomes `?` after its report, so that it causes no second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from optdsl.diagnostics import Diagnostics, Span
from optdsl.semantics.constants import Folder
from optdsl.semantics.declarations import Declarer, names
from optdsl.semantics.expand import Expander, TooLarge
from optdsl.semantics.levels import Levels
from optdsl.semantics.operators import SCHEDULE_FUNCTIONS
from optdsl.semantics.resolve import check_constants, check_defs, declare_defs, expand_block
from optdsl.semantics.schedule import VALUE, Argument, Schedule
from optdsl.semantics.scope import Scope
from optdsl.semantics.settings import SettingsReader, check_public_names
from optdsl.semantics.statements import check_body
from optdsl.semantics.unroll import unroll_schedule
from optdsl.syntax import tree

#: What `t` and constants leave out, as a mend.
_MADE_OF = "a schedule is made of 't', the steps done, and of constants"


def resolve_schedules(file: tree.File, diagnostics: Diagnostics) -> tuple[Schedule, ...]:
    """The schedules of a file, resolved. Those with errors are left out; all is reported."""
    resolved = []
    for item in file.schedules:
        own = Diagnostics()
        try:
            found = _schedule(item, file, own)
        except TooLarge:
            found = None
        if found is not None and not own.has_errors:
            _check_usage(found, own)
            resolved.append(found)
        diagnostics.extend(own)
    return tuple(resolved)


def _schedule(item: tree.Schedule, file: tree.File, diagnostics: Diagnostics) -> Schedule:
    item, file = unroll_schedule(item, file, diagnostics)
    scope = Scope(diagnostics, functions=SCHEDULE_FUNCTIONS)
    expander, folder = Expander(scope), Folder(diagnostics)
    declare_defs(item, file, scope)
    declarer = Declarer(scope, Levels(scope), expander, folder)
    for declaration in item.declarations:
        if _is_free(declaration, diagnostics):
            declarer.declare(declaration)
    check_defs(item, file, scope)
    limiter = _Limiter(diagnostics, frozenset(x.name for x in declarer.lists))
    body = limiter.block(expand_block(item.body, expander))
    check_constants(body, folder)
    check_body(scope, (_nought(item.name.span), *body), wraps=False)
    if body:
        _check_assigned(item, body, diagnostics)
    domains = {a.name: a.domain for a in declarer.consts}
    schedule = Schedule(
        name=item.name.text,
        doc=item.doc,
        arguments=_arguments(item, declarer),
        settings=SettingsReader(scope, folder, domains).read(
            [d for d in item.declarations if isinstance(d, tree.For)]
        ),
        body=body,
        pieces=tuple(dict.fromkeys(limiter.pieces)),
        sources=(file.source,),
        span=item.name.span,
    )
    check_public_names(schedule, diagnostics)
    _check_pieces(schedule, diagnostics)
    return schedule


def _check_pieces(schedule: Schedule, diagnostics: Diagnostics) -> None:
    """O402 for default lists that do not go together."""
    lists = {x.name: x for x in schedule.lists}
    for boundaries, values in ((lists[b], lists[v]) for b, v in schedule.pieces):
        if list(boundaries.default) != sorted(set(boundaries.default)):
            message = f"the default of '{boundaries.name}' does not rise"
            diagnostics.add("O402", message, boundaries.span)
        if len(values.default) != len(boundaries.default) + 1:
            message = f"the default of '{values.name}' has {len(values.default)} numbers"
            mend = f"it needs one more than '{boundaries.name}', {len(boundaries.default) + 1}"
            diagnostics.add("O402", message, values.span, mend)


def _is_free(declaration: tree.Declaration, diagnostics: Diagnostics) -> bool:
    """Whether a declaration leaves the name of the value alone."""
    if isinstance(declaration, tree.For) or declaration.name.text != VALUE:  # type: ignore[union-attr]
        return True
    _report_value(declaration.name.span, diagnostics)  # type: ignore[union-attr]
    return False


def _report_value(span: Span, diagnostics: Diagnostics) -> None:
    diagnostics.add("O203", "'value' is what the schedule gives", span, "choose another name")


def _nought(span: Span) -> tree.Let:
    """What makes `value` a local for the checks."""
    return tree.Let(tree.Ident(VALUE, span), tree.Number("0", 0, span), span)


def _arguments(item: tree.Schedule, declarer: Declarer) -> tuple[Argument, ...]:
    """The arguments in the order in which they are declared."""
    found: list[Argument] = [*declarer.consts, *declarer.flags, *declarer.lists]
    return tuple(sorted(found, key=lambda a: a.span.start))


# ----------------------------------------------------------------------- what may stand there


@dataclass
class _Limiter:
    """Takes out what is no number of the step; `pieces` are the lists that are used together."""

    diagnostics: Diagnostics
    lists: frozenset[str]
    pieces: list[tuple[str, str]] = field(default_factory=list)

    def block(self, body: tuple[tree.Statement, ...]) -> tuple[tree.Statement, ...]:
        return tuple(new for s in body for new in self._statement(s))

    def _statement(self, statement: tree.Statement) -> Iterator[tree.Statement]:
        match statement:
            case tree.Let(name=name) if name.text == VALUE:
                _report_value(name.span, self.diagnostics)
            case tree.Assign(target=target) if target.text in ("w", "g"):
                self._refuse(target.text, target.span)
            case tree.Let() | tree.Assign():
                yield replace(statement, value=self._expr(statement.value))
            case tree.If():
                condition = self._expr(statement.condition)
                then, orelse = self.block(statement.then), self.block(statement.orelse)
                yield replace(statement, condition=condition, then=then, orelse=orelse)
            case tree.Every():
                message = "a schedule has no 'every'"
                mend = "write 'if t % k == 0 { … }'"
                self.diagnostics.add("O308", message, statement.span, mend)
            case tree.Inner():
                self._refuse("inner", statement.span)

    def _expr(self, expr: tree.Expr) -> tree.Expr:
        match expr:
            case tree.Name(text=text) if text in ("w", "g"):
                return self._refuse(text, expr.span)
            case tree.Name(text=text) if text in self.lists:
                mend = "piecewise(t, boundaries, values) picks a number from a list"
                self.diagnostics.add("O307", f"'{text}' is a list, no number", expr.span, mend)
                return _unknown(expr.span)
            case tree.Unary(operand=operand):
                return replace(expr, operand=self._expr(operand))
            case tree.Binary(left=left, right=right):
                return replace(expr, left=self._expr(left), right=self._expr(right))
            case tree.Call(function=function) if function.text in ("uses", "total"):
                return self._refuse(function.text, expr.span)
            case tree.Call(function=function) if function.text == "piecewise":
                return self._piecewise(expr)
            case tree.Call(args=args):
                return replace(expr, args=tuple(map(self._expr, args)))
            case _:
                return expr

    def _piecewise(self, call: tree.Call) -> tree.Expr:
        x, *lists = call.args
        given = [n.text for n in lists if isinstance(n, tree.Name) and n.text in self.lists]
        for wrong in lists:
            if not (isinstance(wrong, tree.Name) and wrong.text in self.lists):
                mend = "declare it with 'const NAME = [1, 2]'"
                self.diagnostics.add("O307", "here stands the name of a list", wrong.span, mend)
        x = self._expr(x)
        if len(given) < 2:
            return _unknown(call.span)
        self.pieces.append((given[0], given[1]))
        return replace(call, args=(x, *lists))

    def _refuse(self, word: str, span: Span) -> tree.Expr:
        self.diagnostics.add("O308", f"a schedule has no '{word}'", span, _MADE_OF)
        return _unknown(span)


def _unknown(span: Span) -> tree.Expr:
    return tree.Name("?", span)


# ------------------------------------------------------------------------------- its value


def _check_assigned(
    item: tree.Schedule, body: tuple[tree.Statement, ...], diagnostics: Diagnostics
) -> None:
    """O210 where `value` is read before it is assigned, or not assigned on some path."""
    if not _assigns(body, before=False, diagnostics=diagnostics):
        diagnostics.add(
            "O210", f"'value' of '{item.name.text}' is not assigned on every path", item.name.span,
            "write 'value = …' where all paths come by",
        )  # fmt: skip


def _assigns(body: tuple[tree.Statement, ...], *, before: bool, diagnostics: Diagnostics) -> bool:
    """Whether `value` is assigned after a block; `before`: whether it is in front of it."""
    done = before

    def read(expr: tree.Expr) -> None:
        for name in names(expr):
            if name.text == VALUE and not done:
                diagnostics.add("O210", "'value' is read before it is assigned", name.span)

    for statement in body:
        match statement:
            case tree.Let(value=value):
                read(value)
            case tree.Assign(target=target, op=op, value=value):
                read(value)
                if target.text == VALUE:
                    if op != "=":
                        read(tree.Name(VALUE, target.span))
                    done = True
            case tree.If(condition=condition, then=then, orelse=orelse):
                read(condition)
                sides = [_assigns(s, before=done, diagnostics=diagnostics) for s in (then, orelse)]
                done = all(sides)
    return done


# --------------------------------------------------------------------------------- warnings


def _check_usage(schedule: Schedule, diagnostics: Diagnostics) -> None:
    """W203 and W204."""
    read = {name for statement in _statements(schedule.body) for name in _reads(statement)}
    read |= {n.text for const in schedule.consts for n in names(const.default)}
    for item in schedule.arguments:
        if item.name not in read:
            diagnostics.add("W203", f"'{item.name}' is not used", item.span)
    for statement in _statements(schedule.body):
        if isinstance(statement, tree.Let) and statement.name.text not in read:
            name = statement.name
            diagnostics.add("W204", f"the local '{name.text}' is not used", name.span)


def _statements(body: tuple[tree.Statement, ...]) -> Iterator[tree.Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from _statements(statement.then)
            yield from _statements(statement.orelse)


def _reads(statement: tree.Statement) -> set[str]:
    """The names that one statement reads; `x = x + 1` reads x for its own sake only."""
    match statement:
        case tree.Let(value=value):
            return {n.text for n in names(value)}
        case tree.Assign(target=target, value=value):
            return {n.text for n in names(value)} - {target.text}
        case tree.If(condition=condition):
            return {n.text for n in names(condition)}
        case _:
            return set()
