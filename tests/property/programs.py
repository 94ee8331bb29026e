"""Random programs of the language: well-typed, mostly tame, sometimes odd.

Tame means that values stay of the order of 1 whatever they meet, so that the error bounds mean
something: what is divided by is `abs(x) + c`, what is kept decays or is clipped. One in a few
forms is as bare as the language allows. Simple forms come first: Hypothesis shrinks towards them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from optdsl.diagnostics import Diagnostics, Source
from optdsl.syntax.formatter import format_file
from optdsl.syntax.parser import parse

FIXED, STEP, VARIABLE, ELEMENT = range(4)
Draw = st.DrawFn

LITERALS = ("1", "2", "0.5", "0.1", "3", "0.25", "1e-3", "0.9", "pi")
UNARY = (
    "-{0}", "{0}^2", "abs({0})", "sqrt(abs({0}))", "sign({0})", "tanh({0})", "exp(-abs({0}))",
    "sigmoid({0})", "log1p(abs({0}))", "log(1 + abs({0}))", "expm1(tanh({0}))", "cbrt({0})",
    "floor({0})", "ceil({0})", "round({0})", "{0}^3", "abs({0})^1.5", "1/(abs({0}) + 0.1)",
    "(abs({0}) + 0.5)^-0.5",
)  # fmt: skip
BINARY = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / (abs({1}) + 0.5)", "min({0}, {1})",
    "max({0}, {1})", "atan2({0}, {1})", "{0} % (abs({1}) + 0.5)", "(abs({0}) + 0.5)^tanh({1})",
    "clip({0}, -1, abs({1}))", "min({0}, 0.5, {1})", "max({0}, -0.5, {1}, -2)",
)  # fmt: skip
ODD = (
    "{0} / {1}", "sqrt({0})", "log({0})", "exp({0})", "{0}^{1}", "{0} % {1}", "log1p({0})",
    "1e30*{0}", "1e-30*{0}", "{0} / sqrt({1})", "{0}^-1",
)  # fmt: skip
ALONG = ("sum", "mean", "norm", "rms", "amax", "amin")
REDUCTIONS = (
    "sum({0})", "mean({0})", "norm({0})", "rms({0})", "amax({0})", "amin({0})", "dot({0}, {1})",
    "size({0})", "rank(w)",
)  # fmt: skip
#: The second name of a pair is one that some target keeps for itself; it is public under another.
SLOTS = (("m", ""), ("v", ""), ("u", ""), ("lambda", " as memory"), ("np", " as tf_memory"))
#: So has the compiler: it calls parts of long lines `part_1`, and numbers of the step.
LETS = ("a", "part_1", "c", "coefficient_1", "self", "grad", "var", "dtype", "e")


@dataclass(frozen=True)
class Scope:
    """What may be used at a place: numbers by level, truth values, and what may be assigned."""

    numbers: dict[str, int]
    truths: dict[str, int]
    kept: dict[str, int]
    lets: dict[str, int] = field(default_factory=dict)
    hidden: tuple[tuple[str, str, int], ...] = ()
    context: int = FIXED
    in_branch: bool = False
    reduces: bool = True
    totals: list[int] = field(default_factory=list)  # how many there still may be
    is_matrix: bool = False

    def under(self, condition: str, level: int) -> Scope:
        """Behind a condition: the states that it brings into being are there."""
        new = {name: at for name, needs, at in self.hidden if needs == condition}
        return replace(
            self,
            numbers={**self.numbers, **new},
            kept={**self.kept, **new},
            lets=dict(self.lets),
            context=max(self.context, level),
            in_branch=True,
        )


def pick(draw: Draw, *choices: str) -> str:
    return draw(st.sampled_from(choices))


def number(draw: Draw, scope: Scope, level: int, depth: int = 2) -> str:
    """An expression of at most this level, in parentheses where they may be needed."""
    kinds = ["leaf"] if depth == 0 else ["binary", "leaf", "unary", "unary", "where", "odd", "call"]
    if depth and level >= VARIABLE and scope.reduces:
        kinds.append("reduction")
    if depth and level >= STEP and scope.context <= STEP and scope.reduces and sum(scope.totals):
        kinds.append("total")
    if depth and level == ELEMENT and scope.is_matrix:
        kinds.append("along")
    kind = pick(draw, *kinds)
    if kind == "total":
        return _total(draw, scope)
    if kind == "along":
        axes = pick(draw, "0", "1", "-1", "[0, 1]")
        return f"{pick(draw, *ALONG)}({_element(draw, scope)}, axis={axes})"
    if kind == "odd" and draw(st.integers(0, 3)):
        kind = "binary"
    if kind == "leaf":
        return _leaf(draw, scope, level)
    if kind == "where":
        c = truth(draw, scope, level, depth - 1)
        return (
            f"where({c}, {number(draw, scope, level, depth - 1)}, {number(draw, scope, level, 0)})"
        )
    if kind == "call":
        args = (number(draw, scope, level, 0) for _ in range(2))
        return f"mix({', '.join(args)})"
    inner = ELEMENT if kind == "reduction" else level
    forms = {"binary": BINARY, "unary": UNARY, "odd": ODD, "reduction": REDUCTIONS}[kind]
    first = _element(draw, scope) if kind == "reduction" else number(draw, scope, inner, depth - 1)
    second = number(draw, scope, inner, 0)
    return f"({pick(draw, *forms).format(f'({first})', f'({second})')})"


def _total(draw: Draw, scope: Scope) -> str:
    """Tamed, for it grows with the number of variables."""
    scope.totals[0] -= 1
    return f"tanh(total({pick(draw, 'mean', 'rms', 'amax')}({_element(draw, scope)})))"


def _leaf(draw: Draw, scope: Scope, level: int) -> str:
    """A name more often than a literal, and of a high level more often than of a low one."""
    names = {name: at for name, at in {**scope.numbers, **scope.lets}.items() if at <= level}
    highest = [name for name, at in names.items() if at == max(names.values())]
    return pick(draw, *draw(st.sampled_from([highest, highest, list(names), LITERALS])))


def _element(draw: Draw, scope: Scope) -> str:
    """What a reduction is taken of is of the level element in every case."""
    return f"{pick(draw, 'g', 'w')} + {number(draw, scope, ELEMENT, 1)}"


def truth(draw: Draw, scope: Scope, level: int, depth: int = 1) -> str:
    names = [name for name, at in scope.truths.items() if at <= level]
    kinds = [
        "compare",
        *(["name"] if names else []),
        *(["logic", "not", "finite"] if depth else []),
    ]
    kind = pick(draw, *kinds)
    if kind == "name":
        return pick(draw, *names)
    if kind == "compare":
        sides = (f"({number(draw, scope, level, 1 if depth else 0)})" for _ in range(2))
        return pick(draw, ">", "<", ">=", "<=", "==", "!=").join(sides)
    if kind == "finite":
        return f"isfinite({number(draw, scope, level, 1)})"
    if kind == "not":
        return f"(not ({truth(draw, scope, level, 0)}))"
    sides = (f"({truth(draw, scope, level, 0)})" for _ in range(2))
    return f"({pick(draw, ' and ', ' or ').join(sides)})"


def block(draw: Draw, scope: Scope, depth: int, indent: str = "    ") -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 5 if depth > 1 else 2))):
        kind = pick(draw, "assign", "let", *(("if", "every") if depth else ()), "again")
        if kind == "let" and len(scope.lets) < len(LETS) and not scope.in_branch:
            lines.append(indent + _let(draw, scope))
        elif kind == "if":
            lines += _if(draw, scope, depth, indent)
        elif kind == "every" and scope.context <= STEP:
            lines.append(f"{indent}every {pick(draw, '2', 'k')} {{")
            lines += [*block(draw, scope.under("", STEP), depth - 1, indent + "  "), indent + "}"]
        elif kind == "again" and scope.lets:
            lines.append(indent + _again(draw, scope))
        else:
            lines.append(indent + _assign(draw, scope))
    return lines


def _let(draw: Draw, scope: Scope) -> str:
    name, level = LETS[len(scope.lets)], draw(st.sampled_from([ELEMENT, STEP, VARIABLE, FIXED]))
    line = f"let {name} = {number(draw, scope, level)}"
    scope.lets[name] = level
    return line


def _again(draw: Draw, scope: Scope) -> str:
    """Another value for a let, of no higher level than it has."""
    name = pick(draw, *scope.lets)
    level = scope.lets[name]
    if level < scope.context:
        return _assign(draw, scope)
    return f"{name} {pick(draw, '=', '+=', '*=', '-=')} {number(draw, scope, level)}"


def _assign(draw: Draw, scope: Scope) -> str:
    allowed = [n for n, at in scope.kept.items() if at != STEP or scope.context <= STEP]
    name = pick(draw, *allowed)
    value = number(draw, scope, scope.kept[name])
    forms = (
        "{n} = 0.9*{n} + 0.1*({v})",
        "{n} -= 0.1*({v})",
        "{n} += tanh({v})",
        "{n} *= tanh({v})",
    )
    odd = ("{n} = {v}", "{n} /= 1 + abs({v})", "{n} = clip({v}, -3, 3)", "{n} = 0")
    return pick(draw, *forms, *odd).format(n=name, v=value)


def _if(draw: Draw, scope: Scope, depth: int, indent: str) -> list[str]:
    level = draw(st.sampled_from([FIXED, STEP, VARIABLE]))
    fixed = sorted({needs for _, needs, _ in scope.hidden} | {"on", "k > 2", "uses(mu)"})
    condition = pick(draw, *fixed) if level == FIXED else truth(draw, scope, level)
    if condition in fixed:
        level = FIXED
    matrix = level == VARIABLE and draw(st.booleans())
    if matrix:
        condition = "rank(w) == 2"
    lines = [f"{indent}if {condition} {{"]
    inside = replace(scope.under(condition, level), is_matrix=matrix)
    lines += block(draw, inside, depth - 1, indent + "  ")
    if draw(st.booleans()):
        lines.append(f"{indent}}} else {{")
        lines += block(draw, scope.under("", level), depth - 1, indent + "  ")
    return [*lines, indent + "}"]


HYPERS = """\
  hyper lr = 0.1 as learning_rate in [0, inf)
  hyper beta = 0.9 in [0, 1)
  hyper mu = 0 as momentum in [0, 1]
  const k: int = 3 as period in [1, inf)
  const scale = k/2
  flag on = false as switched_on
