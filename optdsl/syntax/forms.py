"""Tokens of one line to a node of the tree, by the grammar in opt.lark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import lark
from lark.lexer import Lexer
from lark.visitors import Transformer_NonRecursive, v_args

from optdsl.cache import folder as cache_folder
from optdsl.diagnostics import Span
from optdsl.syntax import tree
from optdsl.syntax.keywords import FIRST_WORDS, Context
from optdsl.syntax.limits import MAX_DEPTH, MAX_TOKENS
from optdsl.syntax.mends import explain
from optdsl.syntax.report import Report
from optdsl.syntax.scanner import Token


@dataclass(frozen=True)
class Else:
    """`else` (condition None) or `else if condition`."""

    condition: tree.Expr | None
    span: Span


Form: TypeAlias = (
    tree.Optimizer | tree.Composition | tree.Schedule | tree.Declaration | tree.Setting
    | tree.Stage | tree.Value | tree.Statement | Else
)  # fmt: skip

#: Kinds of tokens that opt.lark does not keep.
_DROPPED = frozenset(
    {
        *("COMMA", "COLON", "AS", "IN", "OF", "IF", "ELSE", "LET", "EVERY", "REPEAT", "INNER"),
        *("DEF", "HYPER", "CONST", "FLAG", "SLOT", "SHARED", "SPARSE", "FOR"),
        *("UPDATE", "STAGE", "CLASS", "ORDER", "SCHEDULE", "VALUE", "EVAL"),
    }
)


class _Tokens(Lexer):
    """Hands ready-made tokens to Lark."""

    def __init__(self, _conf: object) -> None: ...

    def lex(self, tokens: Any) -> Iterator[lark.Token]:  # type: ignore[override]
        for kind, text, start, end in tokens:
            name = f"_{kind}" if kind in _DROPPED else kind
            yield lark.Token(name, text, start_pos=start, end_pos=end)


@cache
def _grammar() -> lark.Lark:
    text = Path(__file__).with_name("opt.lark").read_text(encoding="utf-8")
    contexts = list(FIRST_WORDS)
    folder = cache_folder()
    return lark.Lark(
        text,
        parser="lalr",
        lexer=_Tokens,
        start=contexts,
        maybe_placeholders=True,
        cache=str(folder / "grammar") if folder else False,  # under the hash of all these
    )


def _marked(context: Context, line: list[Token]) -> list[Token]:
    """The line with its first word made a keyword if it is one in this context."""
    first = line[0]
    if first.text not in FIRST_WORDS[context] or first.kind != "NAME":
        return line
    if context == "setting" and (len(line) < 2 or line[1].kind != "NAME"):
        return line  # `order = 2` is a default
    return [first._replace(kind=first.text.upper()), *line[1:]]


def read_form(context: Context, line: list[Token], report: Report) -> Form | None:
    """The node that a line makes; None if it has an error, which is reported unless one was."""
    start, end = line[0].start, line[-1].end
    spoiled = report.spoiled(start, end)
    if len(line) > MAX_TOKENS:
        message = f"a line has at most {MAX_TOKENS} words, numbers and signs"
        if not spoiled:
            report.error("O105", message, report.span(start, end), "split it with 'let'")
        return None
    marked = _marked(context, line)
    try:
        parsed = _grammar().parse(marked, start=context)
    except lark.UnexpectedToken as error:
        if not spoiled:
            position = len(line) if error.token.type == "$END" else _index(line, error.token)
            explain(context, line, position, {e.lstrip("_") for e in error.expected}, report)
        return None
    if _depth(parsed) > MAX_DEPTH:
        message = f"an expression has at most {MAX_DEPTH} levels; a sum of n terms has n"
        report.error("O105", message, report.span(start, end), "split it with 'let'")
        return None
    form: Form = _Builder(report, report.span(start, end)).transform(parsed)
    return None if report.spoiled(start, end) else form


def _index(line: list[Token], found: lark.Token) -> int:
    return next(i for i, token in enumerate(line) if token.start == found.start_pos)


def _depth(parsed: lark.Tree[lark.Token]) -> int:
    level: list[lark.Tree[lark.Token]] = [parsed]
    depth = 0
    while level:
        depth += 1
        level = [c for node in level for c in node.children if isinstance(c, lark.Tree)]
    return depth


def _operator(token: lark.Token) -> Any:
    return str(token)


@v_args(inline=True)
class _Builder(Transformer_NonRecursive[lark.Token, Any]):
    """The rules of opt.lark as nodes. `span` is the whole line's."""

    def __init__(self, report: Report, span: Span) -> None:
        super().__init__()
        self._report = report
        self._line = span

    def _span(self, token: lark.Token) -> Span:
        return self._report.span(token.start_pos or 0, token.end_pos or 0)

    def _ident(self, token: lark.Token) -> tree.Ident:
        return tree.Ident(str(token), self._span(token))

    # ---- in a file

    def optimizer(self, word: lark.Token, name: lark.Token, doc: str) -> Form:
        return tree.Optimizer(self._ident(name), word.type == "WRAPPER", doc, (), (), self._line)

    def composition(
        self, _word: lark.Token, name: lark.Token, doc: str, _equal: lark.Token, *parts: tree.Part
    ) -> Form:
        return tree.Composition(self._ident(name), doc, parts, self._line)

    def part(self, name: lark.Token, *rest: Any) -> tree.Part:
        arguments = tuple(r for r in rest if isinstance(r, tuple))
        last = rest[-1] or name
        return tree.Part(self._ident(name), arguments, self._span(name).to(self._span(last)))

    def argument(
        self, name: lark.Token, _equal: lark.Token, value: tree.Expr
    ) -> tuple[tree.Ident, tree.Expr]:
        return self._ident(name), value

    def definition(self, name: lark.Token, *rest: Any) -> Form:
        *parameters, _closing, _equal, body, doc = rest[1:]
        idents = tuple(self._ident(p) for p in parameters if p is not None)
        return tree.Def(self._ident(name), idents, body, doc, self._line)

    # ---- in an optimizer

    def hyper(
        self,
        name: lark.Token,
        default: tree.Expr | None,
        public: tree.Ident | None,
        domain: tree.Domain | None,
        doc: str,
    ) -> Form:
        return tree.Hyper(self._ident(name), default, public, domain, doc, self._line)

    def consts(self, *items: Any) -> Form:
        return self.const(*items)

    def const(
        self,
        name: lark.Token,
        kind: lark.Token | None,
        _equal: lark.Token,
        default: tree.Expr,
        public: tree.Ident | None,
        domain: tree.Domain | None,
        doc: str,
    ) -> Form:
        is_int = self._kind(kind, "int", "real")
        return tree.Const(self._ident(name), is_int, default, public, domain, doc, self._line)

    def flag(
        self,
        name: lark.Token,
        _equal: lark.Token,
        default: tree.Expr,
        public: tree.Ident | None,
        doc: str,
    ) -> Form:
        return tree.Flag(self._ident(name), default, public, doc, self._line)

    def slot(self, *items: Any) -> Form:
        *names, kind, initial, condition, doc = items
        scalar = self._kind(kind, "scalar")
        return tree.Slot(tuple(names), scalar, initial, condition, doc, self._line)

    def slot_name(
        self, name: lark.Token, count: tree.Expr | None, public: tree.Ident | None
    ) -> tree.SlotName:
        return tree.SlotName(self._ident(name), public, count)

    def shared(
        self,
        name: lark.Token,
        public: tree.Ident | None,
        _equal: lark.Token,
        initial: tree.Expr,
        condition: tree.Expr | None,
        doc: str,
    ) -> Form:
        return tree.Shared(self._ident(name), public, initial, condition, doc, self._line)

    def sparse(self, policy: lark.Token, condition: tree.Expr | None) -> Form:
        if policy not in ("exact", "hybrid", "lazy"):
            message = f"'{policy}' is no sparse policy"
            help = "write 'exact', 'hybrid' or 'lazy'"
            self._report.error("O102", message, self._span(policy), help)
        return tree.Sparse(self._ident(policy), condition, self._line)

    def evaluation(self, _equal: lark.Token, value: tree.Expr, condition: tree.Expr | None) -> Form:
        return tree.Eval(value, condition, self._line)

    def targeted(self, target: lark.Token) -> Form:
        return tree.For(self._ident(target), (), self._line)

    def update(self) -> Form:
        return tree.Stage(None, (), self._line)

    def stage(self, name: lark.Token) -> Form:
        return tree.Stage(self._ident(name), (), self._line)

    # ---- in a schedule

    def schedule(self, name: lark.Token, doc: str) -> Form:
        return tree.Schedule(self._ident(name), doc, (), (), self._line)

    def list_const(
        self,
        name: lark.Token,
        kind: lark.Token | None,
        _equal: lark.Token,
        default: tuple[tree.Expr, ...],
        public: tree.Ident | None,
        domain: tree.Domain | None,
        doc: str,
    ) -> Form:
        self._kind(kind, "real")
        return tree.ListConst(self._ident(name), default, public, domain, doc, self._line)

    def numbers(self, *items: Any) -> tuple[tree.Expr, ...]:
        return tuple(i for i in items if i is not None and not isinstance(i, lark.Token))

    def value_block(self) -> Form:
        return tree.Value((), self._line)

    def value_line(self, _equal: lark.Token, value: tree.Expr) -> Form:
        name = tree.Ident("value", self._line)
        return tree.Value((tree.Assign(name, "=", value, self._line),), self._line)

    # ---- what may be left out

    def kind(self, name: lark.Token | None) -> lark.Token | None:
        return name

    def _kind(self, kind: lark.Token | None, special: str, usual: str = "") -> bool:
        """Whether `kind` is the special one; reports one that is neither."""
        known = [k for k in (special, usual) if k]
        if kind is not None and kind not in known:
            help = "write " + " or ".join(f"': {k}'" for k in known)
            self._report.error("O102", f"'{kind}' is unknown here", self._span(kind), help)
        return kind == special

    def default(self, _equal: lark.Token | None, value: tree.Expr | None) -> tree.Expr | None:
        return value

    def place(self, _opening: lark.Token | None, *rest: Any) -> tree.Expr | None:
        return rest[0] if rest else None

    def public(self, name: lark.Token | None) -> tree.Ident | None:
        return None if name is None else self._ident(name)

    def condition(self, value: tree.Expr | None) -> tree.Expr | None:
        return value

    def domain(self, opening: lark.Token | None, *rest: Any) -> tree.Domain | None:
        if opening is None:
            return None
        low, high, closing = rest
        span = self._span(opening).to(self._span(closing))
        return tree.Domain(low, high, opening == "[", closing == "]", span)

    def doc(self, text: lark.Token | None) -> str:
        return str(text or "")

    # ---- in a `for`

    def set_default(self, name: lark.Token, _equal: lark.Token, value: tree.Expr) -> Form:
        return tree.SetDefault(self._ident(name), value, self._line)

    def set_public(self, name: lark.Token, public: lark.Token) -> Form:
        return tree.SetPublic(self._ident(name), self._ident(public), self._line)

    def set_class(self, name: lark.Token) -> Form:
        return tree.SetClass(self._ident(name), self._line)

    def set_order(self, *names: lark.Token) -> Form:
        return tree.SetOrder(tuple(map(self._ident, names)), self._line)

    # ---- in a block

    def let(self, name: lark.Token, _equal: lark.Token, value: tree.Expr) -> Form:
        return tree.Let(self._ident(name), value, self._line)

    def assign(
        self, name: lark.Token, index: tree.Expr | None, op: lark.Token, value: tree.Expr
    ) -> Form:
        return tree.Assign(self._ident(name), _operator(op), value, self._line, index)

    def every(self, count: tree.Expr) -> Form:
        return tree.Every(count, (), self._line)

    def repeat(self, count: tree.Expr, index: tree.Ident | None) -> Form:
        return tree.Repeat(count, index, (), self._line)

    def inner(self) -> Form:
        return tree.Inner(self._line)

    def branch(self, condition: tree.Expr) -> Form:
        return tree.If(condition, (), (), self._line)

    def other_branch(self, condition: tree.Expr) -> Form:
        return Else(condition, self._line)

    def otherwise(self) -> Form:
        return Else(None, self._line)

    # ---- expressions

    def name(self, token: lark.Token) -> tree.Expr:
        if token in ("True", "False"):
            message, help = f"'{token}' is not part of the language", f"write '{token.lower()}'"
            self._report.error("O102", message, self._span(token), help)
        return tree.Name(str(token), self._span(token))

    def number(self, token: lark.Token) -> tree.Expr:
        value = int(token) if token.isdigit() else float(token)
        return tree.Number(str(token), value, self._span(token))

    def boolean(self, token: lark.Token) -> tree.Expr:
        return tree.Boolean(token.type == "TRUE", self._span(token))

    def index(
        self, name: lark.Token, _opening: lark.Token, index: tree.Expr, closing: lark.Token
    ) -> tree.Expr:
        span = self._span(name).to(self._span(closing))
        return tree.Index(self._ident(name), index, span)

    def list(self, opening: lark.Token, *rest: Any) -> tree.Expr:
        *items, closing = rest
        return tree.List(tuple(items), self._span(opening).to(self._span(closing)))

    def parentheses(self, opening: lark.Token, value: tree.Expr, closing: lark.Token) -> tree.Expr:
        return replace(value, span=self._span(opening).to(self._span(closing)))

    def unary(self, op: lark.Token, operand: tree.Expr) -> tree.Expr:
        return tree.Unary(_operator(op), operand, self._span(op).to(operand.span))

    def binary(self, left: tree.Expr, op: lark.Token, right: tree.Expr) -> tree.Expr:
        return tree.Binary(_operator(op), left, right, left.span.to(right.span))

    def compare(self, left: tree.Expr, op: lark.Token, right: tree.Expr, *rest: Any) -> tree.Expr:
        if rest:
            middle = right.span.text
            help = (
                f"write '{left.span.text} {op} {middle} and {middle} {rest[0]} {rest[1].span.text}'"
            )
            help = help if len(help) < 60 else "join them with 'and'"
            self._report.error("O107", "comparisons are not chained", self._span(rest[0]), help)
        return self.binary(left, op, right)

    def call(self, name: lark.Token, *items: Any) -> tree.Expr:
        options = tuple(i for i in items if isinstance(i, tuple))
        args = tuple(i for i in items if i is not None and not isinstance(i, (tuple, lark.Token)))
        span = self._span(name).to(self._span(items[-1]))
        return tree.Call(self._ident(name), args, options, span)

    def option(
        self, name: lark.Token, _equal: lark.Token, value: tree.Expr | tuple[tree.Expr, ...]
    ) -> tuple[tree.Ident, tree.Expr | tuple[tree.Expr, ...]]:
        return self._ident(name), value

    def axes(self, *items: Any) -> tuple[tree.Expr, ...]:
        return tuple(i for i in items if i is not None and not isinstance(i, lark.Token))
