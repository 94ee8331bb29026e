"""Warnings about numbers: what brings them about, what does not, and that they miss nothing."""

import math
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optdsl.diagnostics import Diagnostic, Diagnostics, Source
from optdsl.semantics import model
from optdsl.semantics.abstract import Step, any_step
from optdsl.semantics.constants import EVALUATE
from optdsl.semantics.facts import Facts
from optdsl.semantics.intervals import Range
from optdsl.semantics.resolve import resolve
from optdsl.semantics.values import Value
from optdsl.syntax.parser import parse
from tests.property.programs import programs

SPECS = sorted((Path(__file__).resolve().parents[2] / "specs").glob("*.opt"))


def resolved(text: str) -> tuple[tuple[model.Optimizer, ...], tuple[Diagnostic, ...]]:
    diagnostics = Diagnostics()
    file = parse(Source("a.opt", text), diagnostics)
    found = resolve(file, diagnostics) if file else ()
    assert not diagnostics.has_errors, [d.message for d in diagnostics.all]
    return found, tuple(d for d in diagnostics.all if d.code[:2] == "W4")


def spec(text: str) -> str:
    """Declarations, `---`, and the lines of the update."""
    declarations, _, update = text.rpartition("---")
    return f"optimizer A {{\n{declarations}\nupdate {{\n{update}\n}}\n}}\n"


def warned(text: str) -> list[str]:
    """Each warning as `CODE: the part of the text that it is about`."""
    found = ((d.code, d.span.text) for d in resolved(spec(text))[1])
    return [f"{code}: {part[1:-1] if part[0] == '(' else part}" for code, part in found]


HYPERS = """
hyper b in [0, 1)
hyper c in [0, 1]
hyper eps in (0, inf)
hyper zero in [0, inf)
hyper low in [-5, 0]
hyper mu
const k: int = 6 in [1, inf)
const n = 2
flag f = false
"""


@pytest.mark.parametrize(
    "update",
    [
        # what lies between the ends of the domains
        "w -= g/(1 - b^t)",
        "w -= g/sqrt(1 - b^t)",
        "w -= g/(2 - b)",
        "w -= g/(zero + eps)",
        "w -= g/k + t % k",
        "w -= g/size(w)",
        "w -= g*log(eps)*log1p(zero)*log(t)",
        "w -= g/exp(-g^2) + g/(1 - tanh(zero)) + 1/sigmoid(g)",
        "w -= g*(-2)^t + g*(-8)^k",
        # squares, however they are written
        "w -= g/(sqrt(g*g) + eps)",
        "w -= g/(sqrt((1-b)*g*g) + eps)",
        "let s = g\nw -= g/(sqrt(s*g) + eps)",
        "w -= g/(sqrt(sum(g^2)) + eps) + g/sqrt(dot(g, g) + eps)",
        "w -= g/(abs(g) + eps) + g/max(norm(g), eps) + g/max(abs(g), 1e-12)",
        "w -= sqrt(max(g, 0)) + sqrt(clip(g, 0, 1)) + abs(g)^0.5 + g^(4/2) + g^k",
        # differences of what is ordered
        "w -= sqrt(max(g, w) - g) + sqrt(w - min(g, w)) + sqrt(abs(g) - g) + sqrt(g - g)",
        "w -= sqrt(g^2 - b*g^2)",
        # what is guarded
        "w -= where(g > 0, sqrt(g) + 1/g, 0)",
        "w -= where(g == 0, 0, w/g)",
        "w -= where(g != 0, w/g, 0)",
        "w -= where(not g <= 0, log(g), 0)",
        "w -= where(norm(g) > 0 and norm(w) > 0, g*norm(w)/norm(g), g)",
        "w -= where(norm(g) == 0 or norm(w) == 0, g, g*norm(w)/norm(g))",
        "let n1 = norm(g)\nif n1 > 0 {\nw -= g/n1\n}",
        "let n1 = norm(g)\nif norm(g) > 0 {\nw -= g/n1\n}",
        "let some = norm(g) > 0\nif some {\nw -= g/norm(g)\n}",
        "if sum(g) < sum(w) {\nw -= g*sqrt(sum(w) - sum(g))\n}",
        "if sum(g) < sum(w) {\nw -= g/(sum(w) - sum(g)) + g/(sum(g) - sum(w))\n}",
        "if sum(g) >= sum(w) {\nw -= g\n} else {\nw -= g/(sum(g) - sum(w))\n}",
        "w -= where(g != w, 1/(g - w) + 1/(w - g), 0)",
        "w -= where(min(g, w) > 0, 1/g + 1/w, 0) + where(max(g, w) < 0, 1/g + 1/w, 0)",
        "w -= where(g + 1 > 1, 1/g, 0) + where(2 - g < 2, 1/g, 0) + where(-g > 0, 1/g, 0)",
        "w -= where(g/(w^2 + 1) != 0, 1/g, 0) + where(g^3 != 0, 1/g, 0)",
        "w -= where(zero >= 0, g, g/zero) + where(zero < 0, g/zero, 0)",
        "w -= where(low <= 0, 1, 1/g) + where(eps > 0, 1, 1/g)",
        "if t != 1 {\nw -= g/(t-1)\n}",
        "if t == 1 {\nw -= g\n} else {\nw -= g/log(t)\n}",
        "if t > 2 {\nw -= g/(t-2)\n}",
        "w -= where(abs(g) > eps, w/g, 0) + where(g*w != 0, 1/g, 0)",
        "if 0 < sum(g) {\nw -= g/sum(g)\n}",
        "if n > 0 and 1/n < 3 {\nw -= g/n\n}",
        "if uses(mu) {\nw -= g\n} else {\nw -= g/(mu + 1)\n}",
        # what is chosen by the same condition
        "let d = g\nif f {\nd = g^2 + eps\n}\nif f {\nw -= g/d\n}",
        "let d = where(f, g^2 + 1, g)\nw -= where(f, 1/d, d)",
        "let d = 1\nif uses(mu) {\nd = mu\n} else {\nw -= g/d\n}\nw -= g*d",
    ],
)
def test_nothing_is_wrong(update: str) -> None:
    assert warned(f"{HYPERS}---{update}") == []


