"""What a rule can have, in every combination: the parts of a generated file get on together."""

from itertools import product

import numpy as np
import pytest

import optdsl

pytestmark = pytest.mark.long

PARTS = ("shared", "list", "slot", "total", "stages", "every", "eval", "clock")
COMBINATIONS = [
    {part for part, there in zip(PARTS, choice, strict=True) if there}
    for choice in product((False, True), repeat=len(PARTS))
]
# what has stages does not go inside of Accumulate
COMBINATIONS = [parts for parts in COMBINATIONS if not {"stages", "clock"} <= parts]
IDS = ["-".join(sorted(parts)) or "none" for parts in COMBINATIONS]


def spec(parts):
    """A spec with these parts; where there is a clock, inside of something."""
    declarations = ["hyper lr = 0.5 as learning_rate in [0, inf)"]
    step = ["w -= lr*g"]
    if "shared" in parts:
        declarations.append("shared n = 0")
        step.append("n += 1")
    if "list" in parts:
        declarations.append("const c = [0.25, 0.5] in [0, 1]")
        step.append("w -= (c[0] + c[1])*w/64")
    if "slot" in parts:
        declarations.append("slot a = w")
        step.append("a = a/2 + w/2")
    if "total" in parts:
        step.append("w /= 1 + total(sum(w^2))/64")
    if "every" in parts:
        step.append("every 2 { w /= 2 }")
    if "eval" in parts:
        declarations.append("eval = a" if "slot" in parts else "eval = w/2")
    blocks = [("update", step)]
    if "stages" in parts:
        blocks = [("stage first", ["w -= lr*g"]), ("stage second", step)]
    lines = [*declarations]
    for head, body in blocks:
        lines += [head + " {", *("  " + line for line in body), "}"]
    name = "Inside" if "clock" in parts else "Combined"
    text = "\n".join([f"optimizer {name} {{", *("  " + line for line in lines), "}"])
    if "clock" in parts:
        text += f"\noptimizer Combined = Accumulate(k=2) of {name}"
    return text


def combined(parts, target):
    return optdsl.load(spec(parts), target, "Combined")


@pytest.mark.parametrize("parts", COMBINATIONS, ids=IDS)
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_every_combination_is_generated(parts, target):
    """The last look at a file finds what is defined twice or not at all."""
    assert optdsl.generate(spec(parts), target, "Combined")


@pytest.mark.parametrize("parts", COMBINATIONS, ids=IDS)
def test_every_combination_runs_in_numpy(parts):
    optimizer, w = combined(parts, "numpy")(), [np.ones(3)]
    for _ in range(4):
        if "stages" in parts:
            optimizer.step(w, lambda params: [params[0] / 4])
        else:
            optimizer.update(w, [w[0] / 4])
    assert np.all(np.isfinite(w[0])) and np.all(w[0] != 1)
    if "eval" in parts:
        weights = w[0].copy()
        with optimizer.evaluation(w):
            assert np.any(w[0] != weights)
        assert np.all(w[0] == weights)


# Weights for evaluation meet every other part, and every two of them.
AT_EVALUATION = [parts for parts in COMBINATIONS if "eval" in parts and len(parts) <= 3]


def loss_of(tf, w, table):
    return tf.reduce_sum(w**2) / 8 + tf.reduce_sum(tf.gather(table, [0, 0]) ** 2) / 8


def check(trained, expected, shown, after):
    for before, weights, seen, last in zip(trained, expected, shown, after, strict=True):
        assert np.all(seen == weights) and np.all(last == before) and np.any(seen != before)


@pytest.mark.tf
@pytest.mark.parametrize("parts", AT_EVALUATION, ids=lambda parts: "-".join(sorted(parts)))
def test_evaluation_in_keras_v2(parts):
    import tensorflow as tf

    optimizer, variables = (
        combined(parts, "keras_v2")(),
        [tf.Variable([1.0, 2]), tf.Variable([[1.0]])],
    )

    @tf.function
    def step():
        if "stages" in parts:
            optimizer.minimize(lambda: loss_of(tf, *variables), var_list=variables)
        else:
            with tf.GradientTape() as tape:
                loss = loss_of(tf, *variables)
            pairs = zip(tape.gradient(loss, variables), variables, strict=True)
            optimizer.apply_gradients(pairs)

    def read():
        return [x.numpy() for x in variables]

    for _ in range(4):
        step()
    trained, expected = read(), [x.numpy() for x in optimizer.evaluation_weights(variables)]
    with optimizer.evaluation(variables):
        shown = read()
    check(trained, expected, shown, read())


@pytest.mark.tf
@pytest.mark.parametrize("parts", AT_EVALUATION, ids=lambda parts: "-".join(sorted(parts)))
def test_evaluation_in_tf1(parts):
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        optimizer = combined(parts, "tf1")()
        variables = [
            tf.Variable(x, name=name, use_resource=True)
            for name, x in (("w", [1.0, 2.0]), ("table", [[1.0]]))
        ]
        if "stages" in parts:
            step = optimizer.minimize(lambda: loss_of(tf, *variables), var_list=variables)
        else:
            step = optimizer.minimize(loss_of(tf, *variables), var_list=variables)
        weights = optimizer.evaluation_weights(variables)
        swap_in, swap_out = optimizer.evaluation_ops(variables)
        session.run(tf.global_variables_initializer())
        for _ in range(4):
            session.run(step)
        trained, expected = session.run([variables, weights])
        session.run(swap_in)
        shown = session.run(variables)
        session.run(swap_out)
        check(trained, expected, shown, session.run(variables))
