"""Each pass does its own job, seen in the printed program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from optdsl.ir.evaluation import at_evaluation
from optdsl.ir.nodes import Program
from optdsl.ir.passes.select import select
from optdsl.ir.sparse import sparse
from tests.ir.text import condition, text

Lower = Callable[..., Program]


def test_a_rule_reads_as_the_spec(lowered: Lower) -> None:
    found = text(lowered("m = b*m + (1-b)*g\nw -= lr*m"))
    assert found.rule.lines == ("m = b * m + one_minus_b * g", "w = w - lr * m")
    assert found.step == ()
    assert found.items == ('"b": b', '"one_minus_b": 1 - b', '"lr": lr')
    assert found.rule.coefficients == ("b", "one_minus_b", "lr")
    assert found.rule.results == {"w": "w", "m": "m"}


def test_literals_are_folded_in_double_precision(lowered: Lower) -> None:
    found = text(lowered("m = 1/3*g + 1*m\nw -= lr*m^1/1"))
    assert found.rule.lines == ("m = 0.3333333333333333 * g + m", "w = w - lr * m")


def test_a_number_under_a_branch_is_computed_on_both_sides(lowered: Lower) -> None:
    found = text(lowered("let a = lr\nif t > 5 { a = lr/t }\nm = g\nw -= a*m"))
    assert found.step == ("a_1 = lr", "a = lr / t", "a = where(t > 5, a, a_1)")
    assert found.items == ('"a": a',)


def test_a_shared_that_is_read_first_keeps_its_old_value(lowered: Lower) -> None:
    found = text(lowered("m = p*g\np = p*b\nw -= p*m", "shared p = 1"))
    (old, new) = found.rule.coefficients
    assert found.rule.lines == (f"m = {old} * g", f"w = w - {new} * m")
    assert found.step == (f"{new} = {old} * b",)
    assert found.shared_results == {"p": new}


def test_what_no_result_needs_is_gone(lowered: Lower) -> None:
    found = text(lowered("let x = lr*t\nlet y = g*x\nlet z = norm(g)\nm = g\nw -= m"))
    assert found.rule.lines == ("m = g", "w = w - m")
    assert found.step == ()


def test_the_same_number_is_computed_once(lowered: Lower) -> None:
    found = text(lowered("m = (1-b)*g + (1-b)*m\nw -= (1-b)*m"))
    assert (found.step, found.items) == ((), ('"one_minus_b": 1 - b',))


def test_a_number_that_others_are_made_of_has_a_line(lowered: Lower) -> None:
    found = text(lowered("let a = lr*(1-b)^2\nm = (1-b)*g\nw -= a*m"))
    assert found.step == ("one_minus_b = 1 - b", "a = lr * one_minus_b**2")
    assert found.items == ('"one_minus_b": one_minus_b', '"a": a')


def test_the_numbers_of_a_step_are_computed_once(lowered: Lower) -> None:
    update = "let a = lr/(1 - b^t)\nlet c = lr/(1 - b^t)\nm = g\np = p*b^t\nw -= a*m + c*g"
    found = text(lowered(update, "shared p = 1"))
    assert " ".join((*found.step, *found.items, *found.shared_results.values())).count("b**t") == 1


def test_what_the_spec_names_has_a_line(lowered: Lower) -> None:
    found = text(lowered("let a = lr/t\nw -= a*g"))
    assert (found.step, found.items) == (("a = lr / t",), ('"a": a',))


def test_a_number_that_is_too_long_for_the_dict_has_lines(lowered: Lower) -> None:
    long = "+".join(f"lr^{i}" for i in range(2, 30))
    found = text(lowered(f"w -= ({long})*g"))
    (item,) = found.items
    name = item.split(": ")[1]
    assert len(found.step) > 1 and found.step[-1].startswith(f"{name} = ")
    assert all(len(line) <= 100 for line in found.step)


def test_a_branch_on_a_flag_stays(lowered: Lower) -> None:
    found = text(lowered("m = g\nif f { m = g + m\nw -= lr*m } else if mu > 0 { w -= g }"))
    assert found.rule.lines == (
        "m = g",
        "if flag.f:",
        "    m = g + m",
        "    w = w - lr * m",
        "elif mu_above_zero:",
        "    w = w - g",
    )


def test_select_turns_branches_on_numbers_into_choices(lowered: Lower) -> None:
    program = select(lowered("m = g\nif norm(w) > 1 { m = 2*g }\nif f { m = m/2 }\nw -= lr*m"))
    assert text(program).rule.lines == (
        "m_1 = g",
        "m = 2 * g",
        "m = where(norm(w) > 1, m, m_1)",
        "if flag.f:",
        "    m = m / 2",
        "w = w - lr * m",
    )


def test_numbers_take_the_shape_of_the_variable_only_where_it_counts(lowered: Lower) -> None:
    found = text(lowered("let x = 2\nx = x*g\nm = 1\nw -= x + m*g + sum(m)"))
    assert "m = fill(1)" in found.rule.lines
    assert not any("fill(2)" in line and "*" in line for line in found.rule.lines)


@pytest.mark.parametrize(
    ("update", "swept", "densify"),
    [
        ("w -= lr*g\nm = m + g^2", {}, "False"),
        ("m = b*m + g\nw -= lr*m", {"w": "None", "m": "None"}, "False"),
        ("m += g^2\nw -= lr*g/sqrt(m)", {}, "False"),
        ("m = max(m, abs(g))\nw -= lr*g", {"m": "None"}, "False"),
        ("m = g\nw -= lr*sign(g)", {"m": "None"}, "False"),
        ("m += g\nw -= lr*m*norm(w)", {"w": "None"}, "True"),
        ("if f { m = b*m + g\nw -= m } else { w -= g }", {"w": "flag.f", "m": "flag.f"}, "False"),
        (
            "if uses(mu) and not f { m = mu*m + g }\nw -= g",
            {"m": "uses.mu and not flag.f"},
            "False",
        ),
        ("m = m + g\nif f { w -= g*norm(w) } else { w -= g }", {}, "flag.f"),
        ("m = (1-b)*(g - m) + m\nw -= g", {"m": "None"}, "False"),
        ("let d = g\nif f { d = d + m }\nm = m\nw -= d", {"w": "flag.f"}, "False"),
    ],
)
def test_untouched_rows(lowered: Lower, update: str, swept: dict[str, str], densify: str) -> None:
    (found,) = lowered(update).untouched
    moving = {state: condition(when) for state, when in found.swept}
    assert moving == swept
    assert condition(found.densify) == densify


def test_movements_name_the_factor(lowered: Lower) -> None:
    program = lowered("m = (1-b)*(g - m) + m\ns = b*s/2\nw -= g + 0*s", "slot s")
    movements = {m.state: m for m in program.untouched[0].movements}
    assert movements["w"].kind == "fixed"
    assert movements["m"].kind == "decay"
    assert movements["s"].kind == "decay"


def test_hybrid_leaves_w_where_it_is(lowered: Lower) -> None:
    (found,) = lowered("m = b*m + g\nw -= lr*m\nm = m + 0.1*w", "sparse hybrid").untouched
    assert [r.state for r in found.rule.results] == ["m"]
    printed = text(lowered("m = b*m + g\nw -= lr*m\nm = m + 0.1*w", "sparse hybrid"))
    ((_, rule),) = printed.untouched
    assert rule.lines == ("m = b * m", "m = m + 0.1 * w")


def test_a_state_that_becomes_a_number_at_zero_keeps_its_shape(lowered: Lower) -> None:
    ((_, rule),) = text(lowered("m = g + lr*2\nw -= m")).untouched
    assert "fill" in " ".join((*rule.lines, *rule.results.values()))


def test_a_policy_is_analysed_where_it_holds(lowered: Lower) -> None:
    update = "if uses(mu) { m = mu*m + g\nw -= lr*m } else { w -= lr*g }"
    (found,) = lowered(update, "sparse lazy if uses(mu)").untouched
    assert (found.policy, found.swept, found.rule.body) == ("exact", (), ())


def test_the_weights_for_evaluation_go_through_the_passes_alone(lowered: Lower) -> None:
    declarations = "shared p = 1\neval = m*1/(1 - b^t) + p"
    program = lowered("p = p/2\nm = b*m + (1-b)*w\nw -= lr*g", declarations)
    found = text(at_evaluation(program))
    assert found.rule.lines == ("w = m / one_minus_b_to_t + p",)
    assert found.rule.coefficients == ("one_minus_b_to_t", "p")
    assert found.items == ('"one_minus_b_to_t": 1 - b**t', '"p": p')
    assert not any("one_minus_b_to_t" in item for item in text(program).items)


def test_what_is_no_other_weight_for_evaluation_is_nothing(lowered: Lower) -> None:
    assert lowered("m = g\nw -= m").evaluation is None


@pytest.mark.parametrize(
    ("update", "declarations", "waits", "factors"),
    [
        ("m = b*m + g\nw -= lr*m", "sparse hybrid", "True", {"m": "b"}),
        ("m = b*m/2 + g\nw -= lr*m", "", "False", {}),  # w moves everywhere
        ("m = b*m + g\nw -= lr*m*g", "", "True", {"m": "b"}),
        ("m = b*m/2 + g\nw -= lr*m", "sparse hybrid", "True", {"m": "b_over_two"}),
        ("m = 0.9*m + g\nw -= lr*m", "sparse hybrid", "True", {"m": "n0_9"}),
        ("m = -m/4 + g\nw -= lr*m*g", "", "True", {"m": "n_0_25"}),
        ("m = b*m/2 + g\ns = max(s, m)\nw -= lr*s", "slot s\nsparse hybrid", "False", {}),
        ("m = b^t*m + g\nw -= lr*m", "sparse hybrid", "True", {"m": "b_to_t"}),
        ("m = b*m + g\nw -= lr*m/norm(g)", "sparse hybrid", "False", {}),
        ("m = norm(w)*m + g\nw -= lr*m", "sparse hybrid", "False", {}),
        ("m = b*m + g\nif f { m = m/2 }\nw -= lr*m", "sparse hybrid", "False", {}),
        ("m = b*m + g\nif f { s = b*s + g }\nw -= lr*m", "slot s if f\nsparse hybrid", "True",
         {"m": "b", "s": "b"}),
        ("m = b*m + g\ns = s + g\nif f { s = b*s }\nw -= lr*m", "slot s\nsparse hybrid", "flag.f",
         {"m": "b", "s": "b"}),
        ("if uses(mu) { m = mu*m + g\nw -= lr*m } else { s = b*s + g\nw -= g }",
         "slot s\nsparse hybrid if uses(mu)", "True", {"m": "mu"}),
        ("m = b*m + g\nw -= lr*m + 0*total(sum(g))", "sparse hybrid", "False", {}),
        ("m = b*m + g\nw -= lr*m", "eval = w + m\nsparse hybrid", "False", {}),
    ],
)  # fmt: skip
def test_rows_wait_where_slots_do_nothing_but_decay(
    lowered: Lower, update: str, declarations: str, waits: str, factors: dict[str, str]
) -> None:
    program = lowered(update, declarations)
    found = next(
        u for u in program.untouched if u.policy != "exact" or "hybrid" not in declarations
    )
    assert condition(found.waits) == waits
    assert text(program).decays[found.policy].results == factors
    assert found.sweeps is False


@pytest.mark.parametrize(
    ("update", "declarations", "sweeps", "factors"),
    [
        ("m = b*m + g\nw -= lr*m", "", "True", {"m": "b"}),
        ("m = b*m + g\ns = max(s, m)\nw -= lr*s", "slot s\nsparse hybrid", "True", {"m": "b"}),
        ("m = b*m + g\nif f { s = max(s, m) }\nw -= lr*m", "slot s if f", "True", {"m": "b"}),
        ("m = b*m + g\ns = lr*s + g\nw -= lr*s + m", "slot s", "True", {"m": "b", "s": "lr"}),
        ("m = b*m + g\nif f { m = m + w }\nw -= lr*m", "", "not flag.f", {"m": "b"}),
        ("m = b*m/2 + g\nw -= lr*m", "", "False", {}),  # a number that the step does not have
        ("m = 0.9*m + g\nw -= lr*m", "", "True", {"m": "n0_9"}),
        ("m = m + g\nw -= lr*m", "", "False", {}),  # nothing to do
        ("m = max(m, g)\nw -= lr*m", "", "False", {}),
        ("m = b*m + g\nw -= lr*m + 0*total(sum(g))", "", "False", {}),
    ],
)
def test_slots_wait_though_the_variable_moves(
    lowered: Lower, update: str, declarations: str, sweeps: str, factors: dict[str, str]
) -> None:
    (found,) = (program := lowered(update, declarations)).untouched
    assert (condition(found.waits), condition(found.sweeps)) == ("False", sweeps)
    assert text(program).decays[found.policy].results == factors


def test_all_rows_move_as_under_the_dense_rule(lowered: Lower) -> None:
    assert sparse(lowered("m = b*m + g\nw -= lr*m")).moves_all
    assert not sparse(lowered("m = m + g^2\nw -= lr*g/m")).moves_all  # only those of the gradient
    assert not sparse(lowered("m = b*m + g\nw -= lr*m", "sparse hybrid")).moves_all
    found = sparse(lowered("m = b*m + g\nw -= lr*m"))
    parts = tuple(replace(p, regions=("exact", "lazy")) for p in found.policies)
    assert not replace(found, policies=parts).moves_all


def test_what_is_there_twice_is_computed_once(lowered: Lower) -> None:
    branch = "if f { m = m + d } else { m = sqrt(m) }"
    update = f"let d = sqrt(m^2 + g)\nm = d/(m^2 + g)\n{branch}\nw -= m*g - m*g"
    assert text(lowered(update)).rule.lines == (
        "m_squared_plus_g = m**2 + g",
        "d = sqrt(m_squared_plus_g)",
        "m = d / m_squared_plus_g",
        "if flag.f:",
        "    m = m + d",
        "else:",
        "    m = sqrt(m)",
        "m_g = m * g",
        "w = w - (m_g - m_g)",
    )


@pytest.mark.parametrize(
    ("update", "lines"),
    [
        (
            "if f { m = g^2 } else { m = -g^2 }\nw -= m",
            ["m = g**2", "m = -g**2"],
        ),  # one of them runs
        ("if f { m = g^2 + sqrt(g^2) }\nw -= m", ["g_squared = g**2"]),
        ("if f { m = g^2 }\nw -= g^2", ["m = g**2", "w = w - g**2"]),  # the first may not run
        ("m = g^2\nif f { m = m*g^2 }\nw -= m", ["g_squared = g**2", "m = g_squared"]),
        ("m = g\nm = m^2 + g^2\nw -= m^2", ["m = m**2 + g**2", "w = w - m**2"]),  # another m
        ("if rank(w) > 1 { m = g }\nif rank(w) > 1 { w -= m }", ["if rank(w) > 1:"]),
    ],
)
def test_what_is_shared_is_what_happens_twice_on_one_way(
    lowered: Lower, update: str, lines: list[str]
) -> None:
    found = [line.strip() for line in text(lowered(update)).rule.lines]
    assert [line for line in lines if line not in found] == []


def test_policies_wait_together_or_not_at_all(lowered: Lower) -> None:
    """What is multiplied must not depend on which of them holds."""
    other = "slot s\nsparse hybrid if uses(mu)"
    update = "if uses(mu) { m = mu*m + g\nw -= lr*m } else { s = b*s + g\nw -= g/(1 + abs(s))*g }"
    program = lowered(update, other)
    assert [u.waits is not False for u in program.untouched] == [True, True]
    assert (sparse(program).waits, sparse(program).decaying) == (False, None)
    same = lowered("m = b*m + g\nif uses(mu) { w -= lr*m } else { w -= lr*m*g }", other)
    assert (sparse(same).waits, sparse(same).decaying) == (True, "hybrid")
