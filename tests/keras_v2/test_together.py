"""Many elements at once: dense steps that XLA compiles for all variables together."""

import numpy as np
import pytest

from tests.keras_v2.helpers import (
    TF1,
    array,
    generated,
    keras,
    rows,
    scaled,
    tf,
    values,
)

pytestmark = [pytest.mark.tf, pytest.mark.skipif(TF1, reason="TF 1.15 compiles nothing here")]

AdamW, AdaBelief = generated("adamw", "AdamW"), generated("adabelief", "AdaBelief")
MAKERS = {
    "AdaBelief": AdaBelief,
    "AdamW, amsgrad": lambda: AdamW(amsgrad=True),
    "AdamW": AdamW,
    "Ranger": generated("ranger", "Ranger"),
    "AdadeltaTorch": generated("adadelta_torch", "AdadeltaTorch"),
    "DiffGrad": generated("diffgrad", "DiffGrad"),
    "Lion": generated("lion", "Lion"),
    "Adan": generated("adan", "Adan"),
    "CautiousLion": generated("cautious_lion", "CautiousLion"),
    "ADOPT": generated("adopt", "ADOPT"),
    "PNM": generated("pnm", "PNM"),
    "LAMB": generated("lamb", "LAMB"),
    "LARSJoint": lambda: generated("lars_joint", "LARSJoint")(0.1),
    "overrides": lambda: AdaBelief(overrides={"^b": {"learning_rate": "*2"}}),
}
SHAPES = [(3, 4), (5,), (), (0,)]


def compiling(optimizer):
    """The optimizer, made to compile whatever the size, and the list of what it compiles."""
    optimizer._COMPILE_FROM = optimizer._SPLIT_FROM = 1
    compiled, original = [], optimizer._compiled
    optimizer._compiled = lambda rule, states: compiled.append(states) or original(rule, states)
    return optimizer, compiled


def variables(dtype="float32"):
    return [tf.Variable(array(*s, dtype=dtype), name=n) for n, s in zip("abcd", SHAPES)]


def train(optimizer, trained, count=7):
    """That many steps in a function."""
    optimizer.build(trained)  # else the function is traced twice

    @tf.function
    def step(gradients):
        optimizer.apply_gradients(list(zip(gradients, trained)))

    for seed in range(count):
        noise = [array(*v.shape.as_list(), seed=seed + 10 * i) for i, v in enumerate(trained)]
        step([tf.constant(g, v.dtype) for g, v in zip(noise, trained)])
    return values(trained) + optimizer.get_weights()


def assert_close(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())
def test_compiled_steps_are_the_same(maker):
    optimizer, compiled = compiling(maker())
    assert_close(train(optimizer, variables()), train(maker(), variables()))
    assert compiled and len(compiled[0]) <= 3  # not the empty one


def test_slots_that_feed_others_are_written_first():
    optimizer, compiled = compiling(AdaBelief())
    train(optimizer, variables(), 1)
    assert len(compiled) == 2
    optimizer, compiled = compiling(AdamW())
    train(optimizer, variables(), 1)
    assert len(compiled) == 1  # vhat is not in use


def test_slots_that_are_read_as_they_were_are_written_last():
    optimizer, compiled = compiling(MAKERS["Lion"]())
    train(optimizer, variables(), 1)
    assert len(compiled) == 2

    class Other(type(optimizer)):
        def _rule(self, g, w, m, **others):
            return w - g, m + w

    def run(optimizer):
        w = tf.Variable([1.0, 2.0])
        return train(optimizer, [w], 3)

    optimizer, compiled = compiling(Other())
    assert_close(run(optimizer), run(Other()))
    assert len(compiled) == 1  # of another rule nobody knows what it reads


