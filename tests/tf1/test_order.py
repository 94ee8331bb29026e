"""Everything is read and computed before anything is written, on every kind of variable."""

import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import GRAPH, eager_mode, generated, graph_session, rows, variable

pytestmark = pytest.mark.tf

SIZE = 20000
STEPS = 60


class Plain:
    """A rule of its own, so that the kernel of the rule in its place is not for it."""

    def _kernel(self, *args, **kwargs):
        return None


class Delayed(Plain, generated("momentum")):
    """The step uses the momentum of the step before: `w -= lr*v; v = g`."""

    def _rule(self, g, w, v, mu, lr):
        return w - lr * v, g + mu * v


class Previous(Plain, generated("momentum")):
    """The slot takes over the old variable: `v = w; w -= lr*g`."""

    def _rule(self, g, w, v, mu, lr):
        return w - lr * g, w


class Swap(Plain, generated("momentum")):
    """The variable and its slot change places."""

    def _rule(self, g, w, v, mu, lr):
        return v, w


class Sweep(Plain, generated("adam")):
    """As Delayed, with rows that move without a gradient."""

    def _rule(self, g, w, m, v, vhat, b1, one_minus_b1, alpha, **_):
        return w - m, 0.5 * m + g, v, vhat

    def _untouched_exact(self, w, m, v, vhat, **_):
        return w - m, 0.5 * m, v, vhat


def wrong(name, opt, gradient, expected, resource):
    """The part of the elements of the variable and of a slot that are wrong in any step."""
    with graph_session(threads=4) as session:
        w = variable(np.zeros((SIZE, 1)), resource=resource)
        g = tf.placeholder(tf.float32, [None, 1])
        update = opt.apply_gradients([(gradient(g), w)])
        slot = opt.get_slot(w, name)
        session.run(tf.global_variables_initializer())
        bad, total = 0, 0
        for step in range(1, STEPS + 1):
            session.run(update, {g: np.full((SIZE, 1), step)})
            for found, right in zip(session.run([w, slot]), expected(step)):
                bad, total = bad + np.sum(found != right), total + SIZE
        return bad / total


@pytest.mark.parametrize("mode", GRAPH)
@pytest.mark.parametrize("sparse", [False, True])
def test_a_step_by_the_momentum_before(sparse, mode):
    def expected(step):
        return -sum(range(step)), step

    def gradient(g):
        return rows(g, tf.range(SIZE)) if sparse else g

    opt = Delayed(1.0, 0.0)
    assert wrong("momentum", opt, gradient, expected, mode == "resource") == 0


@pytest.mark.parametrize("mode", GRAPH)
def test_a_slot_that_takes_over_the_variable(mode):
    def expected(step):
        return -sum(range(step + 1)), -sum(range(step))

    opt = Previous(1.0, 0.0)
    assert wrong("momentum", opt, lambda g: g, expected, mode == "resource") == 0


@pytest.mark.parametrize("mode", GRAPH)
def test_a_variable_and_a_slot_that_change_places(mode):
    with graph_session(threads=4) as session:
        w = variable(np.arange(float(SIZE)), resource=mode == "resource")
        opt = Swap(1.0, 0.0)
        update = opt.apply_gradients([(tf.zeros([SIZE]), w)])
        session.run(tf.global_variables_initializer())
        for step in range(1, STEPS + 1):
            session.run(update)
            right = [np.zeros(SIZE), np.arange(float(SIZE))]
            found = session.run([w, opt.get_slot(w, "momentum")])
            np.testing.assert_array_equal(found, right if step % 2 else right[::-1])


