"""`A(x=…) of B(y=…) of C` as one flat optimizer.

The wrapped optimizer's step takes the place of `inner`, as a `tree.Wrapped`. A name that the
wrapper has too gets the name of its optimizer in front. Where `inner` is not run in every step,
what it wraps counts its own steps in a shared, which stands for `t` in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from optdsl.diagnostics import Diagnostics, Note
from optdsl.names import snake_case
from optdsl.semantics import model
from optdsl.semantics.arguments import with_arguments
from optdsl.semantics.declarations import names as names_in
from optdsl.semantics.operators import FUNCTIONS
from optdsl.semantics.rename import (
    blocks,
    local_names,
    map_blocks,
    renamed_optimizer,
    statements,
)  # fmt: skip
from optdsl.semantics.scope import PREDEFINED, RESERVED
from optdsl.semantics.settings import check_public_names
from optdsl.syntax import tree
from optdsl.syntax.formatter import format_expression

#: Looks an optimizer or wrapper up; None after a report.
Find = Callable[[tree.Ident], model.Optimizer | None]


def compose(
    item: tree.Composition, find: Find, source: tree.File, diagnostics: Diagnostics
) -> model.Optimizer | None:
    """The flat optimizer of a composition; None after a report."""
    found = [_part(part, find, diagnostics) for part in item.parts]
    parts = [p for p in found if p is not None]
    if len(parts) < len(found) or not _fit_together(item, parts, diagnostics):
        return None
    whole = parts[-1]
    for part, wrapper in zip(reversed(item.parts[:-1]), reversed(parts[:-1]), strict=True):
        if not _stages_fit(wrapper, whole, part, diagnostics):
            return None
        whole = wrap(wrapper, whole)
    check_public_names(whole, diagnostics)
    titles = " of ".join(part.name.text for part in item.parts)
    return replace(
        whole,
        name=item.name.text,
        doc=item.doc or f"{titles}.",
        settings={t: replace(s, class_name=None, order=()) for t, s in whole.settings.items()},
        sources=tuple(dict.fromkeys((source.source, *whole.sources))),
        span=item.name.span,
    )


def _part(part: tree.Part, find: Find, diagnostics: Diagnostics) -> model.Optimizer | None:
    found = find(part.name)
    return None if found is None else with_arguments(found, part, diagnostics)


def _fit_together(
    item: tree.Composition, parts: list[model.Optimizer], diagnostics: Diagnostics
) -> bool:
    """Whether all but the last are wrappers, and the last is none."""
    fits = True
    for part, found in zip(item.parts, parts, strict=True):
        last = part is item.parts[-1]
        if found.is_wrapper == last:
            fits = False
            name = part.name.text
            message = (
                f"'{name}' is a wrapper: it needs something to wrap"
                if last
                else (f"'{name}' is no wrapper: it cannot stand in front of 'of'")
            )
            diagnostics.add(
                "O705", message, part.name.span,
                f"as in '{name} of Adam'" if last else "",
                (Note("it is declared here", found.span),),
            )  # fmt: skip
    return fits


def _stages_fit(
    wrapper: model.Optimizer, inner: model.Optimizer, part: tree.Part, diagnostics: Diagnostics
) -> bool:
    """An optimizer of several stages follows at the end of the wrapper's last stage."""
    if not any(isinstance(s, tree.Evaluate) for s in statements(inner.body)):
        return True
    places = [i for i, s in enumerate(wrapper.body) if isinstance(s, tree.Inner)]
    ends = [i for i, s in enumerate(wrapper.body) if isinstance(s, tree.Evaluate)]
    if places and all(end < places[0] for end in ends):
        return True
    diagnostics.add(
        "O706", f"'{part.name.text}' runs 'inner' under a condition or before its last stage, "
        f"and '{inner.name}' has several stages", part.name.span,
        "its stages can only stand where every step comes by",
    )  # fmt: skip
    return False


