"""Steps that evaluate the gradient several times: minimize, and stage_ops with run_stages."""

import numpy as np
import pytest
import tensorflow
import tensorflow.compat.v1 as tf

from tests.support import load_generated
from tests.tf1.harness import (
    composed,
    composed_numpy,
    eager_mode,
    generated,
    graph_session,
    variable,
)

pytestmark = pytest.mark.tf

RNG = np.random.RandomState(1)
START = [RNG.normal(size=[3]), RNG.normal(size=[4, 2])]
MATRIX = RNG.normal(size=[4, 3])
NAMES = ["heun", "slow_heun", "three_stages", "lazy_stages"]
STEPS = 4


def make(name):
    return generated("heun") if name == "heun" else composed(name)


def loss_of(w, table):
    """A loss in which every variable has a say in the gradient of the other."""
    return tf.reduce_sum(tf.square(tf.tanh(tf.matmul(MATRIX, w[:, None]) * table))) / 2


def gradients_of(w, table):
    """The gradients of `loss_of` in NumPy."""
    x = MATRIX @ w[:, None]
    y = np.tanh(x * table)
    outer = y * (1 - y**2)
    return [(MATRIX.T @ np.sum(outer * table, axis=1, keepdims=True))[:, 0], outer * x]


def expected(name, steps=STEPS):
    """Where the class of NumPy is after some steps."""
    opt = load_generated("numpy", "heun").Heun() if name == "heun" else composed_numpy(name)()
    arrays = [x.copy() for x in START]
    for _ in range(steps):
        opt.step(arrays, lambda params: gradients_of(*params))
    return arrays


def close(found, exact, tolerance=1e-13):
    assert len(found) == len(exact) > 0
    for one, other in zip(found, exact):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def eager_variables():
    return [variable(x, tf.float64) for x in START]


