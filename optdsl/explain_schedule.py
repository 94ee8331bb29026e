"""What there is to say about a schedule, as text for people."""

from __future__ import annotations

from optdsl.oracle.schedules import evaluate
from optdsl.semantics.schedule import Argument, Numbers, Schedule
from optdsl.syntax.formatter import format_statement

#: Numbers of steps at which the value is shown.
_SHOWN = (0, 1, 10, 100, 1000, 10_000, 100_000)


def explain(schedule: Schedule) -> str:
    """Its arguments, its equations with definitions expanded, some values; ends with a newline."""
    equations = [line for s in schedule.body for line in format_statement(s).split("\n")]
    values = [f"t = {t:<6}  {evaluate(schedule, t):.9g}" for t in _SHOWN]
    parts = [
        [schedule.name],
        ["Arguments", *(map(_argument, schedule.arguments))],
        ["The value after t steps", *equations],
        ["With the defaults", *values],
    ]
    return "\n".join("\n".join((p[0], *(f"  {x}" for x in p[1:]), "")) for p in parts)


def _argument(item: Argument) -> str:
    called = f" as {item.public}" if item.public != item.name else ""
    if isinstance(item, Numbers):
        return f"{item.name}{called}: a list of numbers in {item.domain}"
    domain = getattr(item, "domain", None)
    return f"{item.name}{called}: {'true or false' if domain is None else f'in {domain}'}"
