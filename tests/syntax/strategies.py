"""Random trees: everything that the grammar can say, sense apart."""

from hypothesis import strategies as st

from optdsl.diagnostics import Source, Span
from optdsl.syntax import tree
from optdsl.syntax.keywords import RESERVED

SOURCE = Source("", "")
NOWHERE = Span(SOURCE, 0, 0)

WORDS = ["w", "g", "t", "m", "b1", "_x", "order", "class", "hyper", "update", "lambda", "inf"]
CHARACTERS = st.characters(
    categories=["L", "N", "P", "S", "M"], include_characters=" \n\t", exclude_characters='"'
)


def node(kind, *parts):
    """A strategy of nodes of a kind, from those of its parts."""
    return st.builds(lambda *values: kind(*values, NOWHERE), *parts)


def tuples(elements, least=0, most=3):
    return st.lists(elements, min_size=least, max_size=most).map(tuple)


def maybe(strategy):
    return st.none() | strategy


random_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
words = st.sampled_from(WORDS) | random_names.filter(lambda w: w not in RESERVED)
names = words.filter(lambda w: w not in ("True", "False"))
idents = node(tree.Ident, names)
docs = st.text(CHARACTERS, max_size=20) | st.sampled_from(['say "x"\n.', "\\alpha {", "# no"])

# ---------------------------------------------------------------- expressions

numbers = st.one_of(
    st.integers(0, 10**20).map(lambda n: tree.Number(str(n), n, NOWHERE)),
    st.floats(0, allow_nan=False, allow_infinity=False).map(
        lambda x: tree.Number(repr(x), x, NOWHERE)
    ),
)
leaves = numbers | node(tree.Name, names) | node(tree.Boolean, st.booleans())
OPERATORS = ["+", "-", "*", "/", "%", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"]


def larger(exprs):
    options = tuples(st.tuples(idents, exprs | tuples(exprs, 1)), most=2)
    return st.one_of(
        node(tree.Unary, st.sampled_from(["-", "not"]), exprs),
        node(tree.Binary, st.sampled_from(OPERATORS), exprs, exprs),
        node(tree.Call, idents, tuples(exprs), options),
        node(tree.Index, idents, exprs),
    )


expressions = st.recursive(leaves, larger, max_leaves=12)
defaults = expressions | node(tree.List, tuples(expressions, 1))

# ----------------------------------------------------------------- statements

UPDATES = ["=", "+=", "-=", "*=", "/="]
simple = st.one_of(
    node(tree.Let, idents, expressions),
    st.builds(
        tree.Assign,
        idents,
        st.sampled_from(UPDATES),
        expressions,
        st.just(NOWHERE),
        maybe(expressions),
    ),
    node(tree.Inner),
)


def blocks(statements):
    bodies = tuples(statements, most=2)
    return st.one_of(
        node(tree.If, expressions, bodies, bodies),
        node(tree.Every, expressions, bodies),
        node(tree.Repeat, expressions, maybe(idents), bodies),
    )


statements = st.recursive(simple, blocks, max_leaves=6)

# --------------------------------------------------------------- declarations

domains = node(tree.Domain, expressions, expressions, st.booleans(), st.booleans())
slot_names = st.builds(tree.SlotName, idents, maybe(idents), maybe(expressions))
definitions = node(tree.Def, idents, tuples(idents), expressions, docs)
settings = st.one_of(
    node(tree.SetDefault, idents, defaults),
    node(tree.SetPublic, idents, idents),
    node(tree.SetClass, idents),
    node(tree.SetOrder, tuples(idents, 1)),
)
constants = node(
    tree.Const, idents, st.booleans(), expressions, maybe(idents), maybe(domains), docs
)
flags = node(tree.Flag, idents, expressions, maybe(idents), docs)
lists = node(tree.ListConst, idents, tuples(expressions), maybe(idents), maybe(domains), docs)
fixed_declarations = st.one_of(
    constants, flags, lists, definitions, node(tree.For, idents, tuples(settings))
)
declarations = st.one_of(
    node(tree.Hyper, idents, maybe(expressions), maybe(idents), maybe(domains), docs),
    node(tree.Const, idents, st.booleans(), defaults, maybe(idents), maybe(domains), docs),
    flags,
    node(
        tree.Slot,
        tuples(slot_names, 1),
        st.booleans(),
        maybe(expressions),
        maybe(expressions),
        docs,
    ),
    node(tree.Shared, idents, maybe(idents), expressions, maybe(expressions), docs),
    node(
        tree.Sparse,
        node(tree.Ident, st.sampled_from(["exact", "hybrid", "lazy"])),
        maybe(expressions),
    ),
    node(tree.Eval, expressions, maybe(expressions)),
    definitions,
    node(tree.For, idents, tuples(settings)),
)

# ----------------------------------------------------------------------- files

bodies = tuples(statements)
values = node(tree.Assign, st.just(tree.Ident("value", NOWHERE)), st.just("="), expressions)
stages = st.one_of(
    node(tree.Stage, st.none(), bodies).map(lambda s: (s,)),
    tuples(node(tree.Stage, idents, bodies), 1),
)
optimizers = node(tree.Optimizer, idents, st.booleans(), docs, tuples(declarations), stages)
parts = node(tree.Part, idents, tuples(st.tuples(idents, defaults)))
compositions = node(tree.Composition, idents, docs, tuples(parts, 1))
schedules = node(
    tree.Schedule, idents, docs, tuples(fixed_declarations), bodies | tuples(values, 1, 1)
)
files = st.builds(
    tree.File,
    st.just(SOURCE),
    tuples(definitions, most=2),
    tuples(optimizers | compositions, 1, 2),
    tuples(schedules, most=2),
)
