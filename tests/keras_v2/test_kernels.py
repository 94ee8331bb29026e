"""Dense steps that a fused kernel of TensorFlow takes."""

import numpy as np
import pytest

from tests.keras_v2.helpers import TF1, array, assert_same, generated, rows, tf, values

pytestmark = pytest.mark.tf

Adam, SGD = generated("adam", "Adam"), generated("sgd", "SGD")
Ftrl, RMSprop = generated("ftrl", "Ftrl"), generated("rmsprop", "RMSprop")
#: What is called, and by whom.
CALLED = {
    "Adam": ("ResourceApplyAdam", Adam),
    "AMSGrad": ("ResourceApplyAdamWithAmsgrad", lambda: Adam(amsgrad=True)),
    "overrides": ("ResourceApplyAdam", lambda: Adam(overrides={"^a": {"beta_1": 0.5}})),
    "SGD": ("ResourceApplyGradientDescent", SGD),
    "momentum": ("ResourceApplyKerasMomentum", lambda: SGD(momentum=0.9)),
    "Nesterov": ("ResourceApplyKerasMomentum", lambda: SGD(momentum=0.9, nesterov=True)),
    "Adagrad": ("ResourceApplyAdagradV2", generated("adagrad", "Adagrad")),
    "Adadelta": ("ResourceApplyAdadelta", generated("adadelta", "Adadelta")),
    "Adamax": ("ResourceApplyAdaMax", generated("adamax", "Adamax")),
    "RMSprop": ("ResourceApplyRMSProp", lambda: RMSprop(momentum=0.9)),
    "Ftrl": ("ResourceApplyFtrl", Ftrl),
    "shrinkage": (
        "ResourceApplyFtrlV2",
        lambda: Ftrl(l2_shrinkage_regularization_strength=0.1),
    ),
    "PowerSign": ("ResourceApplyPowerSign", generated("power_sign", "PowerSign")),
}


class WithRule(Adam):
    """Goes down twice."""

    def _rule(self, g, w, *states, **coefficients):
        new, *states = super()._rule(g, w, *states, **coefficients)
        return (w + 2 * (new - w), *states)


#: Who calls none.
OTHERS = {
    "AdaBelief": generated("adabelief", "AdaBelief"),
    "centered": lambda: RMSprop(momentum=0.9, centered=True),
    "RMSprop": RMSprop,
    "no sum at first": lambda: Ftrl(initial_accumulator_value=0.0),
    "its own rule": WithRule,
    "a hyperparameter above 0": lambda: generated("rmsprop_tf", "RMSpropTF")(0.1),
}


def variables(dtype="float32"):
    return [tf.Variable(array(3, 4, dtype=dtype), name="a"), tf.Variable(1.5, dtype=dtype)]


def kernels(optimizer, trained, gradients=None):
    """The kernels in the graph of a step."""
    gradients = gradients or [tf.ones_like(v) for v in trained]
    optimizer.build(trained)

    def step():
        optimizer.apply_gradients(list(zip(gradients, trained)))

    function = tf.function(step).get_concrete_function()
    operations = [node.op for node in function.graph.as_graph_def().node]
    return [name for name in operations if name.startswith("ResourceApply")]


