"""Short ways from text to trees for the tests of the syntax."""

import dataclasses

from optdsl.diagnostics import Diagnostics, Source
from optdsl.render import render_text
from optdsl.syntax import tree
from optdsl.syntax.parser import parse


def read(text):
    """(tree or None, diagnostics) of a spec."""
    diagnostics = Diagnostics()
    return parse(Source("test.opt", text), diagnostics), diagnostics.all


def read_well(text):
    """The tree of a spec without errors."""
    file, found = read(text)
    assert file is not None, render_text(found)
    assert not found
    return file


def codes(text):
    """The codes of the errors of a spec, by their places."""
    file, found = read(text)
    assert (file is None) == bool(found)
    return [d.code for d in found]


def statements(*lines):
    """The statements of `update`."""
    body = "\n".join(lines)
    (optimizer,) = read_well(f"optimizer A {{\nupdate {{\n{body}\n}}\n}}").optimizers
    return optimizer.stages[0].body


def declarations(*lines):
    """The declarations of an optimizer."""
    body = "\n".join(lines)
    (optimizer,) = read_well(f"optimizer A {{\n{body}\nupdate {{ w -= g }}\n}}").optimizers
    return optimizer.declarations


def expression(text):
    """The tree of an expression."""
    (statement,) = statements(f"w = {text}")
    return statement.value


def bare(node):
    """A tree as nested tuples without its places, to compare."""
    if isinstance(node, tuple):
        return tuple(map(bare, node))
    if dataclasses.is_dataclass(node):
        names = [f.name for f in dataclasses.fields(node) if f.name not in ("span", "source")]
        return (type(node).__name__, *[bare(getattr(node, n)) for n in names])
    return node


def prefix(expr):
    """An expression in prefix form: `(+ a (* b c))`."""
    if isinstance(expr, tree.Boolean):
        return str(expr.value)
    if isinstance(expr, tree.Unary):
        return f"({expr.op} {prefix(expr.operand)})"
    if isinstance(expr, tree.Binary):
        return f"({expr.op} {prefix(expr.left)} {prefix(expr.right)})"
    if isinstance(expr, tree.Call):
        options = [f"{n.text}={_option(v)}" for n, v in expr.options]
        return f"({' '.join([expr.function.text, *map(prefix, expr.args), *options])})"
    return expr.text


def _option(value):
    return "[" + " ".join(map(prefix, value)) + "]" if isinstance(value, tuple) else prefix(value)
