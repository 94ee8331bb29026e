"""The last look at a rendered file: it holds what a target writes, and nothing that a spec brought.

The printers let only identifiers, literals and escaped documentation through. This is the second
lock, which knows nothing of them: it reads the finished text as Python reads it.

Most of a file is the same in every file of its target. So it is read in stretches, each a function,
a class or a method with what follows it, and what a stretch holds is remembered by its text. What
is right in every stretch is right in the whole: a text that is a module by itself and ends in an
empty line leaves no bracket, quote, line or block open, so that the tokens of two such texts, one
behind the other, are those of the first and then those of the second. The same holds for the
methods of a class, behind any line `class …:`. It does not matter where a text is split: at a wrong
place one of the sides is no module, and then the whole is read at once.
"""

from __future__ import annotations

import ast
import builtins
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

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

_FORBIDDEN_NODES = (ast.AsyncFunctionDef, ast.Global, ast.Nonlocal, ast.Await)

#: Names that need no definition.
_HARMLESS = frozenset(dir(builtins)) - _FORBIDDEN_NAMES | {
    "__name__",
    "__doc__",
    "__all__",
    "__file__",
}

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

#: Where a stretch begins: behind two empty lines; in a class, with a method behind one.
_TOP_START = re.compile(r"(?<=\n\n\n)(?=\S)")
_METHOD_START = re.compile(r"(?<=\n\n)(?=    (?:def |@))")

#: So many stretches are remembered; those that all files of a target share are about a hundred.
_REMEMBERED = 2048


class AuditError(Exception):
    """A rendered file is not what it should be. It is a fault of a target, never of a spec."""


class _Stretch(NamedTuple):
    """What a stretch of a module holds, everything with its line.

    `definitions` are its functions and classes, and those in a class with its name before them.
    """

    bound: frozenset[str]
    used: tuple[tuple[int, str], ...]
    imported: tuple[tuple[int, str], ...]
    definitions: tuple[tuple[int, str], ...]
    problems: tuple[tuple[int, str], ...]


def audit(text: str, allowed_imports: Collection[str]) -> None:
    """Check a generated module. Raises AuditError with the line and what is wrong there.

    It has to parse on Python 3.7; hold no invisible characters; import only `allowed_imports`
    (dotted names); have only imports, definitions and assignments at its top, none of which takes
    the place of an earlier one; and use only names that it defines itself and harmless builtins.
    """
    _check_characters(text)
    try:
        if not _problems(list(_stretches(text)), allowed_imports):
            return
    except AuditError:
        pass  # it was split at a wrong place, or is wrong; in the whole it is seen, with its line
    for line, problem in _problems([_whole(text)], allowed_imports):
        raise AuditError(f"line {line}: {problem}")


def _problems(
    stretches: Sequence[_Stretch], allowed_imports: Collection[str]
) -> list[tuple[int, str]]:
    """What is wrong with the module that these stretches make, in order of the lines."""
    known = _HARMLESS.union(*(s.bound for s in stretches))
    times = Counter(name for s in stretches for _, name in s.definitions)
    found: list[tuple[int, str]] = []
    for stretch in stretches:
        found += stretch.problems
        found += ((n, f"the name {x!r} is not known") for n, x in stretch.used if x not in known)
        found += ((n, f"it imports {x}") for n, x in stretch.imported if x not in allowed_imports)
        found += ((n, f"{x!r} is defined twice") for n, x in stretch.definitions if times[x] > 1)
    return sorted(found)


def _stretches(text: str) -> Iterator[_Stretch]:
    """The stretches of a module. Raises AuditError where one of them cannot be read by itself."""
    first, *others = _TOP_START.split(text)
    yield _whole(first)
    for other in others:
        head, *methods = _METHOD_START.split(other) if other.startswith("class ") else [other]
        stretch = _head(head) if methods else _behind(head)
        yield stretch
        for found in map(_method, methods):
            owner = stretch.definitions[0][1]
            names = tuple((line, f"{owner}.{name}") for line, name in found.definitions)
            yield found._replace(definitions=names)