def wrap(wrapper: model.Optimizer, inner: model.Optimizer) -> model.Optimizer:
    """A wrapper around an optimizer, as one optimizer."""
    inner = _apart(wrapper, inner)
    counted = not _always_runs(wrapper)
    if counted:
        publics = {s.public for s in (*wrapper.state, *inner.state)}
        inner = _counting(inner, {*_names(wrapper), *_names(inner), *publics})
    policies = tuple(
        tree.Sparse(tree.Ident(p.name, p.span), p.condition, p.span) for p in inner.policies
    )
    exact = (tree.Sparse(tree.Ident("exact", inner.span), None, inner.span),)
    replacer = _Replacer(inner, policies, exact)
    return model.Optimizer(
        name=wrapper.name,
        doc=wrapper.doc,
        hypers=(*inner.hypers, *wrapper.hypers),  # so that the learning rate stays the first
        consts=(*inner.consts, *wrapper.consts),
        flags=(*inner.flags, *wrapper.flags),
        slots=(*wrapper.slots, *inner.slots),
        shareds=(*wrapper.shareds, *inner.shareds),
        policies=wrapper.policies,
        settings=_settings(wrapper, inner),
        body=replacer.block(wrapper.body),
        evaluation=(*inner.evaluation, *wrapper.evaluation),
        let_levels={**inner.let_levels, **wrapper.let_levels},
        sources=(*wrapper.sources, *inner.sources),
        span=wrapper.span,
        origins={**inner.origins, **{n: snake_case(wrapper.name) for n in _names(wrapper)}},
    )


# ---------------------------------------------------------------------------------- names


def _names(optimizer: model.Optimizer) -> Iterator[str]:
    """All the names that an optimizer declares."""
    for item in (*optimizer.arguments, *optimizer.state):
        yield item.name
    yield from (c.entry_of for c in optimizer.consts if c.entry_of)
    yield from local_names(optimizer.body)


def _apart(wrapper: model.Optimizer, inner: model.Optimizer) -> model.Optimizer:
    """The inner optimizer with names that differ from the wrapper's, public ones too."""
    before = {n: inner.origins.get(n, snake_case(inner.name)) for n in _names(inner)}
    origins = _numbered(snake_case(wrapper.name), before)
    taken = {*_names(wrapper), *PREDEFINED, *RESERVED, *FUNCTIONS}
    taken |= {a.public for a in wrapper.arguments}
    of_taken_lists = {c.name for c in inner.consts if c.entry_of in taken}
    names = _distinct({n: n for n in before}, before, origins, taken | of_taken_lists)
    inner = _with_public_names(wrapper, inner, before, origins)
    return renamed_optimizer(replace(inner, origins=origins), names)


def _numbered(own: str, origins: dict[str, str]) -> dict[str, str]:
    """The origins where those that are the wrapper's own, lookahead, are lookahead2, and so on."""
    inside = {o for o in origins.values() if o == own or o.removeprefix(own).isdigit()}
    if own not in inside:
        return origins
    later = {o: f"{own}{int(o.removeprefix(own) or 1) + 1}" for o in inside}
    return {n: later.get(o, o) for n, o in origins.items()}


