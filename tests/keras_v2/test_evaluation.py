"""Weights for evaluation: tensors, for good, and around a block of code."""

import numpy as np
import pytest
import tensorflow.compat.v2 as tf

from tests.keras_v2.helpers import (
    VERSION,
    array,
    assert_same,
    generated,
    graph_session,
    initialize,
    keras,
    rows,
    steps,
    values,
)
from tests.numpy.helpers import make

pytestmark = pytest.mark.tf

CLASSES = {
    "ema_sgd": "EmaSGD",
    "averaged_sgd": "AveragedSGD",
    "schedule_free_sgd": "ScheduleFreeSGD",
    "schedule_free_adamw": "ScheduleFreeAdamW",
}
NAMES = sorted(CLASSES)


def optimizer_of(name, **arguments):
    return generated(name, CLASSES[name])(**arguments)


def start(dtype="float32"):
    return [tf.Variable(array(3, 2).astype(dtype)), tf.Variable(np.asarray(0.5, dtype))]


def dense_model():
    """A model whose variables move when it is fitted; BatchNorm has some that no optimizer sees."""
    model = keras.Sequential(
        [
            keras.layers.Dense(4, kernel_initializer="ones", input_shape=(3,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    return model


def data():
    x = array(32, 3)
    return x, x.sum(1, keepdims=True) ** 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_numbers_as_numpy(name, dtype):
    arguments = {"zero_debias": True, "decay": 0.875} if name == "ema_sgd" else {}
    public = {"zero_debias": True, "average_decay": 0.875} if name == "ema_sgd" else {}
    variables, params = start(dtype), [v.numpy() for v in start(dtype)]
    params = [np.array(p) for p in params]
    optimizer, other = optimizer_of(name, **public), make(name, **arguments)
    random = np.random.RandomState(3)
    for _ in range(5):
        grads = [random.standard_normal(p.shape).astype(dtype) for p in params]
        optimizer.apply_gradients([(tf.constant(g), v) for g, v in zip(grads, variables)])
        other.update(params, [np.asarray(g) for g in grads])
    found, expected = optimizer.evaluation_weights(variables), other.evaluation_params(params)
    for x, y, v in zip(found, expected, variables):
        assert x.dtype == v.dtype
        np.testing.assert_allclose(x.numpy(), y, rtol=2e-6 if dtype == "float32" else 1e-13)
        assert not np.array_equal(x.numpy(), v.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_inside_are_the_weights_for_evaluation_and_behind_those_of_training(name):
    optimizer, variables = optimizer_of(name), start()
    steps(optimizer, variables)
    before, state = values(variables), optimizer.get_weights()
    expected = values(optimizer.evaluation_weights(variables))
    with optimizer.evaluation(variables):
        assert_same(values(variables), expected)
    assert_same(values(variables), before)
    assert_same(optimizer.get_weights(), state)


def test_half_precision():
    optimizer, variable = optimizer_of("ema_sgd"), tf.Variable(array(3, dtype="float16"))
    steps(optimizer, [variable])
    (found,) = optimizer.evaluation_weights([variable])
    assert found.dtype == tf.float16
    with optimizer.evaluation([variable]):
        assert_same([variable.numpy()], [found.numpy()])


@pytest.mark.parametrize("name", NAMES)
def test_what_has_taken_part_in_no_step_keeps_its_value(name):
    optimizer, variables = optimizer_of(name), start()
    assert_same(values(optimizer.evaluation_weights(variables)), values(variables))
    optimizer.build(variables)
    assert_same(values(optimizer.evaluation_weights(variables)), values(variables))
    steps(optimizer, variables[:1])
    late = tf.Variable(array(2))
    assert_same(values(optimizer.evaluation_weights([late])), [late.numpy()])
    optimizer.assign_evaluation_weights([late])
    with optimizer.evaluation([late]):
        assert_same([late.numpy()], [array(2)])


def test_for_good():
    optimizer, variables = optimizer_of("averaged_sgd"), start()
    steps(optimizer, variables)
    expected = values(optimizer.evaluation_weights(variables))
    assert optimizer.assign_evaluation_weights(variables) is None
    assert_same(values(variables), expected)
    steps(optimizer, variables)


def test_training_weights_come_back_after_an_exception():
    optimizer, variables = optimizer_of("schedule_free_sgd"), start()
    steps(optimizer, variables)
    before = values(variables)
    with pytest.raises(ZeroDivisionError), optimizer.evaluation(variables):
        variables[0].assign(tf.zeros_like(variables[0]))
        raise ZeroDivisionError
    assert_same(values(variables), before)
    steps(optimizer, variables)


@pytest.mark.parametrize("inside", ["step", "weights", "assign", "evaluation"])
def test_what_is_refused_inside(inside):
    optimizer, variables = optimizer_of("schedule_free_sgd"), start()
    steps(optimizer, variables)
    before, state = values(variables), optimizer.get_weights()

    def again():
        with optimizer.evaluation(variables):
            pass

    refused = {
        "step": lambda: steps(optimizer, variables, 1),
        "weights": lambda: optimizer.evaluation_weights(variables),
        "assign": lambda: optimizer.assign_evaluation_weights(variables),
        "evaluation": again,
    }[inside]
    with optimizer.evaluation(variables), pytest.raises(RuntimeError, match="evaluation"):
        refused()
    assert_same(values(variables), before)
    assert_same(optimizer.get_weights(), state)


@pytest.mark.parametrize("sparse", [False, True])
def test_a_step_that_was_made_a_function_before_is_refused_inside(sparse):
    optimizer, variable = optimizer_of("schedule_free_sgd"), tf.Variable(array(3, 2))

    @tf.function
    def step():
        grad = rows([[1.0, 2.0]], [1], 3) if sparse else tf.ones([3, 2])
        optimizer.apply_gradients([(grad, variable)])

    step()
    step()
    before, state = values([variable]), optimizer.get_weights()
    refused = pytest.raises(tf.errors.InvalidArgumentError, match="leave evaluation")
    with optimizer.evaluation([variable]), refused:
        step()
    assert_same(values([variable]), before)
    assert_same(optimizer.get_weights(), state)
    step()
    assert optimizer.iterations.numpy() == 3


def test_inside_of_a_function_it_is_refused():
    optimizer, variables = optimizer_of("ema_sgd"), start()
    steps(optimizer, variables)

    @tf.function
    def inside():
        with optimizer.evaluation(variables):
            pass

    with pytest.raises(RuntimeError, match=r"tf\.function"):
        inside()


def test_tensors_inside_of_a_function():
    optimizer, variables = optimizer_of("schedule_free_sgd"), start()
    steps(optimizer, variables)
    function = tf.function(lambda: optimizer.evaluation_weights(variables))
    function()
    steps(optimizer, variables)
    for x, y in zip(function(), optimizer.evaluation_weights(variables)):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_fit_evaluate_and_save(name, tmp_path):
    x, y = data()
    model = dense_model()
    optimizer = optimizer_of(name)
    optimizer.lr = 0.01
    model.compile(optimizer, "mse")
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    training, statistics = values(model.trainable_variables), values(model.non_trainable_variables)
    with optimizer.evaluation(model.variables):
        inside = model.get_weights()
        assert_same(values(model.non_trainable_variables), statistics)
        loss = model.evaluate(x, y, verbose=0)
        model.save_weights(str(tmp_path / "evaluation.h5"))
        with pytest.raises((RuntimeError, tf.errors.InvalidArgumentError)):
            model.fit(x, y, batch_size=8, epochs=1, verbose=0)  # may move the statistics, in 1.15
    assert_same(values(model.trainable_variables), training)
    copy = dense_model()
    copy.compile("sgd", "mse")
    copy.load_weights(str(tmp_path / "evaluation.h5"))
    assert_same(copy.get_weights(), inside)
    assert abs(copy.evaluate(x, y, verbose=0) - loss) <= 1e-6 * abs(loss)
    evaluated = copy.trainable_variables
    assert any(not np.array_equal(a, b) for a, b in zip(values(evaluated), training))
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)


@pytest.mark.parametrize("name", NAMES)
def test_after_a_checkpoint(name, tmp_path):
    optimizer, variables = optimizer_of(name), start()
    steps(optimizer, variables)
    expected = values(optimizer.evaluation_weights(variables))
    saved = tf.train.Checkpoint(optimizer=optimizer, a=variables[0], b=variables[1])
    path = saved.save(str(tmp_path / "checkpoint"))
    other, others = optimizer_of(name), start()
    tf.train.Checkpoint(optimizer=other, a=others[0], b=others[1]).restore(path)
    assert_same(values(other.evaluation_weights(others)), expected)
    steps(optimizer, variables, seed=2)
    steps(other, others, seed=2)
    assert_same(values(others), values(variables))


@pytest.mark.parametrize("name", NAMES)
def test_after_set_weights(name):
    optimizer, variables = optimizer_of(name), start()
    steps(optimizer, variables)
    other = optimizer_of(name)
    other.set_weights(optimizer.get_weights())
    found = values(other.evaluation_weights(variables))
    assert_same(found, values(optimizer.evaluation_weights(variables)))
    assert_same(other.get_weights(), optimizer.get_weights())


def test_what_is_saved_knows_nothing_of_it(tmp_path):
    optimizer, variables = optimizer_of("schedule_free_sgd"), start()
    function = tf.function(lambda: steps(optimizer, variables))
    function()
    path = tf.train.Checkpoint(optimizer=optimizer).save(str(tmp_path / "checkpoint"))
    names = [name for name, _ in tf.train.list_variables(path)]
    assert not [name for name in names if "evaluating" in name]
    assert len(optimizer.get_weights()) == 1 + 3 + 2  # iterations; steps, two shared values; slots


def test_a_step_in_a_saved_model(tmp_path):
    module = tf.Module()
    module.optimizer, module.w = optimizer_of("ema_sgd"), tf.Variable([1.0, 2.0])

    @tf.function(input_signature=[])
    def step():
        module.optimizer.apply_gradients([(tf.ones(2), module.w)])
        return module.w.read_value()

    module.step = step
    step()
    if VERSION < (2, 7):  # which do not say what they look for variables for
        with pytest.raises(AssertionError, match="[Uu]ntracked"):
            tf.saved_model.save(module, str(tmp_path))
        return
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.step().numpy(), [0.98, 1.98], rtol=1e-6)


def test_a_graph():
    with graph_session() as session:
        optimizer = optimizer_of("averaged_sgd")
        variable = tf.Variable(array(3))
        step = optimizer.apply_gradients([(tf.ones(3), variable)])
        weights = optimizer.evaluation_weights([variable])
        assign = optimizer.assign_evaluation_weights([variable])
        initialize(session)
        assert_same(session.run(weights), [array(3)])
        for _ in range(3):
            session.run(step)
        before, expected = session.run([variable, weights[0]])
        np.testing.assert_allclose(expected, array(3) - np.float32(0.02), rtol=1e-5)
        for _ in range(2):
            with optimizer.evaluation([variable]):
                assert_same([session.run(variable)], [expected])
            assert_same([session.run(variable)], [before])
            session.graph.finalize()
        session.run(assign)
        assert_same([session.run(variable)], [expected])