@pytest.mark.parametrize(
    ("update", "found"),
    [
        ("w -= g/zero", "W401: zero"),
        ("w -= g/(1 - c^t)", "W401: 1 - c^t"),
        ("w -= g/mu", "W401: mu"),
        ("w -= g/n", "W401: n"),
        ("w -= g % w", "W401: w"),
        ("w /= g", "W401: g"),
        ("w -= g/norm(g)", "W401: norm(g)"),
        ("w -= g/(t-1)", "W401: t-1"),
        ("w -= g/(k-1)", "W401: k-1"),
        ("w -= g^-1", "W401: g"),
        ("w -= zero^mu", "W401: zero"),
        ("w -= g/(abs(g) + zero)", "W401: abs(g) + zero"),
        ("w -= g/(g^2 - w*g)", "W401: g^2 - w*g"),
        ("w -= where(w > 0, 1/g, 0)", "W401: g"),
        ("w -= where(g >= 0, 1/g, 0)", "W401: g"),
        ("w -= where(g > 0, 0, 1/g)", "W401: g"),
        ("w -= where(g != 0, w/sum(g), 0)", "W401: sum(g)"),
        ("w -= where(g^(t-1) != 0, 1/g, 0)", "W401: g"),
        ("w -= where(g + w != 0, 1/g, 0)", "W401: g"),
        ("w -= where(max(g, w) > 0, 1/g, 0)", "W401: g"),
        ("w -= where(w/g > 0, 1, 0)*where(w/(g^2 + 1) > 0, 1/g, 0)", "W401: g"),
        ("w -= where(zero > 0, g, g/zero)", "W401: zero"),
        ("w -= where(zero <= 0, g/zero, 0)", "W401: zero"),
        ("w -= where(low < 0, g, g/low)", "W401: low"),
        ("w -= where(g > 0, w/sum(g), 0)", "W401: sum(g)"),
        ("w -= where(g != 1, 1/g, 0)", "W401: g"),
        ("if f {\nw -= g/zero\n}", "W401: zero"),
        ("if uses(mu) {\nw -= g/mu\n}", "W401: mu"),
        ("let d = g\nif f {\nd = 1\n}\nw -= g/d", "W401: d"),
        ("let d = g\nif f {\nd = 1\n}\nif not f {\nw -= g/d\n}", "W401: d"),
        ("w -= sqrt(g)", "W402: g"),
        ("w -= g^0.5", "W402: g"),
        ("w -= g^eps", "W402: g"),
        ("w -= sqrt(g*w)", "W402: g*w"),
        ("w -= sqrt(g^2 - mu*g^2)", "W402: g^2 - mu*g^2"),
        ("w -= sqrt(abs(g) + low*abs(g))", "W402: abs(g) + low*abs(g)"),
        ("w -= sqrt(g - b*g)", "W402: g - b*g"),
        ("w -= where(g > w, sqrt(g), 0)", "W402: g"),
        ("w -= log(g)", "W403: g"),
        ("w -= log(abs(g))", "W403: abs(g)"),
        ("w -= log(zero)", "W403: zero"),
        ("w -= log1p(g)", "W403: g"),
        ("w -= log1p(-zero)", "W403: -zero"),
    ],
)
def test_what_is_wrong(update: str, found: str) -> None:
    assert warned(f"{HYPERS}---{update}") == [found]