def _distinct(
    old: dict[str, str], before: dict[str, str], origins: dict[str, str], taken: Collection[str]
) -> dict[str, str]:
    """New names, by key, for those that are taken or begin with an origin that is another now.

    What had one name, as the entries of a list have a public one, has one again.
    """
    wanted = {}
    for key, name in old.items():
        was, now = before[key], origins[key]
        if was != now and name.startswith(f"{was}_"):
            wanted[key] = f"{now}_{name.removeprefix(f'{was}_')}"
        elif name in taken:
            wanted[key] = f"{now}_{name}"
    used = {*taken, *(name for key, name in old.items() if key not in wanted)}
    found: dict[str, str] = {}
    for key, name in wanted.items():
        if old[key] not in found:
            found[old[key]] = _free(name, used)
            used.add(found[old[key]])
    return {key: found[old[key]] for key in wanted}


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _with_public_names(
    wrapper: model.Optimizer,
    inner: model.Optimizer,
    before: dict[str, str],
    origins: dict[str, str],
) -> model.Optimizer:
    """The inner optimizer with public names that differ from the wrapper's, in every target."""
    arguments = {x for a in wrapper.arguments for x in (a.public, a.name)}
    arguments |= {c.entry_of for c in wrapper.consts}
    states = {s.public for s in wrapper.state}
    of_states = {s.name for s in wrapper.state}
    for settings in wrapper.settings.values():
        for name, given in settings.public.items():
            (states if name in of_states else arguments).add(given)

    def distinct(
        publics: dict[str, str],
        items: Iterable[model.Argument | model.Slot | model.Shared],
        taken: set[str],
    ) -> dict[str, str]:
        own = {i.name: publics[i.name] for i in items if i.name in publics}
        return own | _distinct(own, before, origins, taken)

    def all_distinct(publics: dict[str, str]) -> dict[str, str]:
        return distinct(publics, inner.arguments, arguments) | distinct(
            publics, inner.state, states
        )

    public = all_distinct({i.name: i.public for i in (*inner.arguments, *inner.state)})
    return replace(
        inner,
        hypers=tuple(replace(h, public=public[h.name]) for h in inner.hypers),
        consts=tuple(replace(c, public=public[c.name]) for c in inner.consts),
        flags=tuple(replace(f, public=public[f.name]) for f in inner.flags),
        slots=tuple(replace(s, public=public[s.name]) for s in inner.slots),
        shareds=tuple(replace(s, public=public[s.name]) for s in inner.shareds),
        settings={
            target: replace(s, public=all_distinct(dict(s.public)))
            for target, s in inner.settings.items()
        },
    )


def _settings(wrapper: model.Optimizer, inner: model.Optimizer) -> dict[str, model.Settings]:
    found = {}
    for target in sorted({*wrapper.settings, *inner.settings}):
        outer = wrapper.settings.get(target, model.Settings())
        within = inner.settings.get(target, model.Settings())
        found[target] = model.Settings(
            None, {**within.defaults, **outer.defaults}, {**within.public, **outer.public}
        )
    return found


# ------------------------------------------------------------------------------- counting


def _always_runs(wrapper: model.Optimizer) -> bool:
    """Whether `inner` runs in every step: no condition but fixed ones around it."""
    return _runs(wrapper.body, wrapper)


def _runs(body: tuple[tree.Statement, ...], wrapper: model.Optimizer) -> bool:
    fixed = {"pi", "inf", *(c.name for c in wrapper.consts), *(f.name for f in wrapper.flags)}
    for statement in body:
        match statement:
            case tree.Every() if any(isinstance(s, tree.Inner) for s in statements(statement.body)):
                return False
            case tree.If(then=then, orelse=orelse):
                inside = any(isinstance(s, tree.Inner) for s in statements((*then, *orelse)))
                known = {n.text for n in names_in(statement.condition)} <= fixed
                if inside and not (known and _runs(then, wrapper) and _runs(orelse, wrapper)):
                    return False
    return True


def _counting(inner: model.Optimizer, taken: set[str]) -> model.Optimizer:
    """The optimizer with a counter of its own in the place of `t`, and as its hypers' time."""
    clock = _free(f"{snake_case(inner.name)}_t", taken)
    inner = renamed_optimizer(inner, {"t": clock})
    ident, one = tree.Ident(clock, inner.span), tree.Number("1", 1, inner.span)
    counter = model.Shared(
        clock, clock, tree.Number("0", 0, inner.span), None,
        f"How often {inner.name} took a step.", inner.span,
    )  # fmt: skip
    return replace(
        inner,
        hypers=tuple(replace(h, clock=h.clock or clock) for h in inner.hypers),
        shareds=(*inner.shareds, counter),
        body=(tree.Assign(ident, "+=", one, inner.span), *inner.body),
        origins={**inner.origins, clock: snake_case(inner.name)},
    )


