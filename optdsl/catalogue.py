"""The catalogue of diagnostic codes. A code never changes its meaning and is never used again.

O1xx the text (characters, grammar, limits) · O2xx names · O3xx levels and types · O4xx values ·
O5xx sparse policies · O6xx settings of targets · O7xx composition · O9xx not supported ·
W1xx and up warnings
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Entry:
    """What a code means: a title for the docs, and whether it stops generation."""

    title: str
    severity: Literal["error", "warning"]


def _errors(titles: dict[str, str]) -> dict[str, Entry]:
    return {code: Entry(title, "error") for code, title in titles.items()}


def _warnings(titles: dict[str, str]) -> dict[str, Entry]:
    return {code: Entry(title, "warning") for code, title in titles.items()}


CATALOGUE: dict[str, Entry] = {
    **_errors(
        {
            "O101": "a character that a spec may not hold",
            "O102": "the line does not read as a statement or declaration",
            "O103": "a text that is not closed",
            "O104": "a bracket that is not closed, or closed without being opened",
            "O105": "a limit on size or nesting is exceeded",
            "O106": "a number that cannot be read",
            "O107": "comparisons may not be chained",
            "O108": "the file cannot be read as UTF-8 text",
            "O109": "a file without an optimizer or a schedule",
            "O201": "a name that is not declared",
            "O202": "a name that is declared twice",
            "O203": "a reserved name",
            "O204": "a name that cannot be assigned to",
            "O205": "an unknown function",
            "O206": "a wrong number of arguments",
            "O207": "a definition that calls itself",
            "O208": "a slot that does not exist where it is used",
            "O209": "a public name that clashes with another",
            "O210": "the value of a schedule is not assigned",
            "O301": "an assignment that lowers a level",
            "O302": "a truth value is used as a number, or a number as a truth value",
            "O303": "a condition of the level element",
            "O304": "a shared is assigned under a condition of the level variable",
            "O305": "a value of the wrong level",
            "O306": "an integer is required",
            "O307": "a list where a number is needed, or a number where a list is",
            "O308": "something in a schedule that is no number of the step",
            "O309": "an index outside its list",
            "O310": "a list of another length",
            "O311": "a number of entries or rounds that is not known when code is generated",
            "O401": "a constant that is no finite number",
            "O402": "a default outside its domain",
            "O403": "an empty domain",
            "O501": "a contradiction between sparse policies",
            "O601": "an unknown target",
            "O602": "a setting that does not fit the optimizer",
            "O701": "'inner' outside a wrapper",
            "O702": "'inner' that can run twice in a step",
            "O703": "a wrapper that never runs what it wraps",
            "O704": "an argument of a part of a composition that does not fit",
            "O705": "a wrapper where an optimizer has to stand, or the other way round",
            "O706": "stages under a wrapper that does not run them in every step",
            "O707": "a part of a composition with errors",
            "O708": "a composition of itself",
            "O709": "a part of a composition that cannot be found",
            "O901": "a construct that this version does not support",
            "O902": "a construct that a target does not support",
        }
    ),
    **_warnings(
        {
            "W201": "a slot that is never read",
            "W202": "a slot that is never written",
            "W203": "a hyperparameter, const or flag that is not used",
            "W204": "a let that is not used",
            "W205": "a shared that is never read or never written",
            "W206": "a statement without effect",
            "W401": "a divisor that can be 0",
            "W402": "a root or power of a number that can be negative",
            "W403": "a logarithm of a number that can be 0 or negative",
            "W404": "an epsilon that is 0 in float16",
            "W405": "state that overflows",
        }
    ),
}
