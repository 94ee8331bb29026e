"""Rows that wait: their slots decay when they are next used, to what they would be anyway."""

import contextlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import (
    GRAPH,
    eager_mode,
    generated,
    graph_session,
    rows,
    variable,
)

pytestmark = pytest.mark.tf

HEIGHT, WIDTH, STEPS = 12, 3, 25
NAMES = ["radam", "nadam", "yogi", "rmsprop", "add_sign"]


def gradients(seed=0, steps=STEPS):
    """Of each step the rows, some of them twice, and their values; most rows are seldom there."""
    rng = np.random.RandomState(seed)
    for _ in range(steps):
        indices = rng.randint(0, rng.randint(2, HEIGHT + 1), 3)
        yield indices, rng.randn(3, WIDTH)


def made(name, waits, *args, **kwargs):
    """An optimizer, whose rows wait or which sweeps them all."""
    optimizer = generated(name)(*(args or (0.1,)), **kwargs)
    optimizer._waits = optimizer._waits and waits
    return optimizer


class Run:
    """An optimizer of a graph with one table, and its steps."""

    def __init__(self, optimizer, session, resource=True, dtype="float32", **kwargs):
        self.optimizer, self.session = optimizer, session
        self.table = variable(np.ones((HEIGHT, WIDTH)), dtype, resource, **kwargs)
        self.values = tf.placeholder(dtype, [None, WIDTH])
        self.indices = tf.placeholder(tf.int64, [None])
        slices = tf.IndexedSlices(self.values, self.indices)
        self.update = optimizer.apply_gradients([(slices, self.table)])
        session.run(tf.global_variables_initializer())

    def step(self, indices, values, feed=None):
        self.session.run(self.update, {self.indices: indices, self.values: values, **(feed or {})})

    @property
    def waits(self):
        return bool(self.optimizer._record(self.table))

    def state(self, catch_up=True):
        """The table and its slots."""
        if catch_up and self.waits:
            self.session.run(self.optimizer.catch_up())
        names = [slot.name for slot in self.optimizer._kept_slots()]
        slots = [self.optimizer.get_slot(self.table, name) for name in names]
        return self.session.run([self.table, *slots])


def assert_same(one, other, unit=2.0**-24):
    """To the rounding of one multiplication a step; what is left of a sum may be little."""
    (w, *slots), (x, *others) = one, other
    np.testing.assert_allclose(w, x, rtol=2 * STEPS * unit, atol=100 * STEPS * unit)
    assert len(slots) == len(others)
    for y, z in zip(slots, others):
        np.testing.assert_allclose(y, z, rtol=2 * STEPS * unit, atol=2 * unit * np.max(np.abs(z)))


@contextlib.contextmanager
def pair(name, *args, resource=True, dtype="float32", **kwargs):
    """A run in which rows wait, and one in which they are swept."""
    with graph_session() as session:
        yield [Run(made(name, w, *args, **kwargs), session, resource, dtype) for w in (True, False)]


@pytest.mark.parametrize("mode", GRAPH)
@pytest.mark.parametrize("name", NAMES)
def test_rows_catch_up_with_the_sweep(name, mode):
    """Seen at the end only, after steps in which most rows were not used."""
    with pair(name, resource=mode == "resource") as both:
        for gradient in gradients():
            for run in both:
                run.step(*gradient)
        assert [run.waits for run in both] == [True, False]
        assert_same(*(run.state() for run in both))


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_in_eager_mode_slots_are_up_to_date_when_they_are_read(mode):
    with eager_mode():
        states = []
        for waits in (True, False):
            optimizer = made("radam", waits)
            table = variable(np.ones((HEIGHT, WIDTH)))

            def step(indices, values, optimizer=optimizer, table=table):
                optimizer.apply_gradients([(rows(values, indices), table)])

            run = tf.function(step) if mode == "function" else step
            for indices, values in gradients():
                run(tf.constant(indices), tf.constant(values, tf.float32))
            assert bool(optimizer._record(table)) == waits
            states.append([table, *(optimizer.get_slot(table, n) for n in ("m", "v"))])
        assert_same(*[[x.numpy() for x in state] for state in states])


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_other_dtypes(dtype):
    with pair("radam", dtype=dtype) as both:
        for gradient in gradients():
            for run in both:
                run.step(*gradient)
        (w, *slots), (x, *others) = (run.state() for run in both)
        unit = 2.0**-53 if dtype == "float64" else 2.0**-24
        for y, z in zip(slots, others):
            np.testing.assert_allclose(y, z, rtol=4 * STEPS * unit, atol=0)
        np.testing.assert_allclose(w, x, rtol=1e-12 if dtype == "float64" else 1e-2)