# ------------------------------------------------------------------------------ replacing


class _Replacer:
    """Puts the inner optimizer's step where `inner` stands.

    A `g` that need not be 0 on the rows that a sparse gradient leaves out (it was made of a slot,
    or `w` was added to it) has no rows left out any more: the parts inside see it dense. So they do
    behind a stage of the wrapper, since each stage has rows of its own.
    """

    def __init__(
        self,
        inner: model.Optimizer,
        policies: tuple[tree.Sparse, ...],
        exact: tuple[tree.Sparse, ...],
    ) -> None:
        self._inner, self._policies, self._exact = inner, policies, exact
        self._zero = {"g"}  # names of what is 0 on those rows

    def block(self, body: tuple[tree.Statement, ...]) -> tuple[tree.Statement, ...]:
        """A block with the inner optimizer in it."""
        return tuple(self._statement(s) for s in body)

    def _statement(self, statement: tree.Statement) -> tree.Statement:
        match statement:
            case tree.Inner():
                sparse = "g" in self._zero
                policies = self._policies if sparse else self._exact
                body = self._inner.body if sparse else _dense(self._inner.body)
                return tree.Wrapped(self._inner.name, body, policies, statement.span)
            case tree.Let(name=name, value=value):
                self._told(name.text, vanishes(value, self._zero))
            case tree.Assign(target=target, op=op, value=value):
                factor = op in ("*=", "/=") and target.text in self._zero
                both = op == "=" or target.text in self._zero
                self._told(target.text, factor or (both and vanishes(value, self._zero)))
            case tree.Evaluate():
                self._zero.discard("g")
        before, after = self._zero, []
        inside = []
        for block in blocks(statement):
            self._zero = set(before)
            inside.append(self.block(block))
            after.append(self._zero)
        self._zero = before.intersection(*after) if after else before
        parts = iter(inside)
        return map_blocks(statement, lambda block: next(parts))

    def _told(self, name: str, is_zero: bool) -> None:
        (self._zero.add if is_zero else self._zero.discard)(name)


def vanishes(expr: tree.Expr, zero: set[str]) -> bool:
    """Whether an expression is 0 for sure where these names are; of a line along an axis that may
    run over other rows, nothing is sure.
    """
    match expr:
        case tree.Name(text=text):
            return text in zero
        case tree.Unary(op="-", operand=operand):
            return vanishes(operand, zero)
        case tree.Binary(op="*", left=left, right=right):
            return vanishes(left, zero) or vanishes(right, zero)
        case tree.Binary(op="/" | "^" as op, left=left, right=right):
            positive = isinstance(right, tree.Number) and right.value > 0
            return vanishes(left, zero) and (op == "/" or positive)
        case tree.Binary(op="+" | "-", left=left, right=right):
            return vanishes(left, zero) and vanishes(right, zero)
        case tree.Call() if not expr.options:
            return _call_vanishes(expr, zero)
    return False


def _call_vanishes(call: tree.Call, zero: set[str]) -> bool:
    name, args = call.function.text, call.args
    if name == "where":
        return all(vanishes(a, zero) for a in args[1:])
    if name == "clip":
        low, high = map(format_expression, args[1:])
        return low == f"-{high}" and vanishes(args[0], zero)
    return name in _ZERO_AT_ZERO and vanishes(args[0], zero)


#: Element functions that are 0 at 0.
_ZERO_AT_ZERO = frozenset("sqrt abs sign tanh log1p expm1 floor ceil round cbrt".split())


def _dense(body: tuple[tree.Statement, ...]) -> tuple[tree.Statement, ...]:
    """The parts in a block with the policy exact."""

    def change(statement: tree.Statement) -> tree.Statement:
        if isinstance(statement, tree.Wrapped):
            exact = tree.Sparse(tree.Ident("exact", statement.span), None, statement.span)
            statement = replace(statement, policies=(exact,))
        return map_blocks(statement, _dense)

    return tuple(change(s) for s in body)
