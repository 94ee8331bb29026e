"""What stands for `w` at evaluation: the generated classes against the oracle, and what no class
of the library has.
"""

import ast

import numpy as np
import pytest

import optdsl
from optdsl.oracle import FLOAT64, Oracle
from tests.oracle.helpers import resolved, rule, steps

SPECS = {
    "a slot": "  slot m\n  eval = m\n",
    "bias correction": "  slot m\n  hyper b = 0.9 in [0, 1)\n  eval = m/(1 - b^t)\n",
    "the variable": "  slot m\n  eval = 0.5*w + m\n",
    "a number": "  slot m\n  eval = t + sum(m)\n",
    "a literal": "  slot m\n  eval = 0.5\n",
    "a shared": "  slot m\n  shared p = 1\n  eval = m/p\n",
    "a scalar slot": "  slot m\n  slot n: scalar = 2\n  eval = n*m\n",
    "a const": "  slot m\n  const k: int = 3 in [1, inf)\n  eval = m + k\n",
    "a choice": "  slot m\n  eval = where(t % 2 == 0, m, cbrt(w))\n",
    "rank": "  slot m\n  eval = m*rank(w) + mean(w)\n",
    "a definition": "  slot m\n  def half(x) = x/2\n  eval = half(m) + half(w)\n",
    "a flag": "  slot m\n  flag on = false\n  eval = m if on\n",
    "a slot that is there": "  slot m\n  flag on = false\n  slot e if on\n  eval = e + m if on\n",
    "a hyper in use": "  slot m\n  hyper mu = 0 in [0, 1]\n  eval = where(uses(mu), mu*m, w)\n",
    "names of the targets": "  slot m\n  slot self, np as tf\n  eval = self + np\n",
}
UPDATE = """\
    m = 0.5*m + g
    w -= lr*m
"""
MORE = {
    "a shared": "    p = 0.5*p + t\n",
    "a scalar slot": "    n += norm(g)\n",
    "a slot that is there": "    if on { e = 0.5*e + w }\n",
    "names of the targets": "    self += w\n    np += 2*self\n",
}
CASES = [(name, {}) for name in SPECS]
CASES += [("a flag", {"on": True}), ("a slot that is there", {"on": True})]
CASES += [("a hyper in use", {"mu": 0.5})]
TARGETS = ["numpy", "tf1", "keras_v2"]


def text(name):
    head = "optimizer X {\n  hyper lr = 0.5 in [0, inf)\n"
    return f"{head}{SPECS[name]}  update {{\n{UPDATE}{MORE.get(name, '')}  }}\n}}\n"


def numpy_weights(made, start, gradients):
    params = {key: x.copy() for key, x in start.items()}
    for grads in gradients:
        made.update(params, grads)
    return made.evaluation_params(params)


def tensorflow_weights(made, start, gradients):
    import tensorflow as tf

    variables = {key: tf.Variable(x) for key, x in start.items()}
    for grads in gradients:
        made.apply_gradients([(tf.constant(g), variables[key]) for key, g in grads.items()])
    found = made.evaluation_weights(list(variables.values()))
    return {key: x.numpy() for key, x in zip(variables, found, strict=True)}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("name", "chosen"), CASES, ids=[f"{n}{c or ''}" for n, c in CASES])
def test_the_generated_classes_do_what_the_oracle_does(target, name, chosen, tmp_path):
    spec = tmp_path / "x.opt"
    spec.write_text(text(name))
    made = optdsl.load(spec, target)(**chosen)
    oracle = Oracle(resolved(text(name)), chosen, target, FLOAT64)
    random = np.random.RandomState(0)
    start = {"w": random.standard_normal((3, 2)), "v": random.standard_normal(())}
    gradients = [{k: random.standard_normal(x.shape) for k, x in start.items()} for _ in range(5)]
    state = oracle.start(start)
    for grads in gradients:
        state = oracle.step(state, grads)
    weights = numpy_weights if target == "numpy" else tensorflow_weights
    found, expected = weights(made, start, gradients), oracle.evaluation(state)
    for key, w in start.items():
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12, atol=1e-12)
        assert found[key].shape == w.shape


def test_a_shared_value_of_a_checkpoint_that_no_step_has_asked_for(tmp_path):
    import tensorflow as tf

    spec = tmp_path / "x.opt"
    spec.write_text(text("a shared"))
    generated = optdsl.load(spec, "keras_v2")
    made, w = generated(), tf.Variable([1.0, 2.0])
    for _ in range(3):
        made.apply_gradients([(tf.ones(2), w)])
    path = tf.train.Checkpoint(optimizer=made, w=w).save(str(tmp_path / "checkpoint"))
    other, v = generated(), tf.Variable([0.0, 0.0])
    tf.train.Checkpoint(optimizer=other, w=v).restore(path)
    (found,), (expected,) = other.evaluation_weights([v]), made.evaluation_weights([w])
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    for machine, variable in ((made, w), (other, v)):
        machine.apply_gradients([(tf.ones(2), variable)])
    np.testing.assert_array_equal(v.numpy(), w.numpy())
    for x, y in zip(other.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_oracle_by_hand():
    machine = Oracle(rule("m = g\nw -= m", "slot m\neval = 2*m + t"), {}, "numpy", FLOAT64)
    assert steps(machine, 1.0, [3.0])[-1]["w"] == -2
    state = machine.start({"w": np.asarray(1.0)})
    assert machine.evaluation(state)["w"] == 1  # before the first step, the variable itself
    for g in (3.0, 5.0):
        state = machine.step(state, {"w": np.asarray(g)})
    assert machine.evaluation(state)["w"] == 2 * 5 + 2


@pytest.mark.parametrize("target", TARGETS)
def test_a_class_without_it_has_nothing_of_it(target):
    generated = optdsl.generate("specs/adam.opt", target)
    names = {n.name for n in ast.walk(ast.parse(generated)) if isinstance(n, ast.FunctionDef)}
    assert not [name for name in names if "evaluat" in name]
    assert "evaluation" not in generated


@pytest.mark.parametrize("target", TARGETS)
def test_the_docstring_says_what_it_is(target):
    documentation = optdsl.load("specs/schedule_free_sgd.opt", target).__doc__
    assert "At evaluation, with t the number of steps done::" in documentation
    assert "w = (w - (1-b1)*z)/b1" in documentation