"""
TARGETS = """\
  for tf1 {
    class RandomOptimizer
    lr = 0.05
    beta as beta1
  }
  for keras_v2 {
    on = true
    beta as beta_1
  }
"""
CONDITIONS = ("", "", " if on", " if uses(mu)", " if k > 2")


@st.composite
def programs(draw: Draw) -> str:
    """A spec, as the formatter prints it."""
    levels = {"lr": STEP, "beta": STEP, "mu": STEP, "t": STEP, "k": FIXED, "scale": FIXED}
    kept, hidden = {"w": ELEMENT, "g": ELEMENT}, []
    lines = []
    for name, public, level, declaration, condition in _states(draw):
        lines.append(f"  {declaration.format(name + public)}{condition}")
        if condition:
            hidden.append((name, condition.removeprefix(" if "), level))
        else:
            kept[name] = level
    truths = {"on": FIXED, "uses(mu)": FIXED}
    policies, reduces = draw(st.sampled_from(POLICIES)), True
    numbers = {**levels, **kept}
    if "hybrid" in policies:
        # What reads w between two assignments would have to see other rows at rest; where a
        # reduction makes the gradient dense that is not supported.
        reduces = draw(st.booleans())
        kept = {name: level for name, level in kept.items() if name != "w" or not reduces}
    scope = Scope(numbers, truths, kept, hidden=tuple(hidden), reduces=reduces, totals=[2])
    stages = [*block(draw, scope, 2), f"    w -= lr*({number(draw, scope, ELEMENT)})"]
    header = "  update {"
    if reduces and "hybrid" not in policies and not draw(st.integers(0, 3)):
        more = block(draw, replace(scope, in_branch=True), 1)
        stages += ["  }", "  stage second {", *more, f"    w -= lr*({_element(draw, scope)})"]
        header = "  stage first {"
    parts = [HYPERS, "\n".join(lines), policies, draw(st.sampled_from(["", TARGETS]))]
    text = "\n".join(["def mix(x, y) = 0.5*x - y/4", "optimizer Random {", *parts, header])
    return formatted("\n".join([text, *stages, "  }", "}", ""]))


#: Around anything; names, public ones too, are those of the programs.
WRAPPERS = """
wrapper Mean "Every few steps" {
  const k: int = 2 as steps in [1, inf)
  slot m
  update {
    m += g
    every k {
      g = m/k
      inner
      m = 0
    }
  }
}
wrapper Slow "Pulled back" {
  hyper lr = 0.5 as learning_rate in [0, 1]
  const k: int = 3 as period in [1, inf)
  slot v as memory = w
  update {
    inner
    every k {
      v += lr*(w - v)
      w = v
    }
  }
}
wrapper Scaled "By a total" {
  hyper mu = 0.5 as momentum in (0, 1]
  shared p = 1
  update {
    let a = sqrt(total(sum(g^2)))
    p = 0.5*p + 0.5*tanh(a)
    g *= mu/max(a, mu)
    inner
  }
}
wrapper Unless "On a condition of the step" {
  update { if t % 3 != 2 { inner } else { w *= 0.99 } }
}
wrapper Ahead "With a stage of its own" {
  hyper lr = 0.1 as learning_rate in [0, inf)
  stage first {
    let a = w
    w -= lr*tanh(g)
  }
  stage second {
    w = a
    inner
  }
}
"""


@st.composite
def compositions(draw: Draw) -> str:
    """A random program in one or two wrappers."""
    inner = draw(programs())
    names = ["Mean", "Slow", "Unless", "Scaled", "Ahead"]
    if "stage first" in inner:
        names = ["Slow", "Scaled"]
    if "sparse" in inner:  # parts of different policies do not go with reductions and stages
        inner = "\n".join(x for x in inner.split("\n") if not x.startswith("  sparse"))
    chain = [pick(draw, *names) for _ in range(draw(st.integers(1, 2)))]
    if chain[-1] == "Ahead" and chain[0] in ("Mean", "Unless"):
        chain.reverse()  # stages can only stand where every step comes by
    return formatted(f"{inner}{WRAPPERS}optimizer Composed = {' of '.join(chain)} of Random\n")


POLICIES = (
    "", "  sparse lazy", "  sparse hybrid", "  sparse lazy if on",
    "  sparse hybrid if uses(mu)\n  sparse lazy",
)  # fmt: skip


def _states(draw: Draw) -> list[tuple[str, str, int, str, str]]:
    """Name, public name, level, declaration and condition of each slot and shared."""
    found = []
    for name, public in SLOTS[: draw(st.integers(0, len(SLOTS)))]:
        initial = pick(draw, "", " = 0.1", " = w", " = k/10", " = w/(1 + norm(w))", " = 1")
        found.append((name, public, ELEMENT, "slot {}" + initial, pick(draw, *CONDITIONS)))
    if draw(st.booleans()):
        initial = pick(draw, "", " = 1", " = norm(w)", " = k", " = size(w)")
        found.append(("n", "", VARIABLE, "slot {}: scalar" + initial, pick(draw, *CONDITIONS)))
    if draw(st.booleans()):
        found.append(("p", "", STEP, "shared {} = " + pick(draw, "1", "0.5", "k/4"), ""))
    return found


def formatted(text: str) -> str:
    """The same spec with as few parentheses as it needs."""
    diagnostics = Diagnostics()
    file = parse(Source("random.opt", text), diagnostics)
    assert file is not None and not diagnostics.has_errors, text
    return format_file(file)