def _whole(text: str) -> _Stretch:
    """A module from its beginning, where its docstring stands."""
    module = _parse(text)
    return _read(module.body, has_docstring=ast.get_docstring(module) is not None)


@lru_cache(_REMEMBERED)
def _behind(text: str) -> _Stretch:
    """Functions, classes and other statements of a module that has begun."""
    return _read(_parse(text).body)


@lru_cache(_REMEMBERED)
def _head(text: str) -> _Stretch:
    """A class to which methods will be added."""
    body = _parse(text).body
    inner = body[0].body[0] if isinstance(body[0], ast.ClassDef) else body[0]
    before = text.split("\n")[inner.lineno - 1][: inner.col_offset]
    if len(body) > 1 or before != "    ":
        raise AuditError("it is no class whose block is indented by four")
    return _read(body)


@lru_cache(_REMEMBERED)
def _method(text: str) -> _Stretch:
    """Methods of a class that has begun."""
    (owner, *behind) = _parse(f"class _:\n{text}").body
    if behind or not isinstance(owner, ast.ClassDef):
        raise AuditError("the class ends behind the method")
    return _read(owner.body, is_top=False)


def _parse(text: str) -> ast.Module:
    try:
        return ast.parse(text, feature_version=_OLDEST_PYTHON)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise AuditError(f"it is no Python: {error}") from None


def _read(body: Sequence[ast.stmt], has_docstring: bool = False, is_top: bool = True) -> _Stretch:
    nodes = _nodes_by_type(body)
    bound = [
        (getattr(node, "lineno", 1), name)
        for kind, binds in _BINDS.items()
        for node in nodes[kind]
        for name in binds(node)
    ]
    return _Stretch(
        bound=frozenset(name for _, name in bound),
        used=_once((node.lineno, node.id) for node in nodes[ast.Name]),
        imported=tuple(_imported(nodes)),
        definitions=tuple(_definitions(body)),
        problems=(
            *(_problems_at_top(body[has_docstring:]) if is_top else ()),
            *_problems_of_names(bound),
            *_problems_of_nodes(nodes),
        ),
    )


def _once(names: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Each name with the first of its lines."""
    lines: dict[str, int] = {}
    for line, name in names:
        lines[name] = min(line, lines.get(name, line))
    return tuple((line, name) for name, line in lines.items())


def _imported(nodes: Mapping[type[ast.AST], list[Any]]) -> Iterator[tuple[int, str]]:
    """The modules that are imported, those next to this one with dots before them."""
    for node in nodes[ast.Import]:
        yield from ((node.lineno, alias.name) for alias in node.names)
    for node in nodes[ast.ImportFrom]:
        yield node.lineno, "." * node.level + (node.module or "")


def _definitions(body: Iterable[ast.stmt], owner: str = "") -> Iterator[tuple[int, str]]:
    """The functions and classes of a module or class, and those in classes there."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, owner + node.name
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{owner}{node.name}.")


def _nodes_by_type(body: Iterable[ast.stmt]) -> Mapping[type[ast.AST], list[Any]]:
    """All the nodes of some statements; `ast.walk` takes twice the time."""
    found: dict[type[ast.AST], list[Any]] = defaultdict(list)
    open_: list[ast.AST] = [*body]
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


def _problems_at_top(body: Iterable[ast.stmt]) -> Iterator[tuple[int, str]]:
    for node in body:
        if not isinstance(node, _TOP_LEVEL):
            yield node.lineno, f"{type(node).__name__} at the top of the module"


def _problems_of_names(bound: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    for line, name in bound:
        if not name.isascii() or name in _FORBIDDEN_NAMES:
            yield line, f"the name {name!r} is bound"


def _problems_of_nodes(nodes: Mapping[type[ast.AST], list[Any]]) -> Iterator[tuple[int, str]]:
    for node in nodes[ast.Attribute]:
        if node.attr in _FORBIDDEN_ATTRIBUTES or not node.attr.isascii():
            yield node.lineno, f"the attribute {node.attr!r} is used"
    for kind in _FORBIDDEN_NODES:
        yield from ((node.lineno, f"a {kind.__name__}") for node in nodes[kind])
