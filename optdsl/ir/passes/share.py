"""What a step or a rule says twice is computed once.

A graph compiler finds that by itself, where there is one; NumPy and eager TensorFlow do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from optdsl.ir.build import FILL, expressions, is_static, map_block, ops, rewrite
from optdsl.ir.fresh_names import FreshNames
from optdsl.ir.nodes import Block, Branch, Define, Expr, Op, Program, Ref, Result, Rule, Value


def share(program: Program) -> Program:
    """Give a name to every operation that a step or a rule does more than once."""

    def shared(body: Block, results: tuple[Result, ...]) -> tuple[Block, tuple[Result, ...]]:
        block, values = _block(body, [r.value for r in results], FreshNames(program))
        pairs = zip(results, values, strict=True)
        return block, tuple(Result(r.state, v) for r, v in pairs)

    def rule(old: Rule) -> Rule:
        body, results = shared(old.body, old.results)
        return replace(old, body=body, results=results)

    step, shared_results = shared(program.step, program.shared_results)
    untouched = tuple(replace(u, rule=rule(u.rule)) for u in program.untouched)
    phases = tuple(
        replace(p, step=shared(p.step, ())[0], rule=rule(p.rule)) for p in program.phases
    )
    return replace(
        program,
        step=step,
        shared_results=shared_results,
        rule=rule(program.rule),
        untouched=untouched,
        phases=phases,
    )


def _block(block: Block, results: Sequence[Expr], names: FreshNames) -> tuple[Block, list[Expr]]:
    """A block and what is made of it, with the largest repeated operations named first."""
    while found := max(_repeated(block, results), key=lambda x: _size(x[1]), default=None):
        place, repeated = found
        named = _named(block, repeated) or _name(repeated, names)

        def use(expr: Expr, repeated: Op = repeated, named: Define = named) -> Expr:
            return rewrite(expr, lambda e: Ref(named.value) if e == repeated else e)

        later = tuple(s for s in block[place:] if s != named)
        block = (*block[:place], named, *map_block(later, use))
        results = [use(r) for r in results]
    return tuple(_branch(s, names) if isinstance(s, Branch) else s for s in block), [*results]


def _named(block: Block, expr: Op) -> Define | None:
    """The statement by which the compiler gave it a name before."""
    same = (s for s in block if isinstance(s, Define) and s.expr == expr and not s.text)
    return next(same, None)


def _name(expr: Op, names: FreshNames) -> Define:
    return Define(Value(names.of(expr, "part"), 1, expr.level, "local", expr.is_bool), expr)


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
    every = (o for expr in exprs for o in ops(expr))
    return (o for o in every if o.op not in (FILL, "size") and not is_static(o))


def _size(expr: Op) -> int:
    return sum(1 for _ in ops(expr))