@pytest.mark.parametrize(
    ("declaration", "update"),
    [
        ("slot v", "v = b*v + (1-b)*g^2\nw -= g/(sqrt(v) + eps)"),
        ("slot v", "v = b*v + (1-b)*g*g\nw -= g/(sqrt(v/(1 - b^t)) + eps)"),
        ("slot v", "v += (1-b)*(g^2 - v)\nw -= g/(sqrt(v) + eps)"),
        ("slot v", "v -= (v - g*g)*(1-b)\nw -= g/(sqrt(v) + eps)"),
        ("slot v = 1", "v += 0.5*(abs(g) + eps - v)\nw -= g/v"),
        ("slot v = 1e-6", "v -= (1-b)*sign(v - g^2)*g^2\nw -= g/(sqrt(v) + eps)"),
        ("slot v", "v = v - (1-b)*sign(v - g*g)*g*g\nw -= g/(sqrt(v) + eps)"),
        ("slot v", "let s = g^2\nv = v + (1-b)*sign(s - v)*s\nw -= g/(sqrt(v) + eps)"),
        ("slot u", "u = max(b*u, abs(g))\nw -= g/(u + eps)"),
        ("slot u", "u = max(b*u, abs(g) + eps)\nw -= g/u"),
        ("slot a = 0.1", "a += g^2\nw -= g/sqrt(a)"),
        ("slot a = size(w)", "a += g^2\nw -= g/sqrt(a)"),
        ("slot v, h", "v = b*v + (1-b)*g^2\nh = max(h, v)\nw -= g/(sqrt(h) + eps)"),
        ("slot v: scalar", "if t == 1 { v = sum(g^2) } else { v = b*v }\nw -= g/(sqrt(v) + eps)"),
        ("shared p = 1", "p *= b\nw -= g/(1 - p)"),
        ("shared p = 1", "p *= 0.5\nw -= g/p"),
        ("shared p = 0", "p = 0.9*p + 0.1\nw -= g/(2 - p)"),
        ("shared p = 0", "w -= g/(2.5 - p)\np = min(p + 0.1, 2)"),
        ("shared s = 0", "s += 1\nw -= g/s"),
        ("slot best = inf", "best = min(best, abs(g))\nw -= g*sqrt(best)"),
        ("slot h if f", "if f {\nh = max(h, g^2)\nw -= g/(sqrt(h) + eps)\n} else {\nw -= g\n}"),
    ],
)  # fmt: skip
def test_state_keeps_within_its_range(declaration: str, update: str) -> None:
    assert warned(f"hyper b in [0, 1)\nhyper eps in (0, inf)\nflag f = false\n"
                  f"{declaration}\n---{update}") == []  # fmt: skip


@pytest.mark.parametrize(
    ("declaration", "update", "found"),
    [
        ("slot v", "v = b*v + (1-b)*g^2\nw -= g/sqrt(v)", "W401: sqrt(v)"),
        ("slot v", "v = c*v + (1-c)*g\nw -= sqrt(v)", "W402: v"),
        ("slot v", "v = v - (1-c)*sign(g^2 - v)*g^2\nw -= sqrt(v)", "W402: v"),
        ("slot v = 1", "v -= 2*sign(v - g^2)*g^2\nw -= sqrt(v)", "W402: v"),
        ("slot v", "v += (1-b)*(v - g^2)\nw -= sqrt(v)", "W402: v"),
        ("slot v", "v -= (1-b)*(g^2 - v)\nw -= sqrt(v)", "W402: v"),
        ("slot v", "v += (2-b)*(g^2 - v)\nw -= sqrt(v)", "W402: v"),
        ("slot v = -1", "v += b*(g^2 - v)\nw -= sqrt(v)", "W402: v"),
        ("slot v = -1", "v = max(v, g^2 - 1)\nw -= sqrt(v)", "W402: v"),
        ("shared p = 1", "p *= c\nw -= g/p", "W401: p"),
        ("shared p = 1", "w -= g/(1 - p)\np *= b", "W401: 1 - p"),
        ("shared p = 1", "p -= 0.1\nw -= g/p", "W401: p"),
        ("slot p", "if t > 1 {\nw -= g/p\n}\np = g^2 + 1", "W401: p"),
        ("slot s, q, r", "w -= sqrt(s)\ns = q\nq = r\nr = g", "W402: s"),
    ],
)
def test_state_leaves_its_range(declaration: str, update: str, found: str) -> None:
    all_found = warned(f"hyper b in [0, 1)\nhyper c in [0, 1]\n{declaration}\n---{update}")
    assert [x for x in all_found if "W405" not in x] == [found]


