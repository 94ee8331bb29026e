"""Weights for evaluation: tensors, and operations that swap them in and out."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.numpy.helpers import make
from tests.tf1.harness import GRAPH, eager_mode, generated, graph_session, rows, variable

pytestmark = pytest.mark.tf

NAMES = ["averaged_sgd", "ema_sgd", "schedule_free_adamw", "schedule_free_sgd"]
FAILED = tf.errors.InvalidArgumentError


def start(dtype="float32"):
    random = np.random.RandomState(0)
    return [random.standard_normal((3, 2)).astype(dtype), np.asarray(0.5, dtype)]


def grads(count, dtype="float32"):
    random = np.random.RandomState(1)
    return [[random.standard_normal(x.shape).astype(dtype) for x in start()] for _ in range(count)]


class Training:
    """A graph that trains two variables, after a few steps in a session."""

    def __init__(
        self, name="schedule_free_sgd", kind="resource", steps=3, values=None, **arguments
    ):
        self.optimizer = generated(name)(**arguments)
        self.variables = [variable(x, resource=kind == "resource") for x in values or start()]
        self.pairs = list(zip([tf.constant(g) for g in grads(1)[0]], self.variables))
        self.step = self.optimizer.apply_gradients(self.pairs)
        self.weights = self.optimizer.evaluation_weights(self.variables)
        self.swap_in, self.swap_out = self.optimizer.evaluation_ops(self.variables)
        self.saver = tf.train.Saver()
        self.session = tf.get_default_session()
        self.session.run(tf.global_variables_initializer())
        for _ in range(steps):
            self.session.run(self.step)

    def run(self, *fetches):
        return self.session.run(list(fetches))

    def state(self):
        return self.session.run([self.variables, self.optimizer.variables()])


def same(left, right):
    left, right = tf.nest.flatten(left), tf.nest.flatten(right)
    assert len(left) == len(right)
    for x, y in zip(left, right):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [*GRAPH, "eager"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_numbers_as_numpy(name, mode, dtype):
    extra = {"zero_debias": True} if name == "ema_sgd" else {}
    params = [np.array(x) for x in start(dtype)]
    other, optimizer = make(name, **extra), generated(name)(**extra)
    for step in grads(4, dtype):
        other.update(params, step)
    if mode == "eager":
        with eager_mode():
            variables = [variable(x, dtype) for x in start(dtype)]
            for step in grads(4, dtype):
                optimizer.apply_gradients(list(zip(map(tf.constant, step), variables)))
            found = [x.numpy() for x in optimizer.evaluation_weights(variables)]
            trained = [v.numpy() for v in variables]
    else:
        with graph_session() as session:
            variables = [variable(x, dtype, mode == "resource") for x in start(dtype)]
            feeds = [tf.placeholder(dtype, x.shape) for x in start()]
            update = optimizer.apply_gradients(list(zip(feeds, variables)))
            weights = optimizer.evaluation_weights(variables)
            session.run(tf.global_variables_initializer())
            for step in grads(4, dtype):
                session.run(update, dict(zip(feeds, step)))
            found, trained = session.run([weights, variables])
    for x, y, w in zip(found, other.evaluation_params(params), trained):
        assert x.dtype == dtype
        np.testing.assert_allclose(x, y, rtol=2e-6 if dtype == "float32" else 1e-13)
        assert not np.array_equal(x, w)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [*GRAPH, "eager"])
def test_before_the_first_step_variables_keep_their_values(name, mode):
    if mode == "eager":
        with eager_mode():
            optimizer, variables = generated(name)(), [variable(x) for x in start()]
            same([x.numpy() for x in optimizer.evaluation_weights(variables)], start())
            optimizer.apply_gradients([(tf.constant(grads(1)[0][0]), variables[0])])
            same(optimizer.evaluation_weights(variables)[1].numpy(), start()[1])
        return
    with graph_session():
        training = Training(name, mode, steps=0)
        same(training.run(training.weights), start())
        late = variable(2.0)
        (kept,) = training.optimizer.evaluation_weights([late])
        training.run(late.initializer, training.step)
        assert training.run(kept) == [2.0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", GRAPH)
def test_in_and_out(name, kind):
    with graph_session():
        training = Training(name, kind)
        before, (expected,) = training.state(), training.run(training.weights)
        for _ in range(2):
            training.run(training.swap_in)
            inside, state = training.state()
            same(inside, expected)
            assert not np.array_equal(inside[0], before[0][0])
            same(state, before[1])
            training.run(training.swap_out)
            same(training.state(), before)
        training.run(training.step)


@pytest.mark.parametrize("kind", GRAPH)
def test_training_goes_on_as_if_nothing_had_been(kind):
    ends = []
    for swaps in (False, True):
        with graph_session():
            training = Training("schedule_free_adamw", kind)
            if swaps:
                training.run(training.swap_in)
                training.run(training.swap_out)
            training.run(training.step)
            training.run(training.step)
            ends.append(training.state())
    same(*ends)


@pytest.mark.parametrize("kind", GRAPH)
@pytest.mark.parametrize("wrong", ["step", "weights", "swap_in"])
def test_what_fails_in_between(kind, wrong):
    with graph_session():
        training = Training(kind=kind)
        before = training.state()
        training.run(training.swap_in)
        inside = training.state()
        with pytest.raises(FAILED, match="weights for evaluation"):
            training.run(getattr(training, wrong))
        same(training.state(), inside)
        training.run(training.swap_out)
        same(training.state(), before)


def test_a_sparse_step_fails_in_between():
    with graph_session() as session:
        optimizer, w = generated("schedule_free_sgd")(), variable(start()[0])
        step = optimizer.apply_gradients([(rows([[1.0, 2.0]], [1], [3, 2]), w)])
        swap_in, swap_out = optimizer.evaluation_ops([w])
        session.run(tf.global_variables_initializer())
        session.run(step)
        before = session.run(optimizer.variables())
        session.run(swap_in)
        with pytest.raises(FAILED, match="weights for evaluation"):
            session.run(step)
        same(session.run(optimizer.variables()), before)
        session.run(swap_out)
        session.run(step)


def test_out_comes_after_in():
    with graph_session():
        training = Training()
        before = training.state()
        for _ in range(2):
            with pytest.raises(FAILED, match="swap_out comes after swap_in"):
                training.run(training.swap_out)
            same(training.state(), before)
            training.run(training.swap_in)
            training.run(training.swap_out)


@pytest.mark.parametrize("kind", GRAPH)
def test_what_is_saved_in_between_are_the_weights_for_evaluation(kind, tmp_path):
    path = str(tmp_path / "model")
    with graph_session():
        training = Training(kind=kind)
        names = [v.op.name for v in training.variables]
        state = [v.op.name for v in training.optimizer.variables()]
        (expected,) = training.run(training.weights)
        training.run(training.swap_in)
        training.saver.save(training.session, path)
    saved = {name for name, _ in tf.train.list_variables(path)}
    same([tf.train.load_variable(path, name) for name in names], expected)
    assert saved == {*names, *state}
    with graph_session() as session:  # one that knows nothing of the optimizer
        variables = [variable(np.zeros_like(x), resource=kind == "resource") for x in start()]
        tf.train.Saver(dict(zip(names, variables))).restore(session, path)
        same(session.run(variables), expected)


@pytest.mark.parametrize("kind", GRAPH)
def test_what_is_restored_in_between_stays(kind, tmp_path):
    path = str(tmp_path / "model")
    with graph_session():
        training = Training(kind=kind)
        training.saver.save(training.session, path)
        restored = training.state()
        training.run(training.step)
        training.run(training.swap_in)
        training.saver.restore(training.session, path)
        training.run(training.swap_out)
        same(training.state(), restored)
        training.run(training.step)


def test_a_new_session_knows_nothing_of_it(tmp_path):
    path = str(tmp_path / "model")
    with graph_session():
        training = Training()
        training.saver.save(training.session, path)
        before = training.state()
        training.run(training.swap_in)
        with tf.Session() as training.session:
            training.saver.restore(training.session, path)
            with pytest.raises(FAILED, match="swap_out comes after swap_in"):
                training.run(training.swap_out)
            same(training.state(), before)
            training.run(training.step)


@pytest.mark.parametrize("kind", GRAPH)
def test_nothing_is_added_to_what_scripts_see(kind):
    with graph_session() as session:
        training = Training(kind=kind)
        slots = training.optimizer.variables()
        assert set(tf.global_variables()) == {*training.variables, *slots}
        assert tf.local_variables() == []
        assert set(tf.trainable_variables()) == set(training.variables)
        training.run(training.swap_in)
        assert session.run(tf.report_uninitialized_variables()).size == 0


def test_weights_that_are_nan_come_back():
    values = start()
    values[0][0, 0] = np.nan
    with graph_session():
        training = Training(values=values)
        before = training.state()
        training.run(training.swap_in)
        training.run(training.swap_out)
        same(training.state(), before)


@pytest.mark.parametrize("name", NAMES)
def test_a_graph_that_only_evaluates_what_a_checkpoint_holds(name, tmp_path):
    path = str(tmp_path / "model")
    with graph_session():
        training = Training(name)
        training.saver.save(training.session, path)
        (expected,) = training.run(training.weights)
    with graph_session() as session:
        variables = [variable(x) for x in start()]
        weights = generated(name)().evaluation_weights(variables)
        tf.train.Saver().restore(session, path)
        same(session.run(weights), expected)


def test_half_precision():
    with graph_session() as session:
        optimizer, w = generated("ema_sgd")(), variable(np.ones(3), tf.float16)
        step = optimizer.apply_gradients([(tf.ones(3, tf.float16), w)])
        swap_in, swap_out = optimizer.evaluation_ops([w])
        (weights,) = optimizer.evaluation_weights([w])
        assert weights.dtype == tf.float16
        session.run(tf.global_variables_initializer())
        session.run(step)
        before, expected = session.run([w, weights])
        session.run(swap_in)
        same(session.run(w), expected)
        session.run(swap_out)
        same(session.run(w), before)


def test_a_schedule_is_that_of_the_next_step():
    with graph_session() as session:
        b1 = tf.placeholder_with_default(0.75, [])
        optimizer, w = generated("schedule_free_sgd")(momentum=b1), variable(start()[0])
        step = optimizer.apply_gradients([(tf.ones([3, 2]), w)])
        (weights,) = optimizer.evaluation_weights([w])
        session.run(tf.global_variables_initializer())
        session.run(step)
        session.run(step)
        y, z = session.run([w, optimizer.get_slot(w, "z")])
        found = session.run(weights, {b1: 0.5})
        np.testing.assert_allclose(found, (y - 0.5 * z) / 0.5, rtol=1e-6)


def test_operations_are_for_graphs():
    with eager_mode(), pytest.raises(RuntimeError, match="for graphs"):
        generated("ema_sgd")().evaluation_ops([variable(1.0)])
