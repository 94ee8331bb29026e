"""Generated NumPy classes against the equations of a paper, where no library here has them.

Each form is written down from the paper on plain arrays, and shares nothing with the spec.
"""

import numpy as np
import pytest

from tests.peers.measure import TOLERANCE, difference

pytestmark = pytest.mark.long

LR = 2.0**-7


def ef_sign_sgd(w, g, state):
    """Karimireddy et al., Algorithm 1: p = gamma*g + e, x -= (|p|_1/d) sign(p), e = p - step."""
    p = LR * g + state.setdefault("e", np.zeros_like(w))
    step = np.sign(p) * np.abs(p).sum() / p.size
    state["e"] = p - step
    return w - step


def smorms3(w, g, state):
    """Funk's own code: mem starts at 1, g1 and g2 at 0."""
    mem, g1, g2 = state.setdefault("all", (np.ones_like(w), np.zeros_like(w), np.zeros_like(w)))
    r = 1 / (mem + 1)
    g1, g2 = (1 - r) * g1 + r * g, (1 - r) * g2 + r * g * g
    x = g1 * g1 / (g2 + 1e-16)
    state["all"] = 1 + mem * (1 - x), g1, g2
    return w - g * np.minimum(x, LR) / (np.sqrt(g2) + 1e-16)


def adamw_bert(w, g, state):
    """AdamWeightDecayOptimizer of the BERT code, with its defaults."""
    m, v = state.setdefault("all", (np.zeros_like(w), np.zeros_like(w)))
    m, v = 0.9 * m + (1 - 0.9) * g, 0.999 * v + (1 - 0.999) * np.square(g)
    state["all"] = m, v
    return w - LR * (m / (np.sqrt(v) + 1e-6) + 0.01 * w)


def adopt(w, g, state):
    """Taniguchi et al., Algorithm 2, where g_0 only starts v: the step of t is that paper's t - 1.

    The decay is that of the authors' code.
    """
    if "v" not in state:
        state.update(v=g * g, m=np.zeros_like(w), t=0)
        return w
    state["t"] += 1
    limit = state["t"] ** 0.25
    u = np.clip(g / np.maximum(np.sqrt(state["v"]), 1e-6), -limit, limit)
    state["m"] = 0.9 * state["m"] + (1 - 0.9) * u
    state["v"] = 0.9999 * state["v"] + (1 - 0.9999) * g * g
    return w - LR * 0.25 * w - LR * state["m"]


def focus(w, g, state):
    """The authors' code, but for the first step, in which the mean is w itself."""
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0.0) + (1 - 0.9) * g
    p = state["p"] = 0.999 * state.get("p", 0.0) + (1 - 0.999) * w
    mean = p / (1 - 0.999**t)
    pull = 0.1 * np.sign(w - mean) if t > 1 else 0.0
    return w - LR * (np.sign(m) + pull) - LR * 0.25 * mean


def kate(w, g, state):
    """The authors' code: b and m are squares, epsilon is added to b where it divides."""
    b = state["b"] = state.get("b", 0.0) + g * g
    m = state["m"] = state.get("m", 0.0) + 0.5 * g * g + g * g / (b + 2.0**-7)
    return w - LR * np.sqrt(m) * g / (b + 2.0**-7)


def laprop(w, g, state):
    """Ziyin, Wang & Ueda, Algorithm 1."""
    t = state["t"] = state.get("t", 0) + 1
    n = state["n"] = 0.999 * state.get("n", 0.0) + (1 - 0.999) * g * g
    u = g / (np.sqrt(n / (1 - 0.999**t)) + 2.0**-7)
    m = state["m"] = 0.9 * state.get("m", 0.0) + (1 - 0.9) * u
    return w - LR / (1 - 0.9**t) * m


def padam(w, g, state):
    """The authors' code with its amsgrad, power 1/4 of v and epsilon 1e-8."""
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = 0.9 * state.get("m", 0.0) + (1 - 0.9) * g
    v = state["v"] = 0.999 * state.get("v", 0.0) + (1 - 0.999) * g * g
    top = state["top"] = np.maximum(state.get("top", 0.0), v)
    step = LR * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    return w - step * m / np.sqrt(np.sqrt(top) + 1e-8)


FORMS = [
    (ef_sign_sgd, {}),
    (smorms3, {}),
    (adamw_bert, {}),
    (adopt, {"weight_decay": 0.25}),
    (focus, {"weight_decay": 0.25}),
    (kate, {"eta": 0.5, "epsilon": 2.0**-7}),
    (laprop, {"epsilon": 2.0**-7}),
    (padam, {}),
]


def peer(form):
    def begin(start):
        variables, states = [x.copy() for x in start], [{} for _ in start]

        def step(grads):
            for i, g in enumerate(grads):
                variables[i] = np.asarray(form(variables[i], g, states[i]))
            return variables

        return step

    return begin


@pytest.mark.parametrize(("form", "arguments"), FORMS, ids=lambda x: getattr(x, "__name__", ""))
def test_the_equations_of_the_paper(form, arguments):
    module = form.__name__
    assert difference(module, dict(arguments, learning_rate=LR), peer(form)) <= TOLERANCE