@pytest.mark.parametrize("name", NAMES)
def test_one_run_of_a_session_is_a_step(name):
    with graph_session(2) as session:
        w, table = eager_variables()
        count = tf.train.get_or_create_global_step()
        step = make(name)().minimize(lambda: loss_of(w, table), global_step=count)
        session.run(tf.global_variables_initializer())
        for _ in range(STEPS):
            session.run(step)
        assert session.run(count) == STEPS
        close(session.run([w, table]), expected(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_call_is_a_step(name, compiled):
    with eager_mode():
        w, table = eager_variables()
        opt = make(name)()

        def step():
            opt.minimize(lambda: loss_of(w, table), var_list=[w, table])

        run = tensorflow.function(step) if compiled else step
        for _ in range(STEPS):
            run()
        close([w.numpy(), table.numpy()], expected(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resource", [False, True])
def test_a_run_for_each_stage_is_a_step(name, resource):
    with graph_session(2) as session:
        w, table = (variable(x, tf.float64, resource) for x in START)
        scale = tf.placeholder(tf.float64, [])
        opt = make(name)()
        count = tf.train.get_or_create_global_step()
        ops = opt.stage_ops(scale * loss_of(w, table), global_step=count)
        session.run(tf.global_variables_initializer())
        losses = [opt.run_stages(session, ops, {scale: 1.0}) for _ in range(STEPS)]
        assert session.run(count) == STEPS
        close(session.run([w, table]), expected(name))
        w, table = expected(name, STEPS - 1)
        exact = np.sum(np.tanh(MATRIX @ w[:, None] * table) ** 2) / 2
        np.testing.assert_allclose(losses[-1], exact, rtol=1e-12)


@pytest.mark.parametrize("how", ["ref", "resource", "minimize", "eager"])
def test_the_rows_of_all_stages_take_part(how):
    """The first stage names row 0, and where that leads the second one names row 2 as well."""

    def loss(table):
        row = tf.cast(table[0, 0] < 0.5, tf.int64) * 2
        return tf.reduce_sum(tf.gather(table, tf.stack([tf.constant(0, tf.int64), row])))

    start, arrays = np.ones([4, 2]), [np.ones([4, 2])]
    if how == "eager":
        with eager_mode():
            table = variable(start, tf.float64)
            composed("lazy_stages")(1.0).minimize(lambda: loss(table))
            found = table.numpy()
    else:
        with graph_session() as session:
            table = variable(start, tf.float64, how != "ref")
            opt = composed("lazy_stages")(1.0)
            if how == "minimize":
                step = opt.minimize(lambda: loss(table))
                session.run(tf.global_variables_initializer())
                session.run(step)
            else:
                ops = opt.stage_ops(loss(table))
                session.run(tf.global_variables_initializer())
                opt.run_stages(session, ops)
            found = session.run(table)

    module = __import__("tests.tf1.composed.numpy.lazy_stages", fromlist=["SparseGrad"])

    def closure(params):
        indices = [0, 2 if params[0][0, 0] < 0.5 else 0]
        return [module.SparseGrad(indices, np.ones([2, 2]), (4, 2))]

    module.LazyStages(1.0).step(arrays, closure)
    assert (found[2] != 1).all() and (found[[1, 3]] == 1).all()
    close([found], arrays)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_loss_that_raises_leaves_everything_as_it_was(stage):
    calls = []
    with eager_mode():
        w, table = eager_variables()
        opt = composed("three_stages")()
        opt.minimize(lambda: loss_of(w, table))
        before = [x.numpy() for x in (w, table, opt.get_slot(w, "a"))]

        def loss():
            calls.append(0)
            if len(calls) == stage:
                raise KeyError("the loss")
            return loss_of(w, table)

        with pytest.raises(KeyError, match="the loss"):
            opt.minimize(loss)
        close([x.numpy() for x in (w, table, opt.get_slot(w, "a"))], before, 0)
        calls.extend([0] * 9)
        opt.minimize(loss)
        close([w.numpy(), table.numpy()], expected("three_stages", 2))


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_run_that_fails_leaves_everything_as_it_was(resource, failing):
    with graph_session() as session:
        w, table = (variable(x, tf.float64, resource) for x in START)
        fine = tf.placeholder(tf.bool, [])
        with tf.control_dependencies([tf.debugging.Assert(fine, ["not fine"])]):
            loss = loss_of(tf.identity(w), tf.identity(table))
        opt = composed("three_stages")()
        ops = opt.stage_ops(loss)
        session.run(tf.global_variables_initializer())
        opt.run_stages(session, ops, {fine: True})
        before = session.run([w, table, opt.get_slot(w, "a")])
        with pytest.raises(tf.errors.InvalidArgumentError):
            opt.run_stages(_Fed(session, fine, failing), ops, {})
        close(session.run([w, table, opt.get_slot(w, "a")]), before, 0)
        opt.run_stages(session, ops, {fine: True})
        close(session.run([w, table]), expected("three_stages", 2))


@pytest.mark.parametrize("how", ["minimize", "stage_ops"])
def test_a_slot_moves_once_in_a_step(how):
    """The first stage computes m too, but it only asks for the next gradient."""
    with graph_session() as session:
        w = variable(START[0], tf.float64)
        opt = composed("lazy_stages")(0.1)
        if how == "minimize":
            step = opt.minimize(lambda: tf.reduce_sum(tf.square(w)) / 2)
            take = lambda: session.run(step)
        else:
            ops = opt.stage_ops(tf.reduce_sum(tf.square(w)) / 2)
            take = lambda: opt.run_stages(session, ops)
        session.run(tf.global_variables_initializer())
        exact, m = START[0], 0
        for n in (1, 2, 3):
            take()
            m = 0.9 * m + exact
            exact = exact - 0.1 / 2 * ((exact - 0.1 * m) + m) / n - 0.1 * m
            close([session.run(opt.get_slot(w, "m"))], [m])
            close([session.run(w)], [exact])


class _Fed:
    """A session that feeds False to one of its runs."""

    def __init__(self, session, fine, failing):
        self._session, self._fine, self._left = session, fine, failing

    def run(self, fetches, feed_dict=None):
        self._left -= 1
        return self._session.run(fetches, {self._fine: self._left != 0})


def test_what_is_kept_between_runs_is_neither_saved_nor_initialized():
    with graph_session():
        w, table = eager_variables()
        opt = composed("three_stages")()
        opt.stage_ops(loss_of(w, table))
        assert not set(tf.local_variables()) & set(tf.global_variables())
        assert {v.op.name for v in tf.global_variables()} == {
            x.op.name for v in (w, table) for x in (v, opt.get_slot(v, "a"))
        }


@pytest.mark.parametrize("saved_after", [1, 2, 3])
def test_a_saver_goes_on_bit_for_bit(saved_after, tmp_path):
    path = str(tmp_path / "model")
    ends = []
    for parts in ([STEPS], [saved_after, STEPS - saved_after]):
        for i, steps in enumerate(parts):
            with graph_session() as session:
                w, table = eager_variables()
                step = composed("slow_heun")().minimize(lambda w=w, t=table: loss_of(w, t))
                session.run(tf.global_variables_initializer())
                if i:
                    tf.train.Saver().restore(session, path)
                for _ in range(steps):
                    session.run(step)
                tf.train.Saver().save(session, path)
                end = session.run([w, table])
        ends.append(end)
    close(*ends, tolerance=0)


def test_single_gradients_are_refused():
    with graph_session():
        w, table = eager_variables()
        opt = generated("heun")()
        for call in (
            lambda: opt.compute_gradients(loss_of(w, table)),
            lambda: opt.apply_gradients([(w, w)]),
        ):
            with pytest.raises(RuntimeError, match="minimize"):
                call()
        with pytest.raises(TypeError, match="stage_ops"):
            opt.minimize(loss_of(w, table))
        with pytest.raises(ValueError, match="No gradients"):
            opt.minimize(lambda: tf.constant(1.0, tf.float64), var_list=[w])
        ref = variable([1.0], resource=False, name="ref")
        with pytest.raises(TypeError, match="ref:0 is a reference variable: call stage_ops"):
            opt.minimize(lambda: tf.reduce_sum(ref), var_list=[ref])


def test_replicas_are_refused():
    with eager_mode(), tf.distribute.MirroredStrategy(["/cpu:0"]).scope():
        w = variable([1.0])
        with pytest.raises(NotImplementedError, match="tf.distribute"):
            generated("heun")().minimize(lambda: tf.reduce_sum(w))