@pytest.mark.parametrize("mode", GRAPH)
def test_rows_over_a_sweep(mode):
    """Even rows have the gradient 1, odd rows none: m = 0.5*m + g, after w -= m."""
    with graph_session(threads=4) as session:
        w = variable(np.zeros((SIZE, 1)), resource=mode == "resource")
        opt = Sweep()
        even = tf.range(0, SIZE, 2)
        update = opt.apply_gradients([(rows(tf.ones([SIZE // 2, 1]), even), w)])
        session.run(tf.global_variables_initializer())
        session.run(opt.get_slot(w, "m").assign(np.ones((SIZE, 1))))
        right, m = np.zeros((SIZE, 1)), np.ones((SIZE, 1))
        for _ in range(STEPS // 4):
            session.run(update)
            right, m = right - m, 0.5 * m
            m[::2] += 1
            found = session.run([w, opt.get_slot(w, "m")])
            np.testing.assert_array_equal(found, np.array([right, m], "float32"))


@pytest.mark.parametrize("mode", GRAPH)
def test_a_read_after_the_update_sees_it(mode):
    with graph_session(threads=4) as session:
        w = variable(np.zeros(SIZE), resource=mode == "resource")
        update = generated("gradient_descent")(1.0).apply_gradients([(tf.ones([SIZE]), w)])
        with tf.control_dependencies([update]):
            after = w.read_value()
        session.run(tf.global_variables_initializer())
        for step in range(1, STEPS + 1):
            np.testing.assert_array_equal(session.run(after), np.full(SIZE, -step))


@pytest.mark.parametrize("mode", GRAPH)
@pytest.mark.parametrize("cached", [None, "/cpu:0"])
def test_two_steps_in_one_run(cached, mode):
    """The second step reads what the first wrote, also where expressions use a cached value."""
    with graph_session(threads=4) as session:
        with tf.variable_scope("", caching_device=cached, use_resource=mode == "resource"):
            w = tf.get_variable("w", [SIZE], initializer=tf.zeros_initializer())
        opt = Delayed(1.0, 0.0)
        first = opt.apply_gradients([(tf.ones([SIZE]), w)])
        with tf.control_dependencies([first]):
            second = opt.apply_gradients([(tf.ones([SIZE]), w)])
        session.run(tf.global_variables_initializer())
        for step in range(1, STEPS // 4):
            session.run(second)
            np.testing.assert_array_equal(
                session.run(w.read_value()), np.full(SIZE, 1.0 - 2 * step)
            )


@pytest.mark.parametrize("mode", GRAPH)
def test_the_counter_moves_after_all_variables(mode):
    with graph_session(threads=4) as session:
        several = [variable(np.zeros(SIZE), resource=mode == "resource") for _ in range(8)]
        opt = generated("adam")(0.5, 0.0, 0.0, 1e-30)
        update = opt.apply_gradients([(tf.ones([SIZE]), w) for w in several])
        session.run(tf.global_variables_initializer())
        for step in range(1, 21):
            session.run(update)
            assert session.run(opt.variables()[0]) == step
            for w in session.run(several):
                np.testing.assert_array_equal(w, np.full(SIZE, -0.5 * step))


def test_one_shared_value_for_all_variables():
    """Nadam's product of momenta advances once per step, however many variables there are."""
    ends = []
    for count in (1, 3):
        with eager_mode():
            several = [variable([1.0, 2.0]) for _ in range(count)]
            opt = generated("nadam")(0.1)
            for _ in range(5):
                sparse = [(rows([0.5], [1]), w) for w in several[1:]]
                opt.apply_gradients([(tf.constant([0.3, -0.2]), several[0]), *sparse])
            ends.append(several[0].numpy())
            numbers = [v for v in opt.variables() if v.shape.ndims == 0]
            (product,) = [v for v in numbers if v.dtype == tf.float64]
            mu = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in range(1, 6)]
            np.testing.assert_allclose(product.numpy(), np.prod(mu), rtol=1e-14)
    np.testing.assert_array_equal(*ends)


def test_a_step_that_waits_for_its_gradient_keeps_what_others_did_meanwhile():
    """Asynchronous workers: none works with a variable or a count from before its gradient."""
    waits, goes_on = threading.Event(), threading.Event()

    def slow_gradient():
        waits.set()
        assert goes_on.wait(60)
        return np.ones(2, "float32")

    with graph_session(threads=2) as session:
        w = variable(np.zeros(2))
        slow = tf.py_func(slow_gradient, [], tf.float32)
        slow.set_shape([2])
        opt = generated("adam")(0.1, beta1=0.0, beta2=0.0)  # moves by the rate, but for t
        slow, quick = (opt.apply_gradients([(g, w)]) for g in (slow, tf.ones([2])))
        (count,) = (v for v in opt.variables() if v.op.name.endswith("_step"))
        session.run(tf.global_variables_initializer())
        other = threading.Thread(target=session.run, args=(slow,))
        other.start()
        assert waits.wait(60)
        for _ in range(5):
            session.run(quick)
        goes_on.set()
        other.join()
        assert session.run(count) == 6
        np.testing.assert_allclose(session.run(w), [-0.6, -0.6], rtol=1e-6)


@pytest.mark.parametrize("name", ["adadelta", "ftrl", "adam"])
@pytest.mark.parametrize("mode", GRAPH)
def test_a_gradient_that_is_the_memory_of_its_variable(name, mode):
    """A kernel assigns to the variable while it reads the gradient."""
    ends = []
    for gradient in (lambda w: w.read_value(), lambda w: w + 0.0):
        with graph_session(threads=4) as session:
            w = variable(np.linspace(-1.0, 1.0, SIZE), resource=mode == "resource")
            update = generated(name)(0.5).apply_gradients([(gradient(w), w)])
            session.run(tf.global_variables_initializer())
            for _ in range(5):
                session.run(update)
            ends.append(session.run(w))
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("mode", GRAPH)
def test_an_operation_is_the_step(mode):
    """Adam is one operation; amsgrad is one for resource variables, half precision is none."""
    for dtype, amsgrad, calls in (
        (tf.float32, False, 1),
        (tf.float64, False, 1),
        (tf.float16, False, 0),
        (tf.float32, True, mode == "resource"),
    ):
        with graph_session() as session:
            w = variable(np.ones(3), dtype, resource=mode == "resource")
            generated("adam")(amsgrad=amsgrad).apply_gradients([(tf.ones([3], dtype), w)])
            kinds = [op.type for op in session.graph.get_operations()]
            assert sum("ApplyAdam" in kind for kind in kinds) == calls


@pytest.mark.parametrize("mode", GRAPH)
def test_an_operation_is_the_step_of_a_table_whose_rows_all_move(mode):
    """With a dense gradient: a sweep by plain operations takes three times as long."""
    resource = mode == "resource"
    for name, dtype, calls in (
        ("adam", tf.float32, 1),
        ("adam", tf.float16, 0),
        ("nag", tf.float32, resource),
    ):
        with graph_session() as session:
            w = variable(np.ones((3, 2)), dtype, resource=resource)
            gradient = tf.IndexedSlices(tf.ones([2, 2], dtype), tf.constant([2, 2]))
            generated(name)(0.1).apply_gradients([(gradient, w)])
            kinds = [op.type for op in session.graph.get_operations()]
            assert sum("Apply" in kind for kind in kinds) == calls, name