def only_warning(text: str) -> Diagnostic:
    (found,) = resolved(spec(text))[1]
    return found


def test_the_message_names_the_range_and_the_mend() -> None:
    found = only_warning("hyper e in [0, inf)\nslot v\n---v += g^2\nw -= g/(sqrt(v) + e)")
    assert found.message == "the divisor can be 0: 'sqrt(v) + e' lies in [0, inf)"
    assert found.help == "give 'e' the domain (0, inf)"


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("hyper b = 0 in [0, 1]\n---w -= g/(1 - b^t)", "give 'b' the domain [0, 1)"),
        ("hyper b = 1 in [0, 1]\n---w -= g/(1 - b^t)", "add an epsilon, or guard it with where(…)"),
        ("const k: int = 6\n---w -= g/k", "give 'k' the domain [1, inf)"),
        ("hyper p\n---w -= g*sqrt(p)", "give 'p' the domain [0, inf)"),
        ("hyper p in [0, 1]\n---w -= g*log(p)", "give 'p' the domain (0, 1]"),
        ("---w -= g/w", "add an epsilon, or guard it with where(…)"),
    ],
)
def test_mends(text: str, mend: str) -> None:
    assert only_warning(text).help == mend


def test_one_cause_is_reported_once() -> None:
    assert warned("slot m\n---let d = sum(g)\nm = g/d\nw -= m/d + g/sum(g)") == ["W401: d"]


def test_long_expressions_are_not_quoted() -> None:
    text = " + ".join(["abs(g)"] * 20)
    assert only_warning(f"---w -= g/({text})").message == (
        "the divisor can be 0: it lies in [0, inf)"
    )


# -------------------------------------------------------------------------- epsilons and growth


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hyper e = 1e-8 in (0, inf)\n---w -= g/(abs(g) + e)", []),
        ("hyper e = 1e-40 in (0, inf)\n---w -= g/(abs(g) + e)", ["hyper e = 1e-40 in (0, inf)"]),
        ("hyper e = 1 in (0, inf)\nfor tf1 { e = 1e-50 }\n---w -= g/sqrt(g^2 + e)",
         ["hyper e = 1 in (0, inf)"]),
        ("---w -= g/max(abs(g), 1e-300)", ["max(abs(g), 1e-300)"]),
        ("hyper e = 1e-50 in (0, inf)\n---w -= g/(t + e)", []),
        ("hyper e = 1e-50\n---w -= g*e", []),
    ],
)  # fmt: skip
def test_epsilons(text: str, found: list[str]) -> None:
    assert warned(text) == [f"W404: {span}" for span in found]


