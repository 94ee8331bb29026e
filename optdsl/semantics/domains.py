"""Warnings from interval analysis: what can be divided by 0, leave the reals, or overflow.

The analysis is one of real numbers; of reductions it takes for granted that there are elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from optdsl.diagnostics import Diagnostics, Span
from optdsl.semantics import intervals as iv
from optdsl.semantics import model
from optdsl.semantics.abstract import Site, any_step, at_evaluation
from optdsl.semantics.growth import check_growth
from optdsl.semantics.intervals import Range
from optdsl.semantics.level import Level
from optdsl.semantics.values import Value, symbols
from optdsl.syntax.formatter import format_expression

#: The smallest normal number of float32; what is smaller may count as 0 there.
SMALLEST = 2.0**-126

#: How many parts of an expression are looked through for a mend, and how much of it is quoted.
MAX_PARTS = 200
MAX_QUOTED = 60

#: How many of these warnings one optimizer gets.
MAX_WARNINGS = 50


def check_domains(optimizer: model.Optimizer, diagnostics: Diagnostics) -> None:
    """W401 to W405 for one optimizer, given the domains of its hyperparameters, with g free.

    Half precision is computed in float32, so W404 is for an epsilon that is 0 in both: one below
    SMALLEST, added to what elements are divided by or to what is under their root.
    """
    step = any_step(optimizer)
    checker = _Checker(optimizer, diagnostics)
    for site in step.sites:
        checker.check(site)
    for site in at_evaluation(optimizer, step.state).sites:
        checker.check(site)
    check_growth(optimizer, step, diagnostics)


@dataclass(frozen=True)
class _Demand:
    """An operand that has to lie in a range, how it is called, and what to do if it does not."""

    code: str
    operand: int
    wanted: Range
    fault: str
    mend: str


_DIVISOR = _Demand(
    "W401", 1, iv.NONZERO, "the divisor can be 0", "add an epsilon, or guard it with where(…)"
)
_POLE = _Demand(
    "W401", 0, iv.NONZERO, "0 can be raised to a negative power", "add an epsilon to the base"
)
_POWER = _Demand(
    "W402", 0, iv.NONNEGATIVE, "a negative number can be raised to a power that is no integer",
    "take abs(…) or max(…, 0) of the base",
)  # fmt: skip
_ROOT = _Demand(
    "W402", 0, iv.NONNEGATIVE, "the root can be one of a negative number",
    "take abs(…) or max(…, 0) of it",
)  # fmt: skip
_LOGARITHM = _Demand(
    "W403", 0, iv.POSITIVE, "the logarithm can be one of 0 or of a negative number",
    "add an epsilon to abs(…) or max(…, 0) of it",
)  # fmt: skip
_LOGARITHM_1P = _Demand(
    "W403", 0, Range((-1.0, False), (iv.INF, True)), "'log1p' can be applied to -1 or less",
    "take max(…, 0) of its argument",
)  # fmt: skip


def _demands(op: str, ranges: list[Range]) -> tuple[_Demand, ...]:
    """What an operator demands of operands in these ranges."""
    match op:
        case "div" | "mod":
            return (_DIVISOR,)
        case "sqrt":
            return (_ROOT,)
        case "log":
            return (_LOGARITHM,)
        case "log1p":
            return (_LOGARITHM_1P,)
    pole = (_POLE,) if ranges[1].low[0] < 0 else ()
    return pole if ranges[1].whole else (*pole, _POWER)


class _Checker:
    def __init__(self, optimizer: model.Optimizer, diagnostics: Diagnostics) -> None:
        numbers: list[model.Hyper | model.Const] = [*optimizer.hypers, *optimizer.consts]
        self._arguments = {a.name: a for a in numbers}
        self._settings = optimizer.settings
        self._diagnostics = diagnostics
        self._reported: set[tuple[str, Value]] = set()

    def check(self, site: Site) -> None:
        """Report what can go wrong at one operator; of one value only once."""
        ranges = [site.facts.range(x) for x in site.operands]
        for demand in _demands(site.op, ranges):
            operand = site.operands[demand.operand]
            if not iv.within(ranges[demand.operand], demand.wanted) and self._new(demand, operand):
                self._report(demand, site, ranges[demand.operand])
        if site.op in ("div", "sqrt") and site.operands[-1].level >= Level.VARIABLE:
            self._check_epsilons(site)  # what is one number per step is computed in float64

    def _new(self, demand: _Demand, operand: Value) -> bool:
        cause = demand.code, operand
        new = cause not in self._reported and len(self._reported) < MAX_WARNINGS
        self._reported.add(cause)
        return new

    def _report(self, demand: _Demand, site: Site, range: Range) -> None:
        text = format_expression(site.expr)
        quoted = f"'{text}'" if len(text) <= MAX_QUOTED else "it"
        self._diagnostics.add(
            demand.code, f"{demand.fault}: {quoted} lies in {range}", site.expr.span,
            self._narrowing(demand, site) or demand.mend,
        )  # fmt: skip

    def _narrowing(self, demand: _Demand, site: Site) -> str:
        """The domain that one of the arguments should have, if that is a mend."""
        operand = site.operands[demand.operand]
        for symbol in symbols(operand, MAX_PARTS):
            argument = self._arguments.get(symbol.name)
            for domain in _narrower(symbol.range, argument) if argument else ():
                facts = site.facts.with_range(symbol, domain)
                if facts and iv.within(facts.range(operand), demand.wanted):
                    return f"give '{symbol.name}' the domain {domain}"
        return ""

    # ------------------------------------------------------------------------------- epsilons

    def _check_epsilons(self, site: Site) -> None:
        for term in _summands(site.operands[-1]):
            argument = self._arguments.get(term.name)
            if argument:
                for default in self._defaults(argument):
                    self._check_epsilon(default, f"the default of '{term.name}'", argument.span)
            elif term.op == "number":
                self._check_epsilon(term.range.low[0], "an epsilon", site.expr.span)

    def _defaults(self, argument: model.Hyper | model.Const) -> Iterator[float]:
        """Those of the spec and of its targets."""
        default = _default(argument)
        if default is not None:
            yield default
        for settings in self._settings.values():
            if argument.name in settings.defaults:
                yield float(settings.defaults[argument.name])

    def _check_epsilon(self, epsilon: float, described: str, span: Span) -> None:
        if 0 < abs(epsilon) < SMALLEST:
            self._diagnostics.add(
                "W404", f"{described}, {epsilon!r}, is 0 in float32, in which variables of half "
                "and single precision are computed", span, "take one above 1.2e-38",
            )  # fmt: skip


def _default(argument: model.Hyper | model.Const) -> float | None:
    return argument.default if isinstance(argument, model.Hyper) else argument.default_value


def _narrower(domain: Range, argument: model.Hyper | model.Const) -> Iterator[Range]:
    """Parts of a domain that have the default in them, the largest first."""
    low, high = (domain.low[0], False), (domain.high[0], False)
    parts = [(domain.low, high), (low, domain.high), (low, high)]
    candidates = [iv.between(*ends, whole=domain.whole) for ends in parts]
    candidates += [iv.intersection(domain, part) for part in (iv.NONNEGATIVE, iv.POSITIVE)]
    default = _default(argument)
    for found in candidates:
        if found and found != domain and (default is None or default in found):
            yield found


def _summands(value: Value) -> Iterator[Value]:
    """What is added up in a divisor or under a root, or is the least that it can be."""
    queue = [value]
    for part in queue:
        if part.op in ("add", "max"):
            yield from (a for a in part.args if not a.args)
        if part.op in ("add", "max", "sqrt") and len(queue) < MAX_PARTS:
            queue.extend(part.args)
