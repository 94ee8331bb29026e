import re
from textwrap import dedent

import pytest

from optdsl.diagnostics import Diagnostics, Source
from optdsl.explain import explain
from optdsl.semantics.resolve import resolve
from optdsl.syntax.parser import parse


def explained(declarations, update):
    text = (
        "optimizer Probe {\n" + dedent(declarations) + "\nupdate {\n" + dedent(update) + "\n}\n}\n"
    )
    diagnostics = Diagnostics()
    file = parse(Source("probe.opt", text), diagnostics)
    (optimizer,) = resolve(file, diagnostics)
    return explain(optimizer)


def squeezed(text):
    return re.sub(r" +", " ", text)


def test_momentum_as_a_whole():
    text = explained(
        """
        hyper lr = 0.1
        hyper mu = 0.9
        flag nesterov = false
        slot a
        """,
        """
        a = mu*a + g
        if nesterov {
          w -= lr*(g + mu*a)
        } else {
          w -= lr*a
        }
        """,
    )
    assert text == dedent(
        """\
        Probe

        Statements, and when each is computed
          a = mu*a + g          element   per element
          if nesterov           fixed     when the optimizer is constructed
            w -= lr*(g + mu*a)  element   per element
          else
            w -= lr*a           element   per element

        State
          4 bytes per parameter (8 for float64): a

        A sparse gradient: exact
          sweeps all rows of w, a, then writes the rows of the gradient
          or, in keras_v2, slots that decay do so when they are next used
          a row without a gradient:
            w  moves: with g = 0 it follows the branches of the rule
            a  decays: with g = 0 it is multiplied by mu

        A dense gradient in tf1 and keras_v2
          runs on the fused kernel ApplyMomentum if not nesterov
          else on the fused kernel ApplyMomentum
        """
    )


def test_a_rule_that_rests_without_a_gradient():
    text = explained("hyper lr = 0.1\nslot a = 0.1", "a += g^2\nw -= lr*g/sqrt(a)")
    assert "touches the rows of the gradient only: that is the dense result" in text
    assert "a  stays: with g = 0 its equation gives what it was" in text


def test_a_rule_that_reads_all_rows():
    text = explained("hyper lr = 0.1", "let n = norm(g)\nw -= lr*g/(n + 1)")
    assert "let n = norm(g) variable once per variable" in squeezed(text)
    assert "makes the gradient dense: the rule reads norm of all rows" in text


def test_policies_by_condition_and_slots_that_may_be_absent():
    text = squeezed(
        explained(
            """
            hyper lr = 0.1
            hyper mu = 0 in [0, 1)
            flag heavy = false
            slot a if uses(mu)
            slot b if heavy
            slot n: scalar
            shared p = 1
            sparse lazy if uses(mu)
            sparse hybrid
            """,
            """
            n += 1
            p *= 0.5
            if uses(mu) {
              a = mu*a + g
              w -= lr*a/n*p
            } else {
              w -= lr*g
            }
            if heavy {
              b = 0.5*b + g
              w -= lr*b
            }
            """,
        )
    )
    assert "A sparse gradient: lazy if uses(mu)\n gathers the rows" in text
    assert "A sparse gradient: hybrid otherwise\n sweeps all rows of b if heavy" in text
    assert "w stays: hybrid moves w on the rows of the gradient only" in text
    assert "b if heavy decays: with g = 0 it is multiplied by 0.5" in text
    assert "if not heavy" not in text
    assert "4 bytes per parameter (8 for float64): a if uses(mu)" in text
    assert "4 bytes per variable (8 for float64): n" in text
    assert "8 bytes for the whole optimizer: p" in text


def test_hybrid_without_a_slot_that_moves():
    text = explained("hyper lr = 0.1\nsparse hybrid", "w -= lr*(g + w)")
    assert "touches the rows of the gradient only: no slot moves elsewhere" in text


@pytest.mark.parametrize("rule", ["w -= lr*g", "w = -(lr^2)*g"])
def test_nothing_to_keep(rule):
    assert "State\n  none\n" in explained("hyper lr = 0.1", rule)


def test_what_stands_for_the_variable_at_evaluation():
    text = explained(
        "hyper b = 0.9 in [0, 1)\nflag on = false\nslot m\neval = m/(1 - b^t) if on",
        "m = b*m + w\nw -= g",
    )
    assert text.endswith("\nAt evaluation\n  if on {\n    w = m/(1 - b^t)\n  }\n")