@pytest.mark.parametrize(
    ("declaration", "update", "wrong"),
    [
        ("slot n: scalar", "n += 1\nw -= g/n", True),
        ("slot n: scalar", "if t > 3 { n = n + 2 }\nw -= g*n", True),
        ("slot n: scalar", "n = min(n + 1, 1000)\nw -= g*n", False),
        ("slot n: scalar", "n += 1\nif n > 9 { n = 0 }\nw -= g*n", False),
        ("slot n: scalar", "n += 0.5*n^2\nw -= g*n", False),
        ("shared n = 0", "n += 1\nw -= g/n", False),
        ("shared s = 1", "s *= 1.1\nw -= g*s", True),
        ("shared s = 1", "if t % 100 == 0 { s = 2*s }\nw -= g*s", True),
        ("slot m", "m = 2*m + g\nw -= m", True),
        ("slot m", "m = m/0.5 + m/2 - g\nw -= m", True),
        ("slot m", "m = big*m + g\nw -= m", True),
        ("slot m", "m = 0.9*m + g\nw -= m", False),
        ("slot m", "m = mu*m + g\nw -= m", False),
        ("slot m", "m = 2*m - m + g\nw -= m", False),
        ("slot m", "m = clip(2*m, -1, 1) + g\nw -= m", False),
        ("slot m, p", "m = 2*m - p\np = m\nw -= p", False),
        ("shared s = 0", "s *= 2\nw -= g*s", False),
        ("shared s = 1", "if t % 100 == 0 { s = 2*s } else { s = s/2 }\nw -= g*s", False),
        ("slot a = 0.1", "a += g^2\nw -= g/sqrt(a)", False),
    ],
)
def test_growth(declaration: str, update: str, wrong: bool) -> None:
    found = warned(f"hyper mu\nhyper big = 2 in (1, 3]\n{declaration}\n---{update}")
    assert found == ([f"W405: {declaration}"] if wrong else [])


# --------------------------------------------------------------- soundness: against concrete runs


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_the_library(path: Path) -> None:
    assert [d.message for d in resolved(path.read_text("utf-8"))[1]] == []


class Concrete:
    """Numbers for the symbols of a step, and what follows for its values.

    A variable is of one element. None is what is not defined, or lost in rounding.
    """

    def __init__(self, numbers: dict[str, float | bool]) -> None:
        self.numbers = numbers
        self.known: dict[Value, float | bool | None] = {}

    def of(self, value: Value) -> float | bool | None:
        if value not in self.known:
            self.known[value] = self._find(value)
        return self.known[value]

    def _find(self, value: Value) -> float | bool | None:
        if value.op == "symbol":
            return self.numbers[value.name]
        if value.op == "number":
            return value.range.point
        if value.op in ("true", "false"):
            return value.op == "true"
        if value.op == "uses":
            return self.of(value.args[0]) != 0
        args = [self.of(a) for a in value.args]
        if value.op == "where" and args[0] is not None:
            return args[1 if args[0] else 2]
        return None if None in args else self._apply(value.op, *args)

    def _apply(self, op: str, *args: float | bool) -> float | bool | None:
        one = {"sum": 0, "mean": 0, "amax": 0, "amin": 0, "norm": abs, "rms": abs, "size": 1.0}
        try:
            if op == "dot":
                found: float | bool = args[0] * args[1]
            elif op == "rank":
                found = 1.0
            elif op in one:
                how = one[op]
                found = how(args[0]) if callable(how) else (how or args[0])
            else:
                found = {**EVALUATE, "cbrt": math.cbrt}[op](*args)
        except (ArithmeticError, ValueError):
            return None
        tame = isinstance(found, bool) or found == 0 or 1e-30 < abs(found) < 1e30
        return found if tame and (found != 0 or self._exactly_0(op, args)) else None

    @staticmethod
    def _exactly_0(op: str, args: tuple[float | bool, ...]) -> bool:
        """Whether a result 0 comes from an operand, not from rounding."""
        return op in ("add", "sub", "mod", "floor", "ceil", "round") or 0 in args

    def hold(self, facts: Facts) -> bool:
        return all(self.of(c) is holds for c, holds in facts._truths.items())


def inside(x: float, found: Range) -> bool:
    slack = 1e-6 * abs(x) + 1e-9
    return x in found or (
        found.low[0] - slack <= x <= found.high[0] + slack and (x != 0 or 0 in found)
    )


NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, -3.0]), st.floats(-10, 10).map(lambda x: round(x, 3))
)


def arguments(draw: st.DrawFn, optimizer: model.Optimizer) -> dict[str, float | bool]:
    found: dict[str, float | bool] = {f.name: draw(st.booleans()) for f in optimizer.flags}
    for item in (*optimizer.hypers, *optimizer.consts):
        whole = isinstance(item, model.Const) and item.is_int
        values = [x for x in (0.0, 0.3, 0.9, 1.0, 2.0, 3.0, 5.0) if x in item.domain]
        found[item.name] = draw(st.sampled_from([x for x in values if not whole or x == int(x)]))
    return found


