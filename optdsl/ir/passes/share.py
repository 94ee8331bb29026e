"""What a rule says twice is computed once.

A graph compiler finds that by itself, where there is one; NumPy and eager TensorFlow do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from optdsl.ir.build import FILL, expressions, is_static, map_block, ops, rewrite
from optdsl.ir.fresh_names import FreshNames
from optdsl.ir.nodes import Block, Branch, Define, Expr, Op, Program, Ref, Result, Rule, Value
from optdsl.semantics.level import Level


def share(program: Program) -> Program:
    """Give a name to every operation on elements or variables that a rule does more than once."""

    def shared(rule: Rule) -> Rule:
        return _rule(rule, FreshNames(program))

    untouched = tuple(replace(u, rule=shared(u.rule)) for u in program.untouched)
    phases = tuple(replace(p, rule=shared(p.rule)) for p in program.phases)
    return replace(program, rule=shared(program.rule), untouched=untouched, phases=phases)


def _rule(rule: Rule, names: FreshNames) -> Rule:
    body, values = _block(rule.body, [r.value for r in rule.results], names)
    results = zip(rule.results, values, strict=True)
    return replace(rule, body=body, results=tuple(Result(r.state, v) for r, v in results))


def _block(block: Block, results: Sequence[Expr], names: FreshNames) -> tuple[Block, list[Expr]]:
    """A block and what is made of it, with the largest repeated operations named first."""
    while found := max(_repeated(block, results), key=lambda x: _size(x[1]), default=None):
        place, repeated = found
        name = names.of(repeated, "part")
        value = Value(name, 1, repeated.level, "local", repeated.is_bool)

        def use(expr: Expr, repeated: Op = repeated, value: Value = value) -> Expr:
            return rewrite(expr, lambda e: Ref(value) if e == repeated else e)

        block = (*block[:place], Define(value, repeated), *map_block(block[place:], use))
        results = [use(r) for r in results]
    return tuple(_branch(s, names) if isinstance(s, Branch) else s for s in block), [*results]


def _branch(branch: Branch, names: FreshNames) -> Branch:
    """What only one side repeats is named there: the other one has no use for it."""
    then, thens = _block(branch.then, [m.then for m in branch.merges], names)
    orelse, orelses = _block(branch.orelse, [m.orelse for m in branch.merges], names)
    merges = tuple(
        replace(m, then=t, orelse=o) for m, t, o in zip(branch.merges, thens, orelses, strict=True)
    )
    return replace(branch, then=then, orelse=orelse, merges=merges)


def _repeated(block: Block, results: Sequence[Expr]) -> Iterator[tuple[int, Op]]:
    """Operations that a statement does whatever the case, and it or what follows does again."""
    left = Counter(_costly([*expressions(block), *results]))
    for place, statement in enumerate(block):
        own = statement.expr if isinstance(statement, Define) else statement.condition
        yield from ((place, o) for o in dict.fromkeys(_costly([own])) if left[o] > 1)
        left -= Counter(_costly(expressions((statement,))))


def _costly(exprs: Iterable[Expr]) -> Iterator[Op]:
    """Operations other than those whose outcome is known when the code is built."""
    every = (o for expr in exprs for o in ops(expr) if o.level >= Level.VARIABLE)
    return (o for o in every if o.op not in (FILL, "size") and not is_static(o))


def _size(expr: Op) -> int:
    return sum(1 for _ in ops(expr))