def test_a_slot_that_becomes_the_gradient_takes_it_over_outside_of_compiled_code():
    optimizer, compiled = compiling(MAKERS["DiffGrad"]())
    written, original = [], optimizer._assign

    def assign(states, wholes):
        own = [state for state, whole in zip(states, wholes) if whole is not None]
        written.append([state.name.split("/")[-1].split(":")[0] for state in own])
        return original(states, wholes)

    optimizer._assign = assign
    trained = variables()[:2]
    train(optimizer, trained, 3)
    assert len(compiled) == 1
    assert written == [["a", "m", "v"], ["b", "m", "v"], ["previous_grad"], ["previous_grad"]]
    taken = optimizer.get_slot(trained[1], "previous_grad")
    np.testing.assert_array_equal(taken, array(5, seed=12))  # of the third step


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", ["AdaBelief", "DiffGrad", "Lion"])
def test_other_dtypes(name, dtype):
    maker = MAKERS[name]
    optimizer, compiled = compiling(maker())
    assert_close(train(optimizer, variables(dtype)), train(maker(), variables(dtype)))
    assert compiled


def test_from_so_many_elements_and_not_in_eager_mode():
    optimizer, compiled = compiling(AdamW())
    optimizer._COMPILE_FROM = 18
    train(optimizer, variables()[:3], 1)
    assert not compiled  # that of one element does not count
    optimizer._COMPILE_FROM = 17
    train(optimizer, variables()[:3], 1)
    assert compiled


@pytest.mark.parametrize("version", ["2.17.1", "2.18.1", "2.19.0", "2.20.0", "2.21.0"])
def test_not_where_xla_is_slower_than_plain_operations(version, monkeypatch):
    found = AdamW._record.__globals__
    monkeypatch.setattr(found["tf"], "__version__", version)
    assert found["_has_xla"]() == (version in ("2.17.1", "2.21.0"))


def test_never_if_told_so():
    optimizer, compiled = compiling(AdamW())
    optimizer._COMPILE_FROM = None
    train(optimizer, variables(), 1)
    assert not compiled


def test_rows_and_constraints_go_by_themselves():
    def run(optimizer):
        table = tf.Variable(array(5, 2))
        bound = tf.Variable(array(3), constraint=keras.constraints.NonNeg())
        free = tf.Variable(array(4))
        optimizer.build([table, bound, free])

        @tf.function
        def step(seed):
            gradients = [rows(array(3, 2), [2, 0, 2]), tf.ones(3) * seed, tf.ones(4) * seed]
            optimizer.apply_gradients(list(zip(gradients, [table, bound, free])))

        for seed in range(3):
            step(tf.constant(float(seed)))
        return values([table, bound, free]) + optimizer.get_weights()

    optimizer, compiled = compiling(AdaBelief(0.1))
    assert_close(run(optimizer), run(AdaBelief(0.1)))
    assert {tuple(own[0].shape) for states in compiled for own in states} == {(4,)}


def test_a_hook_that_is_overridden_is_called():
    class Frozen(AdaBelief):
        def _resource_apply_dense(self, grad, var, apply_state=None):
            return tf.no_op()

    optimizer, compiled = compiling(Frozen())
    trained = variables()
    before = values(trained)
    after = train(optimizer, trained)
    assert not compiled
    assert_close(after[: len(before)], before)


def test_loss_scaling():
    def run(optimizer):
        w = tf.Variable(array(6))

        @tf.function
        def step(scale):
            optimizer.apply_gradients([(optimizer.get_scaled_loss(tf.ones(6)) * scale, w)])

        for scale in (1.0, np.inf, 2.0):
            step(tf.constant(scale))
        return values([w])

    optimizer, compiled = compiling(AdaBelief())
    assert_close(run(scaled(optimizer)), run(scaled(AdaBelief())))
    assert compiled


def test_in_a_model_that_is_compiled_itself():
    def run(optimizer, jit):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
        model.compile(optimizer, "mse", jit_compile=jit)
        model.fit(array(8, 4), array(8, 1), batch_size=4, epochs=2, verbose=0, shuffle=False)
        return model.get_weights()

    if not hasattr(keras.utils, "set_random_seed"):
        pytest.skip("before 2.7 there is no such model")
    optimizer, compiled = compiling(AdaBelief())
    assert_close(run(optimizer, True), run(AdaBelief(), False))
    assert compiled
