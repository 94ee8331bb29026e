"""Which kernels compute the rule of a program: looked for in every case of its fixed conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations

from optdsl.ir import fixed
from optdsl.ir.build import op, refs, rewrite
from optdsl.ir.nodes import Branch, Define, Expr, Fused, Literal_, Op, Program, Ref, Rule, Value
from optdsl.ir.normal import Sum, Unknown, atom, constant, expression
from optdsl.ir.passes.hoist import Hoister
from optdsl.ir.passes.prune import prune_rule
from optdsl.ir.signs import Premises
from optdsl.ir.simplify import simplify
from optdsl.kernels import LINEAR, Kernel, kernels_with
from optdsl.kernels.match import Normaliser, match
from optdsl.semantics.level import Level
from optdsl.semantics.limits import MAX_FIXED_CONDITIONS


@dataclass(frozen=True)
class _Found:
    """A kernel that computes the rule in some case, and the numbers that it needs for that."""

    kernel: Kernel
    states: tuple[tuple[str, str], ...]
    attributes: tuple[tuple[str, bool], ...]
    numbers: tuple[tuple[str, Expr], ...]
    premises: Premises


def with_kernels(program: Program, *, hypers_are_known: bool = True) -> Program:
    """The program with the kernels that compute its rule; the step defines their numbers.

    The first one whose conditions hold is the one. There are none for a rule of several stages, nor
    where slots start as something made of the variable; and none that need a hyperparameter above
    0, where hyperparameters are not known.
    """
    atoms = tuple(dict.fromkeys([*fixed.block_atoms(program.rule.body), *_zeros(program)]))
    starts = any(s.initial.level > Level.FIXED for s in program.slots)
    if len(program.gradients) > 1 or starts or len(atoms) > MAX_FIXED_CONDITIONS:
        return program
    cases = fixed.cases(atoms)
    found = [(case, x) for case in cases if (x := _search(program, case)) is not None]
    found.sort(key=lambda x: x[1].kernel.name != LINEAR)  # its condition has to hold by itself
    hoister, fused = Hoister(program), []
    for kernel in dict.fromkeys(x for _, x in found):
        if not (hypers_are_known or all(v.role == "const" for v in kernel.premises)):
            continue
        own = [c for c, x in found if x == kernel]
        fused.append(_fused(kernel, fixed.condition_of(atoms, own, cases), hoister))
        if not kernel.premises:  # those that come after it are not asked about these cases
            cases = [c for c in cases if c not in own]
    return replace(program, kernels=tuple(fused), step=(*program.step, *hoister.added))


def _zeros(program: Program) -> Iterator[Expr]:
    """Whether consts are 0 that the step reads, and that are 0 by default."""
    read = {v for s in program.step if isinstance(s, Define) for v in refs(s.expr)}
    for const in program.consts:
        value = Value(const.name, 0, Level.FIXED, "const")
        if const.default_value == 0 and value in read | {*program.rule.coefficients}:
            yield op("eq", Ref(value), Literal_(0))


def _fused(found: _Found, condition: Expr | bool, hoister: Hoister) -> Fused:
    """The call of a kernel. What is premised of consts is a condition, too."""
    consts = [v for v in found.premises if v.role == "const"]
    whole = None if isinstance(condition, bool) else rewrite(condition, _unequal)
    for const in sorted(consts, key=lambda v: v.name):
        above = op("gt", Ref(const), Literal_(0))
        whole = above if whole is None else op("and", whole, above)
    given = {c.name: float(c.default_value) for c in found.kernel.program.consts}
    numbers = {arg: _number(expr, hoister) for arg, expr in found.numbers}
    return Fused(
        kernel=found.kernel.name,
        gradient=found.kernel.gradient,
        states=found.states,
        numbers=(*given.items(), *numbers.items(), *found.attributes),
        condition=whole,
        positive=tuple(sorted(found.premises - {*consts}, key=lambda v: v.name)),
    )


def _unequal(expr: Expr) -> Expr:
    match expr:
        case Op(op="not", args=(Op(op="eq", args=args),)):
            return op("ne", *args)
    return expr


def _number(expr: Expr, hoister: Hoister) -> Value | float:
    return float(expr.value) if isinstance(expr, Literal_) else hoister.coefficient(expr)


def _special(rule: Rule, case: fixed.Case) -> Rule:
    return prune_rule(simplify(replace(rule, body=fixed.specialise(rule.body, case)), {}))


def _search(program: Program, case: fixed.Case) -> _Found | None:
    """The first kernel that computes the rule in one case."""
    rule = _special(program.rule, case)
    if any(isinstance(s, Branch) for s in rule.body):
        return None
    zeros = {v.name: constant(0) for a in _zeros(program) if case[a] for v in refs(a)}
    states = {s.name: s.name for s in program.slots}
    normaliser = Normaliser(program, rule, case, states, zeros)
    normal = normaliser.normal()
    slots = [state for state in normal.new if state != "w"]
    for kernel in kernels_with(len(slots)):
        unknowns = [h.name for h in kernel.program.hypers]
        for order in permutations(slots):
            names = [s.name for s in kernel.program.slots]
            states = dict(zip(names, order, strict=True))
            for attributes, new in _forms(kernel, states):
                numbers = match(new, normal.new, unknowns)
                if numbers is not None:
                    return _Found(
                        kernel,
                        (("var", "w"), *states.items()),
                        attributes,
                        tuple((u, _named(numbers[u], program, normaliser)) for u in unknowns),
                        normal.premises,
                    )
    return None


def _forms(
    kernel: Kernel, states: Mapping[str, str]
) -> Iterator[tuple[tuple[tuple[str, bool], ...], Mapping[str, Sum]]]:
    """What a kernel computes with each choice of its attributes, in terms of a rule's `states`."""
    program = kernel.program
    known = {c.name: constant(c.default_value) for c in program.consts}
    known |= {h.name: atom(Unknown(h.name)) for h in program.hypers}
    atoms = tuple(dict.fromkeys(fixed.block_atoms(program.rule.body)))
    for case in fixed.cases(atoms):
        rule = _special(program.rule, case)
        attributes = tuple((a.value.name, x) for a, x in case.items() if isinstance(a, Ref))
        yield attributes, Normaliser(program, rule, case, states, known).normal().new


def _named(number: Sum, program: Program, normaliser: Normaliser) -> Expr:
    """A number by the name that the step has for it, if there is one."""
    if number.number is not None:
        return Literal_(float(number.number))
    defined = (s.value for s in program.step if isinstance(s, Define))
    for value in (*program.rule.coefficients, *defined):
        if not value.is_bool and normaliser.of(Ref(value)) == number:
            return Ref(value)
    return expression(number)