def check_run(draw: st.DrawFn, optimizer: model.Optimizer) -> None:
    """Some steps in plain numbers: nothing lies where the analysis says that it cannot."""
    step = any_step(optimizer)
    given = arguments(draw, optimizer)
    start = Concrete({**given, "w": draw(NUMBERS)})
    beginning = Step(optimizer, {})
    state = {s.name: start.of(beginning.value(s.initial, beginning.graph.nothing))
             for s in optimizer.state}  # fmt: skip
    for t in range(1, 4):
        if None in state.values():
            return
        numbers = {**given, **state, "w": draw(NUMBERS), "g": draw(NUMBERS), "t": float(t)}
        now = Concrete(numbers)  # type: ignore[arg-type]
        for site in step.sites:
            if now.hold(site.facts):
                for operand in site.operands:
                    check_value(now, operand, site.facts)
        for name, value in step.env.items():
            if name not in now.numbers and name not in ("pi", "inf"):
                check_value(now, value, step.graph.nothing)
        state = {name: now.of(step.env[name]) for name in state}


def check_value(now: Concrete, value: Value, facts: Facts) -> None:
    x = now.of(value)
    if isinstance(x, float):
        assert inside(x, facts.range(value)), (value.op, x, str(facts.range(value)))


def of_one_variable(text: str) -> bool:
    """Whether one number for each name is a step: no totals, lines along axes, or stages."""
    return not re.search(r"total\(|axis=|\bstage |^wrapper |\) of | of \w+$", text, re.MULTILINE)


@pytest.mark.long
@given(st.data(), programs().filter(of_one_variable))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_lies_outside_its_range(data: st.DataObject, text: str) -> None:
    (optimizer,), _ = resolved(text)
    check_run(data.draw, optimizer)


@given(st.data(), st.sampled_from([p for p in SPECS if of_one_variable(p.read_text("utf-8"))]))
@settings(max_examples=100, deadline=None)
def test_nothing_lies_outside_its_range_in_the_library(data: st.DataObject, path: Path) -> None:
    (optimizer,), _ = resolved(path.read_text("utf-8"))
    check_run(data.draw, optimizer)


# -------------------------------------------------------------------------------- bounded effort

LONG = {
    "a chain": "let a0 = g\n" + "".join(f"let a{i} = a{i-1}*a{i-1} + 1\n" for i in range(1, 1000))
    + "w -= g/a999",
    "a condition on a chain": "let a0 = g\n" + "".join(
        f"let a{i} = a{i-1} + 1\n" for i in range(1, 2000)
    ) + "w -= where(g > 0, g/a1999, 0)",
    "choices": "let a0 = g\n" + "".join(
        f"let a{i} = where(a{i-1} > {i}, a{i-1}/(g-{i}), a{i-1}+w)\n" for i in range(1, 300)
    ) + "w -= g/a299",
    "branches": "let d = sum(g)\n" + "".join(
        f"if d > {i} {{ d = d/(norm(w)-{i}) }} else {{ d += sum(w) }}\n" for i in range(300)
    ) + "w -= g/d",
    "a long condition": "let c0 = norm(w) > 0\n" + "".join(
        f"let c{i} = c{i-1} and norm(w) > {i}\n" for i in range(1, 300)
    ) + "if c299 { w -= g/norm(w) }",
    "signs": "let a0 = w\n" + "".join(
        f"let a{i} = a{i-1} - sign(a{i-1} - g)*sign(w-{i})*g\n" for i in range(1, 300)
    ) + "w -= g/sqrt(a299)",
    "products": "let a0 = g*w\n" + "".join(f"let a{i} = a{i-1}*a{i-1}*w\n" for i in range(1, 500))
    + "w -= g/a499",
}  # fmt: skip


@pytest.mark.parametrize("update", LONG.values(), ids=LONG)
def test_long_specs_take_bounded_time(update: str) -> None:
    start = time.process_time()
    resolved(spec(f"---{update}"))
    assert time.process_time() - start < 10


def test_state_that_grows_in_turns_takes_bounded_time() -> None:
    declarations = "".join(f"slot s{i} = {i}\n" for i in range(200))
    lines = "".join(f"s{i} = s{i + 1}*s{i + 1} + 0.5*s{i}\n" for i in range(199))
    start = time.process_time()
    assert warned(f"{declarations}---{lines}s199 = g\nw -= g/s0") == ["W401: s0"]
    assert time.process_time() - start < 10


def test_so_many_warnings_and_no_more() -> None:
    assert len(warned("---" + "".join(f"w -= g/(w - {i})\n" for i in range(80)))) == 50
