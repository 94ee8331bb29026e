"""Warnings about what is declared and not used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from optdsl.diagnostics import Diagnostics
from optdsl.semantics import model
from optdsl.semantics.declarations import names
from optdsl.semantics.rename import statements
from optdsl.syntax import tree


def check_usage(optimizer: model.Optimizer, diagnostics: Diagnostics) -> None:
    """W201 to W206 for one optimizer."""
    reads, writes = _reads(optimizer), _writes(optimizer.body)
    for slot in optimizer.slots:
        if not reads[slot.name]:
            diagnostics.add(
                "W201", f"the slot '{slot.name}' is never read", slot.span, "it costs memory only"
            )
        elif not writes[slot.name] and not _keeps_the_start(slot):
            diagnostics.add("W202", f"the slot '{slot.name}' is never written", slot.span)
    for shared in optimizer.shareds:
        if not (reads[shared.name] and writes[shared.name]):
            missing = "written" if reads[shared.name] else "read"
            diagnostics.add("W205", f"the shared '{shared.name}' is never {missing}", shared.span)
    for item in optimizer.arguments:
        if not reads[item.name]:
            diagnostics.add("W203", f"'{item.name}' is not used", item.span)
    used = {let.span for let in _lets(optimizer.body) if reads[let.name.text]}
    for let in _lets(optimizer.body):
        if let.span not in used:  # one inside of a `repeat` is a local of each round
            diagnostics.add("W204", f"the local '{let.name.text}' is not used", let.name.span)
    if not writes["w"] and not optimizer.is_wrapper:
        diagnostics.add("W206", "no statement changes 'w'", optimizer.span)


def _keeps_the_start(slot: model.Slot) -> bool:
    """Whether it starts at `w`, or a norm of it: what no `const` can say, even if it then stays."""
    return any(name.text == "w" for name in names(slot.initial))


def _lets(body: Iterable[tree.Statement]) -> Iterator[tree.Let]:
    return (s for s in statements(body) if isinstance(s, tree.Let))


def _writes(body: Iterable[tree.Statement]) -> Counter[str]:
    return Counter(s.target.text for s in statements(body) if isinstance(s, tree.Assign))


def _reads(optimizer: model.Optimizer) -> Counter[str]:
    found: Counter[str] = Counter()

    def read(expr: tree.Expr | None) -> None:
        if expr is not None:
            found.update(name.text for name in names(expr))

    for statement in statements((*optimizer.body, *optimizer.evaluation)):
        match statement:
            case tree.Let(value=value):
                read(value)
            case tree.Assign(target=target, value=value):
                # `m += g` and `m = m + g` read m for its own sake only
                own = [n.text for n in names(value) if n.text == target.text]
                read(value)
                found.subtract(own)
            case tree.If(condition=condition):
                read(condition)
            case tree.Every(count=count):
                read(count)
            case tree.Inner():
                found["g"] += 1
    for const in optimizer.consts:
        read(const.default)
    for state in optimizer.state:
        read(state.initial)
        read(state.condition)
    for policy in optimizer.policies:
        read(policy.condition)
    return found