@pytest.mark.parametrize("mode", GRAPH)
def test_a_hyperparameter_that_changes(mode):
    """What rows have missed, they missed with the old factor."""
    with graph_session() as session:
        runs, feeds = [], []
        for waits in (True, False):
            feeds.append(tf.placeholder_with_default(np.float64(0.9), []))
            optimizer = made("radam", waits, 0.1, feeds[-1])
            runs.append(Run(optimizer, session, mode == "resource"))
        for number, gradient in enumerate(gradients()):
            beta = 0.9 if number < 10 else 0.0 if number < 15 else 0.7
            for run, fed in zip(runs, feeds):
                run.step(*gradient, feed={fed: beta})
        assert runs[0].waits
        assert_same(*(run.state() for run in runs))


@pytest.mark.parametrize("mode", GRAPH)
def test_dense_gradients_in_between(mode):
    """They move all rows, after what those have left to do."""
    with pair("radam", resource=mode == "resource") as both:
        dense = tf.placeholder(tf.float32, [HEIGHT, WIDTH])
        updates = [run.optimizer.apply_gradients([(dense, run.table)]) for run in both]
        for number, (indices, values) in enumerate(gradients()):
            for run, update in zip(both, updates):
                if number % 5 == 3:
                    run.session.run(update, {dense: np.outer(np.ones(HEIGHT), values[0])})
                else:
                    run.step(indices, values)
        assert both[0].waits
        assert_same(*(run.state() for run in both))


def test_a_variable_whose_first_gradient_is_dense_sweeps():
    """Dense steps that were built before know nothing of rows that wait."""
    with graph_session():
        optimizer, table = made("radam", True), variable(np.ones((HEIGHT, WIDTH)))
        optimizer.apply_gradients([(tf.ones([HEIGHT, WIDTH]), table)])
        optimizer.apply_gradients([(rows([[1.0] * WIDTH], [3]), table)])
        assert not optimizer._record(table)
        assert len(optimizer.variables()) == 3


@pytest.mark.parametrize("mode", GRAPH)
@pytest.mark.parametrize("name", NAMES)
def test_a_saver_brings_back_rows_that_wait(name, mode, tmp_path):
    """In the middle, with work left to do; into a state that has gone astray. Bit for bit."""
    steps, states = list(gradients()), []
    with graph_session() as session:
        run = Run(made(name, True), session, mode == "resource")
        saver = tf.train.Saver()
        for gradient in steps[:10]:
            run.step(*gradient)
        path = saver.save(session, str(tmp_path / "w"))
        for again in (False, True):
            if again:
                saver.restore(session, path)
            for gradient in steps[10:]:
                run.step(*gradient)
            states.append(run.state(catch_up=False) + session.run(run.optimizer._record(run.table)))
    for x, y in zip(*states):
        np.testing.assert_array_equal(x, y)


def test_a_checkpoint_of_objects_in_eager_mode(tmp_path):
    steps, states = list(gradients()), []
    with eager_mode():
        for restored in (False, True):
            optimizer, table = made("radam", True), variable(np.ones((HEIGHT, WIDTH)))
            checkpoint = tf.train.Checkpoint(w=table, o=optimizer)
            if restored:
                checkpoint.restore(str(tmp_path / "c-1"))
            for number, (indices, values) in enumerate(steps):
                if number >= 10 or not restored:
                    gradient = rows(tf.constant(values, tf.float32), indices)
                    optimizer.apply_gradients([(gradient, table)])
                if number == 9 and not restored:
                    checkpoint.save(str(tmp_path / "c"))
            assert optimizer._record(table)
            states.append([table.numpy(), *(optimizer.get_slot(table, n).numpy() for n in "mv")])
    for x, y in zip(*states):
        np.testing.assert_array_equal(x, y)


def test_catching_up_twice_changes_nothing():
    with pair("nadam") as (run, _):
        for gradient in gradients():
            run.step(*gradient)
        before = run.state()
        for x, y in zip(before, run.state()):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("mode", GRAPH)
def test_under_a_constraint(mode):
    with graph_session() as session:
        runs = [
            Run(made("radam", w), session, mode == "resource", constraint=lambda x: x * 0.5)
            for w in (True, False)
        ]
        for gradient in gradients():
            for run in runs:
                run.step(*gradient)
        assert runs[0].waits
        assert_same(*(run.state() for run in runs))


def test_shards_are_swept():
    with graph_session() as session:
        with tf.variable_scope("s", partitioner=tf.fixed_size_partitioner(2)):
            tables = list(tf.get_variable("t", [HEIGHT, WIDTH]))
        optimizer = made("radam", True)
        update = optimizer.apply_gradients([(rows([[1.0] * WIDTH], [3]), t) for t in tables])
        session.run(tf.global_variables_initializer())
        session.run(update)
        assert not any(optimizer._record(t) for t in tables)
        session.run(optimizer.catch_up())


@pytest.mark.parametrize("mode", GRAPH)
def test_a_row_outside_of_the_table_changes_nothing(mode):
    with pair("radam", resource=mode == "resource") as (run, _):
        run.step(*next(gradients()))
        before = run.state(catch_up=False)
        with pytest.raises(tf.errors.InvalidArgumentError, match="sparse gradient"):
            run.step([HEIGHT], np.ones((1, WIDTH)))
        for x, y in zip(before, run.state(catch_up=False)):
            np.testing.assert_array_equal(x, y)