@pytest.mark.parametrize("kernel, maker", CALLED.values(), ids=CALLED.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_kernel_takes_the_step(kernel, maker, dtype):
    assert kernels(maker(), variables(dtype)) == [kernel, kernel]


@pytest.mark.parametrize("maker", OTHERS.values(), ids=OTHERS.keys())
def test_others_have_none(maker):
    assert kernels(maker(), variables()) == []


def test_half_precision_and_rows_that_wait_have_none():
    assert kernels(Adam(), variables("float16")) == []
    gradient = [rows(array(2, 4), [0, 2]), None]
    assert kernels(Adam(), variables("float16"), gradient) == []
    assert kernels(Adam(), variables(), gradient) == (["ResourceApplyAdam"] if TF1 else [])


def test_rows_do_not_wait_for_a_sweep_that_is_not_compiled(monkeypatch):
    monkeypatch.setitem(Adam._record.__globals__, "_HAS_XLA", False)
    gradient = [rows(array(2, 4), [0, 2]), None]
    assert kernels(Adam(), variables(), gradient) == ["ResourceApplyAdam"]


@pytest.mark.parametrize("maker", [Adam, lambda: Adam(amsgrad=True)], ids=["Adam", "AMSGrad"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_table_whose_rows_all_move_and_cannot_wait_has_one(maker, dtype):
    """With a dense gradient: a sweep by plain operations takes more than twice as long."""
    strategy, called, ends = tf.distribute.OneDeviceStrategy("CPU:0"), [], []
    for dense in (False, True):
        with strategy.scope():
            optimizer, w = maker(), tf.Variable(array(5, 4, dtype=dtype))
        of_step = optimizer._kernel
        optimizer._kernel = lambda *args, **kwargs: called.append(1) or of_step(*args, **kwargs)
        for seed, indices in enumerate([[0, 2, 0], [4, 2, 4], [], [1, 0, 1]]):
            gradient = tf.IndexedSlices(
                tf.constant(array(len(indices), 4, seed=seed), dtype),
                tf.constant(indices, tf.int32),
                tf.constant([5, 4]),
            )
            if dense:
                gradient = tf.convert_to_tensor(gradient)
            run = getattr(strategy, "run", None) or strategy.experimental_run_v2  # TF 1.15
            run(lambda: optimizer.apply_gradients([(gradient, w)]) and None)
        ends.append([w.numpy(), *optimizer.get_weights()])
    assert len(called) == 8
    for a, b in zip(*ends):
        np.testing.assert_array_equal(a, b)


#: Lazy rules: where they have a kernel, it takes the step of their rows.
LAZY = {
    "LazyAdam": generated("lazy_adam", "LazyAdam"),
    "momentum": lambda: SGD(momentum=0.9),
    "Adadelta": generated("adadelta", "Adadelta"),
    "Adamax": generated("adamax", "Adamax"),
    "Ftrl": lambda: Ftrl(l2_shrinkage_regularization_strength=0.1),
}


def train_rows(optimizer, dtype, eager=False):
    """Some steps with a row that occurs twice, the last but one without any row."""
    w = tf.Variable(array(5, 4, dtype=dtype))
    optimizer.build([w])

    def step(grad):
        optimizer.apply_gradients([(grad, w)])

    step = step if eager else tf.function(step)
    for seed, indices in enumerate([[0, 2, 0], [4, 2, 4], [], [1, 0, 1]]):
        values = tf.constant(array(len(indices), 4, seed=seed), w.dtype)
        step(tf.IndexedSlices(values, tf.constant(indices, tf.int64), tf.constant([5, 4])))
    return [w.numpy(), *optimizer.get_weights()]


@pytest.mark.skipif(TF1, reason="TF 1.15 has no variables for one step")
@pytest.mark.parametrize("maker", LAZY.values(), ids=LAZY.keys())
def test_rows_of_a_lazy_rule_have_one(maker):
    gradient = [rows(array(2, 4), [0, 2]), None]
    assert len(kernels(maker(), variables(), gradient)) == 1
    assert kernels(maker(), variables("float16"), gradient) == []


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "function"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("maker", LAZY.values(), ids=LAZY.keys())
def test_the_rule_does_the_same_to_rows(maker, dtype, eager):
    by_rule = maker()
    by_rule._kernel_for = lambda *args: None
    rtol, atol = (5e-5, 1e-6) if dtype == "float32" else (1e-12, 1e-14)
    for a, b in zip(train_rows(maker(), dtype, eager), train_rows(by_rule, dtype, eager)):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def train(optimizer, dtype, eager):
    """Some steps with other gradients each time."""
    trained = variables(dtype)
    optimizer.build(trained)
    apply = lambda grads: optimizer.apply_gradients(list(zip(grads, trained)))
    step = apply if eager else tf.function(lambda grads: apply(grads) and None)
    for seed in range(5):
        step([tf.constant(array(*v.shape.as_list(), seed=seed), v.dtype) for v in trained])
    return values(trained) + optimizer.get_weights()


@pytest.mark.parametrize("eager", [True, False], ids=["eager", "function"])
@pytest.mark.parametrize("kernel, maker", CALLED.values(), ids=CALLED.keys())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rule_does_the_same(kernel, maker, dtype, eager):
    by_rule = maker()
    by_rule._kernel_for = lambda *args: None
    left, right = train(maker(), dtype, eager), train(by_rule, dtype, eager)
    rtol, atol = (5e-5, 1e-6) if dtype == "float32" else (1e-12, 1e-14)
    for a, b in zip(left, right):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def test_numbers_do_not_pass_through_float32():
    w = tf.Variable(np.float64(1.0))
    Adam(0.1, epsilon=1e-30).apply_gradients([(tf.constant(2.0, tf.float64), w)])
    np.testing.assert_allclose(w.numpy(), 0.9, rtol=1e-14)
    w = tf.Variable(np.float64(1.0))
    SGD(0.1).apply_gradients([(tf.constant(1.0, tf.float64), w)])
    assert w.numpy() == 1.0 - 0.1


def test_a_schedule_and_a_new_number_are_seen():
    optimizer, w = SGD(0.5), tf.Variable(np.zeros(2, "float32"))
    step = tf.function(lambda: optimizer.apply_gradients([(tf.ones(2), w)]) and None)
    optimizer.build([w])
    step()
    optimizer.learning_rate = 0.25
    step()
    assert_same([w.numpy()], [[-0.75, -0.75]])


@pytest.mark.skipif(TF1, reason="TF 1.15 compiles nothing here")
@pytest.mark.parametrize("kernel, maker", CALLED.values(), ids=CALLED.keys())
def test_within_compiled_code(kernel, maker):
    """XLA does not know all kernels, AMSGrad's for one; there the rule is taken."""

    def run(jit):
        optimizer, trained = maker(), variables()
        optimizer.build(trained)

        def function(call, jit=None):
            def step(grads):
                call(grads)

            return tf.function(step, jit_compile=jit)

        def step(grads):
            optimizer.apply_gradients(list(zip(grads, trained)))

        around, within = function(function(step), jit), function(function(step, jit))
        for seed, call in enumerate([function(step, jit), around, within]):
            call([tf.constant(array(*v.shape.as_list(), seed=seed)) for v in trained])
        return values(trained) + optimizer.get_weights()

    for a, b in zip(run(True), run(None)):
        np.testing.assert_allclose(a, b, rtol=5e-5, atol=1e-6)
