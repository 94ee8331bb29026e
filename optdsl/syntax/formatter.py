"""Trees back to text: equations in documentation, and whole specs.

What is printed reads back as the same tree, spans apart, with as few parentheses as that needs.
Comments and line breaks are not in the tree, so this is no formatter of files that people wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from optdsl.syntax import tree

_OneLine: TypeAlias = (
    tree.Hyper
    | tree.Const
    | tree.ListConst
    | tree.Flag
    | tree.Slot
    | tree.Shared
    | tree.Sparse
    | tree.Eval
    | tree.Def
)

_INDENT = "  "
_NEGATION, _COMPARISON, _SUM, _MINUS, _POWER, _ATOM = 3, 4, 5, 7, 8, 9
_PRECEDENCE = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), _COMPARISON),
    **dict.fromkeys("+-", _SUM),
    **dict.fromkeys("*/%", 6),
    "^": _POWER,
}


# ---------------------------------------------------------------- expressions


def format_expression(expr: tree.Expr) -> str:
    """One line in the style of the language: `b1*m + (1-b1)*g`."""
    match expr:
        case tree.Number() | tree.Name():
            return expr.text
        case tree.Boolean():
            return "true" if expr.value else "false"
        case tree.Call():
            arguments = [format_expression(a) for a in expr.args]
            arguments += [f"{name.text}={_option(value)}" for name, value in expr.options]
            return f"{expr.function.text}({', '.join(arguments)})"
        case tree.Index(name, index):
            return f"{name.text}[{_index(index)}]"
        case tree.List(items):
            return f"[{_list(items)}]"
        case tree.Unary():
            least = _NEGATION if expr.op == "not" else _POWER
            space = " " if expr.op == "not" else ""
            return expr.op + space + _operand(expr.operand, least)
        case tree.Binary():
            return _binary(expr, tight=expr.op in ("*", "/", "^"))


def _option(value: tree.Expr | tuple[tree.Expr, ...]) -> str:
    return f"[{_list(value)}]" if isinstance(value, tuple) else format_expression(value)


def _list(values: Iterable[tree.Expr]) -> str:
    return ", ".join(map(format_expression, values))


def _binary(expr: tree.Binary, tight: bool) -> str:
    precedence = _PRECEDENCE[expr.op]
    if expr.op == "^":
        left, right = _operand(expr.left, _ATOM), _operand(expr.right, _MINUS)
    elif precedence == _COMPARISON:
        left, right = _operand(expr.left, _SUM), _operand(expr.right, _SUM)
    else:
        left, right = _operand(expr.left, precedence), _right_operand(expr.right, precedence)
    return left + (expr.op if tight else f" {expr.op} ") + right


def _right_operand(expr: tree.Expr, precedence: int) -> str:
    if isinstance(expr, tree.Unary) and expr.op == "-" and precedence >= _SUM:
        return f"({format_expression(expr)})"  # `a - -b` is legal, but hard to read
    return _operand(expr, precedence + 1)


def _operand(expr: tree.Expr, least: int) -> str:
    """The operand, in parentheses if it binds less than `least`; `(1-b1)` is set tight."""
    if _binding(expr) >= least:
        return format_expression(expr)
    if isinstance(expr, tree.Binary) and expr.op in ("+", "-"):
        return f"({_binary(expr, tight=_is_plain(expr.left) and _is_plain(expr.right))})"
    return f"({format_expression(expr)})"


def _is_plain(expr: tree.Expr) -> bool:
    return isinstance(expr, (tree.Number, tree.Name))


def _binding(expr: tree.Expr) -> int:
    match expr:
        case tree.Binary():
            return _PRECEDENCE[expr.op]
        case tree.Unary():
            return _NEGATION if expr.op == "not" else _MINUS
        case _:
            return _ATOM


# ----------------------------------------------------------------- statements


def format_statement(statement: tree.Statement) -> str:
    """One statement; blocks stand over several lines, indented by two spaces."""
    return "\n".join(_statement(statement))


def _statement(statement: tree.Statement) -> list[str]:
    match statement:
        case tree.Let(name, value):
            return [f"let {name.text} = {format_expression(value)}"]
        case tree.Assign(target, op, value):
            return [f"{target.text}{_place(statement.index)} {op} {format_expression(value)}"]
        case tree.If():
            return _if(statement)
        case tree.Every(count, body):
            return _block(f"every {format_expression(count)}", _body(body))
        case tree.Repeat(count, index, body):
            return _block(f"repeat {format_expression(count)}{_as(index)}", _body(body))
        case tree.Inner():
            return ["inner"]
        case tree.Wrapped(name, body):
            return [f"# {name}:", *_body(body)]
        case tree.Evaluate(stage):
            return [f"# {stage}: g is the gradient at the w of now"]


def _if(statement: tree.If) -> list[str]:
    lines = _block(f"if {format_expression(statement.condition)}", _body(statement.then))
    match statement.orelse:
        case ():
            return lines
        case (tree.If() as other,):
            following = _if(other)
        case _:
            following = _block("", _body(statement.orelse))
    return [*lines[:-1], f"}} else {following[0].lstrip()}", *following[1:]]


def _body(statements: Iterable[tree.Statement]) -> list[str]:
    return [line for s in statements for line in _statement(s)]


def _block(header: str, lines: Iterable[str]) -> list[str]:
    """The lines inside braces. A line may be a declaration with a text of several lines."""
    return [f"{header} {{", *(_INDENT + line if line else "" for line in lines), "}"]


# --------------------------------------------------------------- declarations


def format_file(file: tree.File) -> str:
    """A whole spec: its definitions, then its optimizers. It ends with a line end."""
    definitions = [line for d in file.definitions for line in _declaration(d)]
    parts = ["\n".join(definitions)] if definitions else []
    parts += [format_optimizer(o) for o in file.optimizers]
    return "\n\n".join(parts + [format_schedule(s) for s in file.schedules]) + "\n"


def format_optimizer(optimizer: tree.Optimizer | tree.Composition) -> str:
    """`optimizer NAME { … }`, `wrapper NAME { … }` or `optimizer NAME = A of B`."""
    if isinstance(optimizer, tree.Composition):
        parts = " of ".join(map(_part, optimizer.parts))
        return f"optimizer {optimizer.name.text}{_doc(optimizer.doc)} = {parts}"
    word = "wrapper" if optimizer.is_wrapper else "optimizer"
    declarations = [line for d in optimizer.declarations for line in _declaration(d)]
    stages = [li for s in optimizer.stages for li in _block(_stage_header(s), _body(s.body))]
    gap = [""] if declarations and stages else []
    header = f"{word} {optimizer.name.text}{_doc(optimizer.doc)}"
    return "\n".join(_block(header, [*declarations, *gap, *stages]))


def format_schedule(schedule: tree.Schedule) -> str:
    """`schedule NAME { … }`; a value that is one expression stands on one line."""
    declarations = [line for d in schedule.declarations for line in _declaration(d)]
    match schedule.body:
        case (tree.Assign(op="=", target=tree.Ident(text="value")) as only,):
            value = _statement(only)
        case body:
            value = _block("value", _body(body))
    gap = [""] if declarations and len(value) > 1 else []
    header = f"schedule {schedule.name.text}{_doc(schedule.doc)}"
    return "\n".join(_block(header, [*declarations, *gap, *value]))


def _stage_header(stage: tree.Stage) -> str:
    return "update" if stage.name is None else f"stage {stage.name.text}"


def _part(part: tree.Part) -> str:
    arguments = ", ".join(f"{n.text}={format_expression(v)}" for n, v in part.arguments)
    return f"{part.name.text}({arguments})" if arguments else part.name.text


def _declaration(declaration: tree.Declaration) -> list[str]:
    if isinstance(declaration, tree.For):
        return _block(f"for {declaration.target.text}", map(_setting, declaration.settings))
    return [_one_line(declaration)]


def _one_line(declaration: _OneLine) -> str:
    match declaration:
        case tree.Hyper(name, default, public, domain, doc):
            return f"hyper {name.text}{_value(default)}{_as(public)}{_in(domain)}{_doc(doc)}"
        case tree.Const(name, is_int, default, public, domain, doc):
            kind = ": int" if is_int else ""
            return f"const {name.text}{kind}{_value(default)}{_as(public)}{_in(domain)}{_doc(doc)}"
        case tree.ListConst(name, items, public, domain, doc):
            listed = f"const {name.text} = [{_list(items)}]"
            return f"{listed}{_as(public)}{_in(domain)}{_doc(doc)}"
        case tree.Flag(name, default, public, doc):
            return f"flag {name.text}{_value(default)}{_as(public)}{_doc(doc)}"
        case tree.Def(name, parameters, body, doc):
            listed = ", ".join(p.text for p in parameters)
            return f"def {name.text}({listed}) = {format_expression(body)}{_doc(doc)}"
        case _:
            return _of_state(declaration)


def _of_state(declaration: tree.Slot | tree.Shared | tree.Sparse | tree.Eval) -> str:
    match declaration:
        case tree.Slot(names, scalar, initial, condition, doc):
            listed = ", ".join(f"{n.name.text}{_place(n.count)}{_as(n.public)}" for n in names)
            kind = ": scalar" if scalar else ""
            return f"slot {listed}{kind}{_value(initial)}{_condition(condition)}{_doc(doc)}"
        case tree.Shared(name, public, initial, condition, doc):
            rest = f"{_value(initial)}{_condition(condition)}{_doc(doc)}"
            return f"shared {name.text}{_as(public)}{rest}"
        case tree.Sparse(policy, condition):
            return f"sparse {policy.text}{_condition(condition)}"
        case tree.Eval(value, condition):
            return f"eval{_value(value)}{_condition(condition)}"


def _setting(setting: tree.Setting) -> str:
    match setting:
        case tree.SetDefault(name, default):
            return f"{name.text}{_value(default)}"
        case tree.SetPublic(name, public):
            return f"{name.text}{_as(public)}"
        case tree.SetClass(name):
            return f"class {name.text}"
        case tree.SetOrder(names):
            return f"order {', '.join(n.text for n in names)}"


def _value(default: tree.Expr | None) -> str:
    return f" = {format_expression(default)}" if default else ""


def _place(index: tree.Expr | None) -> str:
    return f"[{_index(index)}]" if index else ""


def _index(index: tree.Expr) -> str:
    """`i-1` is set tight."""
    if isinstance(index, tree.Binary) and index.op in ("+", "-"):
        return _binary(index, tight=_is_plain(index.left) and _is_plain(index.right))
    return format_expression(index)


def _as(public: tree.Ident | None) -> str:
    return f" as {public.text}" if public else ""


def _in(domain: tree.Domain | None) -> str:
    if domain is None:
        return ""
    low, high = "[" if domain.low_closed else "(", "]" if domain.high_closed else ")"
    return f" in {low}{_list((domain.low, domain.high))}{high}"


def _condition(condition: tree.Expr | None) -> str:
    return f" if {format_expression(condition)}" if condition else ""


def _doc(doc: str) -> str:
    """The text, quoted. Raises ValueError for one that has no spelling: texts know no escapes."""
    if not doc:
        return ""
    if '"' not in doc and "\n" not in doc:
        return f' "{doc}"'
    if '"""' in doc or doc.endswith('"'):
        raise ValueError(f"a text cannot hold three quotes, nor end with one: {doc!r}")
    return f' """{doc}"""'
