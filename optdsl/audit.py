"""The last look at a rendered file: it holds what a target writes, and nothing that a spec brought.

The printers let only identifiers, literals and escaped documentation through. This is the second
lock, which knows nothing of them: it reads the finished text as Python reads it.
"""

from __future__ import annotations

import ast
import builtins
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

#: Generated files have to parse on this Python.
_OLDEST_PYTHON = (3, 7)

_TOP_LEVEL = (
    ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.ClassDef, ast.Try, ast.If,
)  # fmt: skip

#: Builtins that run text, reach the system, or lead out of the module's own names.
_FORBIDDEN_NAMES = frozenset(
    """
    __builtins__ __import__ breakpoint compile delattr eval exec exit globals help input
    locals memoryview open quit vars
    """.split()
)

#: Attributes by which an object leads to the interpreter.
_FORBIDDEN_ATTRIBUTES = frozenset(
    """
    __bases__ __builtins__ __closure__ __code__ __globals__ __import__ __loader__ __mro__
    __subclasses__ f_globals f_locals gi_frame tb_frame
    """.split()
)

#: What stands for a word or sign.
_WITHOUT_PARTS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)

#: The names that a node of a type binds.
_BINDS: dict[type[ast.AST], Callable[[Any], Collection[str]]] = {
    ast.Name: lambda node: (node.id,) if isinstance(node.ctx, ast.Store) else (),
    ast.FunctionDef: lambda node: (node.name,),
    ast.ClassDef: lambda node: (node.name,),
    ast.arg: lambda node: (node.arg,),
    ast.alias: lambda node: (node.asname or node.name.partition(".")[0],),
    ast.ExceptHandler: lambda node: (node.name,) if node.name else (),
}

#: The types of nodes that can be wrong by themselves.
_LOOKED_AT = (
    ast.Import, ast.ImportFrom, ast.Name, ast.Attribute, ast.AsyncFunctionDef, ast.Global,
    ast.Nonlocal, ast.Await,
)  # fmt: skip

_MODULE_NAMES = frozenset({"__name__", "__doc__", "__all__", "__file__"})


class AuditError(Exception):
    """A rendered file is not what it should be. It is a fault of a target, never of a spec."""


def audit(text: str, allowed_imports: Collection[str]) -> None:
    """Check a generated module. Raises AuditError with the line and what is wrong there.

    It has to parse on Python 3.7; hold no invisible characters; import only `allowed_imports`
    (dotted names); have only imports, definitions and assignments at its top, none of which takes
    the place of an earlier one; and use only names that it defines itself and harmless builtins.
    """
    _check_characters(text)
    try:
        module = ast.parse(text, feature_version=_OLDEST_PYTHON)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise AuditError(f"it is no Python: {error}") from None
    _check_top(module)
    _check_definitions(module.body)
    nodes = _nodes_by_type(module)
    bound = {name for kind, binds in _BINDS.items() for n in nodes[kind] for name in binds(n)}
    if wrong := [name for name in bound if not name.isascii() or name in _FORBIDDEN_NAMES]:
        raise AuditError(f"the name {min(wrong)!r} is bound")
    known = bound | set(dir(builtins)) - _FORBIDDEN_NAMES | _MODULE_NAMES
    looked_at = [node for kind in _LOOKED_AT for node in nodes[kind]]
    problems = ((n.lineno, p) for n in looked_at if (p := _problem(n, known, allowed_imports)))
    for line, problem in sorted(problems):
        raise AuditError(f"line {line}: {problem}")


def _check_definitions(body: list[ast.stmt]) -> None:
    """No function or class stands for another of its name; nor inside of a class."""
    seen = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if node.name in seen:
                raise AuditError(f"line {node.lineno}: {node.name!r} is defined twice")
            seen.add(node.name)
        if isinstance(node, ast.ClassDef):
            _check_definitions(node.body)


def _nodes_by_type(module: ast.Module) -> dict[type[ast.AST], list[Any]]:
    """All the nodes of a module; with `ast.walk` this took half of the time of `gen`."""
    found: dict[type[ast.AST], list[Any]] = defaultdict(list)
    open_: list[ast.AST] = [module]
    while open_:
        node = open_.pop()
        found[type(node)].append(node)
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                open_ += [x for x in value if isinstance(x, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _WITHOUT_PARTS):
                open_.append(value)
    return found


def _check_characters(text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        for char in () if line.isprintable() else line:
            if unicodedata.category(char)[0] == "C" or char in "\u2028\u2029":
                raise AuditError(f"line {number}: the character U+{ord(char):04X}")


def _check_top(module: ast.Module) -> None:
    for index, node in enumerate(module.body):
        is_docstring = index == 0 and ast.get_docstring(module) is not None
        if not is_docstring and not isinstance(node, _TOP_LEVEL):
            raise AuditError(f"line {node.lineno}: {type(node).__name__} at the top of the module")


def _problem(node: ast.AST, known: Collection[str], imports: Collection[str]) -> str:
    """What is wrong with one node by itself; empty where nothing is."""
    match node:
        case ast.Import(names=names):
            wrong = [alias.name for alias in names if alias.name not in imports]
            return f"it imports {wrong[0]}" if wrong else ""
        case ast.ImportFrom(module=module, level=level) if level or module not in imports:
            return f"it imports from {'.' * level}{module or ''}"
        case ast.Name(id=name) if name not in known:
            return f"the name {name!r} is not known"
        case ast.Attribute(attr=name) if name in _FORBIDDEN_ATTRIBUTES or not name.isascii():
            return f"the attribute {name!r} is used"
        case ast.AsyncFunctionDef() | ast.Global() | ast.Nonlocal() | ast.Await():
            return f"a {type(node).__name__}"
    return ""
