"""Rules that do something in some steps only, and rules with totals over all variables."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import (
    GRAPH,
    MODES,
    TF2,
    composed,
    composed_numpy,
    eager_mode,
    generated,
    graph_session,
    rows,
    train,
    variable,
)

pytestmark = pytest.mark.tf

RNG = np.random.RandomState(0)
START = [RNG.normal(size=[3]), RNG.normal(size=[4, 2])]
ACCUMULATED = generated("accumulated_adam")


def gradients(steps):
    rng = np.random.RandomState(steps)
    return [[rng.normal(size=x.shape) for x in START] for _ in range(steps)]


def close(found, expected, tolerance=1e-13):
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------- some steps only


@pytest.mark.parametrize("mode", MODES)
def test_eight_small_batches_are_a_large_one(mode):
    """The mean of batches of 8 is the gradient of their 64, so the steps are those of Adam."""
    small = gradients(24)
    large = [[sum(g) / 8 for g in zip(*small[i : i + 8])] for i in (0, 8, 16)]
    found, slots = train(ACCUMULATED(0.1, steps_per_update=8), START, small, mode, tf.float64)
    expected, of_adam = train(generated("adam")(0.1), START, large, mode, tf.float64)
    close(found, expected)
    for one, other in zip(slots, of_adam):
        close([one["m"], one["v"]], [other["m"], other["v"]])
        assert not one["accumulator"].any()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_a_skipped_step_reaches_what_it_skips(mode):
    """A gradient that is not a number poisons the sum, and until its turn comes no slot of Adam."""
    poison = [[np.full(x.shape, np.nan) for x in START]]
    values, slots = train(ACCUMULATED(0.1, steps_per_update=8), START, poison, mode, tf.float64)
    close(values, START, 0)
    for of_one in slots:
        assert np.isnan(of_one["accumulator"]).all()
        assert not of_one["m"].any() and not of_one["v"].any()


@pytest.mark.parametrize("resource", [False, True])
def test_a_skipped_step_assigns_only_what_it_changes(resource):
    """The assignments to a slot are counted where a session runs them."""
    with graph_session() as session:
        w = variable(START[0], tf.float64, resource, name="w")
        update = ACCUMULATED(0.1, steps_per_update=8).apply_gradients([(tf.ones_like(w), w)])
        session.run(tf.global_variables_initializer())
        writes = [_assignments(session, update) for _ in range(8)]
    assert writes == [1] * 7 + [4]  # the sum alone; the sum, w, m and v


def _assignments(session, update):
    """How many states with elements a run assigned."""
    options = tf.RunOptions(trace_level=tf.RunOptions.SOFTWARE_TRACE)
    metadata = tf.RunMetadata()
    session.run(update, options=options, run_metadata=metadata)
    graph = session.graph
    names = [n.node_name for d in metadata.step_stats.dev_stats for n in d.node_stats]
    known = {op.name: op.type for op in graph.get_operations() if "update_w" in op.name}
    return sum(known.get(name) in ("Assign", "AssignVariableOp") for name in names)


@pytest.mark.parametrize("mode", MODES)
def test_sparse_and_dense_gradients_are_the_same(mode):
    """Also in the steps that are skipped, and with rows that differ between the steps."""
    sparse, dense = [], []
    for step in range(6):
        indices = np.array([step % 4, 3, 3])
        values = RNG.normal(size=[3, 2])
        table = np.zeros([4, 2])
        np.add.at(table, indices, values)
        sparse.append([(values, indices)])
        dense.append([table])
    for name in ("accumulated_clip", "slow_adam"):
        found, _ = train(composed(name)(), START[1:], sparse, mode, tf.float64)
        expected, _ = train(composed(name)(), START[1:], dense, mode, tf.float64)
        close(found, expected)


def test_branches_of_control_flow_v2_cannot_assign_to_reference_variables():
    tf.enable_control_flow_v2()
    with graph_session():
        w = variable([1.0], resource=False)
        with pytest.raises(RuntimeError, match="tf.disable_control_flow_v2"):
            composed("slow_adam")().apply_gradients([(tf.constant([1.0]), w)])


@pytest.mark.skipif(not TF2, reason="the default of TensorFlow 2")
def test_control_flow_v2_and_resource_variables():
    expected, _ = train(composed("slow_adam")(), START, [START] * 5, "eager")
    tf.enable_control_flow_v2()
    found, _ = train(composed("slow_adam")(), START, [START] * 5, "resource")
    close(found, expected, 1e-6)


@pytest.mark.parametrize("name", ["accumulated_clip", "slow_adam"])
@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("saved_after", [1, 2, 3])
def test_a_saver_goes_on_in_the_middle_of_a_cycle(name, resource, saved_after, tmp_path):
    path, steps = str(tmp_path / "model"), gradients(6)
    whole, _ = train(composed(name)(), START, steps, "resource" if resource else "ref", tf.float64)
    for part in (steps[:saved_after], steps[saved_after:]):
        with graph_session() as session:
            variables = [variable(x, tf.float64, resource) for x in START]
            fed = [tf.placeholder(tf.float64, x.shape) for x in START]
            update = composed(name)().apply_gradients(list(zip(fed, variables)))
            saver = tf.train.Saver()
            session.run(tf.global_variables_initializer())
            if part[0] is steps[saved_after]:
                saver.restore(session, path)
            for step in part:
                session.run(update, dict(zip(fed, step)))
            saver.save(session, path)
            found = session.run(variables)
    for one, other in zip(found, whole):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("saved_after", [1, 2, 3])
def test_a_checkpoint_of_objects_goes_on_in_the_middle_of_a_cycle(saved_after, tmp_path):
    steps = gradients(6)
    whole, _ = train(composed("slow_adam")(), START, steps, "eager", tf.float64)
    path = None
    with eager_mode():
        for part in (steps[:saved_after], steps[saved_after:]):
            variables = [variable(x, tf.float64) for x in START]
            opt = composed("slow_adam")()
            checkpoint = tf.train.Checkpoint(opt=opt, a=variables[0], b=variables[1])
            if path is not None:
                checkpoint.restore(path)
            for step in part:
                opt.apply_gradients([(tf.constant(g), w) for g, w in zip(step, variables)])
            path = checkpoint.save(str(tmp_path / "model"))
        found = [w.numpy() for w in variables]
    for one, other in zip(found, whole):
        np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------ totals


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["accumulated_clip", "lazy_total", "distant_momentum"])
def test_totals_are_those_of_numpy(name, mode):
    steps = gradients(5)
    found, _ = train(composed(name)(), START, steps, mode, tf.float64)
    arrays, opt = [x.copy() for x in START], composed_numpy(name)()
    for step in steps:
        opt.update(arrays, step)
    close(found, arrays)


@pytest.mark.parametrize("mode", MODES)
def test_a_lazy_total_is_of_the_rows_of_the_gradient(mode):
    values, indices = np.ones([2, 2]), np.array([1, 1])
    steps = [[(values, indices)], [(values, np.array([0, 3]))]]
    found, _ = train(composed("lazy_total")(), START[1:], steps, mode, tf.float64)
    m = np.zeros([4, 2])
    m[1] = 2
    w = START[1] - 0.1 * m / np.sqrt(np.sum(m**2))
    on = np.zeros([4, 2])
    on[[0, 3]] = 1
    close(found, [w - 0.1 * on / np.sqrt(np.sum(on**2))])


def test_no_variable_by_itself_has_a_total():
    """Frameworks that call the hooks themselves cannot know the sum."""
    with eager_mode():
        opt = composed("lazy_total")()
        opt.apply_gradients([(tf.constant([1.0]), variable([1.0]))])
        with pytest.raises(RuntimeError, match="apply_gradients"):
            opt._prepare()


@pytest.mark.parametrize("mode", GRAPH)
def test_no_gradients_are_refused_as_everywhere(mode):
    with graph_session(), pytest.raises(ValueError, match="No gradients"):
        w = variable([1.0], resource=mode == "resource")
        composed("lazy_total")().apply_gradients([(None, w)])


def test_a_callable_is_called_once_a_step():
    calls = []
    with eager_mode():
        opt = composed("lazy_total")(lambda: calls.append(0) or 0.1)
        w = variable(np.ones([4, 2]))
        opt.apply_gradients([(rows(np.ones([1, 2], "float32"), [1]), w)])
    assert len(calls) == 1
