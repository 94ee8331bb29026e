"""What an optimizer keeps: names, scopes, shards, checkpoints of both kinds."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import eager_mode, generated, graph_session, rows, variable

pytestmark = pytest.mark.tf

ARGUMENTS = {
    "adam": (0.1,), "momentum": (0.1, 0.5), "nadam": (0.1,), "novograd": (0.1,),
    "rmsprop_tf": (0.1,), "adagrad_no_eps": (0.1,), "ftrl": (0.1,), "adadelta": (1.0,),
}  # fmt: skip


def make(name, **kwargs):
    return generated(name)(*ARGUMENTS[name], **kwargs)


def test_slots_have_the_names_of_the_built_in_ones():
    train = tf.train
    built_in = {
        "momentum": train.MomentumOptimizer(0.1, 0.5),
        "rmsprop_tf": train.RMSPropOptimizer(0.1),
        "adagrad_no_eps": train.AdagradOptimizer(0.1),
        "adadelta": train.AdadeltaOptimizer(1.0),
        "ftrl": train.FtrlOptimizer(0.1),
        "adam": train.AdamOptimizer(0.1),
    }
    for name, expected in built_in.items():
        states = []
        for opt in (make(name), expected):
            with graph_session():
                w = variable([1.0], name="w")
                opt.apply_gradients([(tf.constant([1.0]), w)])
                slots = {n: opt.get_slot(w, n).op.name for n in opt.get_slot_names()}
                states.append(slots)
        assert states[0] == states[1], name


@pytest.mark.parametrize("name", ["momentum", "rmsprop_tf", "adagrad_no_eps", "ftrl", "adadelta"])
@pytest.mark.parametrize("resource", [False, True])
def test_a_saver_restores_what_the_built_in_saved(name, resource, tmp_path):
    built_in = {
        "momentum": tf.train.MomentumOptimizer,
        "rmsprop_tf": tf.train.RMSPropOptimizer,
        "adagrad_no_eps": tf.train.AdagradOptimizer,
        "ftrl": tf.train.FtrlOptimizer,
        "adadelta": tf.train.AdadeltaOptimizer,
    }[name]
    path, ends = str(tmp_path / "model"), []
    for opt in (built_in(*ARGUMENTS[name]), make(name)):
        with graph_session() as session:
            w = variable([1.0, 2.0], resource=resource, name="w")
            update = opt.minimize(tf.reduce_sum(tf.square(w)))
            session.run(tf.global_variables_initializer())
            if not ends:
                for _ in range(3):
                    session.run(update)
                tf.train.Saver().save(session, path)
            else:
                tf.train.Saver().restore(session, path)
            for _ in range(2):
                session.run(update)
            ends.append(session.run(w))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_a_saver_goes_on_bit_for_bit(name, resource, sparse, tmp_path):
    path = str(tmp_path / "model")

    def run(restore, steps, save=False):
        with graph_session() as session:
            w = variable(np.arange(8.0).reshape(4, 2) + 1, resource=resource, name="w")
            g = rows([[1.0, 2.0], [3.0, 4.0]], [1, 3]) if sparse else tf.sin(w)
            update = make(name).apply_gradients([(g, w)])
            session.run(tf.global_variables_initializer())
            if restore:
                tf.train.Saver().restore(session, path)
            for _ in range(steps):
                session.run(update)
            if save:
                tf.train.Saver().save(session, path)
            return session.run(tf.global_variables())

    whole = run(False, 5)
    run(False, 3, save=True)
    for one, other in zip(whole, run(True, 2)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_object_checkpoint_goes_on_bit_for_bit(name, tmp_path):
    def step(opt, w):
        opt.apply_gradients([(tf.sin(w), w)])

    with eager_mode():
        whole, w = make(name), variable([1.0, 2.0])
        for _ in range(5):
            step(whole, w)
        saved, half = make(name), variable([1.0, 2.0])
        for _ in range(3):
            step(saved, half)
        path = tf.train.Checkpoint(opt=saved, w=half).save(str(tmp_path / "ckpt"))
        # Restored before its first step (deferred), and after one.
        for steps_before in (0, 1):
            opt, other = make(name), variable([5.0, 5.0])
            for _ in range(steps_before):
                step(opt, other)
            status = tf.train.Checkpoint(opt=opt, w=other).restore(path)
            for _ in range(2):
                step(opt, other)
            status.assert_consumed()
            np.testing.assert_array_equal(other.numpy(), w.numpy())


def test_an_object_checkpoint_restores_float32_slots_of_half_variables(tmp_path):
    with eager_mode():
        opt, w = make("adam"), variable([1.0], tf.float16)
        opt.apply_gradients([(tf.constant([0.3], tf.float16), w)])
        path = tf.train.Checkpoint(opt=opt, w=w).save(str(tmp_path / "ckpt"))
        other, v = make("adam"), variable([0.0], tf.float16)
        tf.train.Checkpoint(opt=other, w=v).restore(path)
        for o, x in ((opt, w), (other, v)):
            o.apply_gradients([(tf.constant([0.3], tf.float16), x)])
        assert other.get_slot(v, "m").dtype == tf.float32
        for slot in ("m", "v"):
            np.testing.assert_array_equal(
                other.get_slot(v, slot).numpy(), opt.get_slot(w, slot).numpy()
            )


@pytest.mark.parametrize("resource", [False, True])
def test_an_object_checkpoint_in_a_graph(resource, tmp_path):
    path = None
    ends = []
    for _ in range(2):
        with graph_session() as session:
            w = variable([1.0, 2.0], resource=resource)
            opt = make("adam")
            update = opt.apply_gradients([(tf.constant([0.3, -0.1]), w)])
            checkpoint = tf.train.Checkpoint(opt=opt, w=w)
            session.run(tf.global_variables_initializer())
            if path is None:
                for _ in range(3):
                    session.run(update)
                path = checkpoint.save(str(tmp_path / "ckpt"), session=session)
            else:
                checkpoint.restore(path).assert_consumed().run_restore_ops(session)
            session.run(update)
            ends.append(session.run([w, *opt.variables()]))
    for one, other in zip(*ends):
        np.testing.assert_array_equal(one, other)


def partitioned(shards, resource, saver_path=None, steps=0, name="adam", restore=False):
    """Steps of a table in `shards`; what the whole table and its slots are then."""
    with graph_session() as session:
        with tf.variable_scope(
            "model", partitioner=tf.fixed_size_partitioner(shards), use_resource=resource
        ):
            start = tf.constant(np.arange(12.0).reshape(6, 2), tf.float32)
            table = tf.get_variable("table", initializer=start)
            # The optimizer inherits the partitioner; its slots must not.
            looked_up = tf.nn.embedding_lookup(table, [0, 3, 5, 3], partition_strategy="div")
            opt = make(name)
            update = opt.minimize(tf.reduce_sum(tf.square(looked_up)))
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        if restore:
            saver.restore(session, saver_path)
        for _ in range(steps):
            session.run(update)
        if saver_path and not restore:
            saver.save(session, saver_path)
        slots = [
            np.concatenate([session.run(opt.get_slot(part, slot)) for part in list(table)], axis=0)
            for slot in opt.get_slot_names()
        ]
        return [session.run(tf.convert_to_tensor(table)), *slots]


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("name", ["adam", "momentum", "rmsprop_tf"])
def test_shards_are_saved_as_three_and_restored_as_two(name, resource, tmp_path):
    path = str(tmp_path / "model")
    whole = partitioned(3, resource, steps=5, name=name)
    partitioned(3, resource, path, steps=3, name=name)
    for one, other in zip(whole, partitioned(2, resource, path, 2, name, restore=True)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("resource", [False, True])
def test_scalar_slots_of_shards_are_kept_by_shard(resource, tmp_path):
    path, saved = str(tmp_path / "model"), None
    for restore in (False, True):
        with graph_session() as session:
            with tf.variable_scope("", use_resource=resource):
                table = tf.get_variable("t", [4], partitioner=tf.fixed_size_partitioner(2))
            opt = make("novograd")
            update = opt.minimize(tf.reduce_sum(tf.square(tf.convert_to_tensor(table))))
            session.run(tf.global_variables_initializer())
            norms = [opt.get_slot(part, "v") for part in list(table)]
            assert [v.shape.as_list() for v in norms] == [[], []]
            if restore:
                tf.train.Saver().restore(session, path)
                np.testing.assert_array_equal(session.run(norms), saved)
            else:
                session.run(update)
                tf.train.Saver().save(session, path)
                saved = session.run(norms)
                assert saved[0] != saved[1]


@pytest.mark.parametrize("resource", [False, True])
def test_slots_are_the_same_in_any_scope(resource, tmp_path):
    path, names = str(tmp_path / "model"), []
    for scope in ("", "plain", "reuse"):
        with graph_session() as session:
            with tf.variable_scope("model", use_resource=resource):
                w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
            root = tf.get_variable_scope()
            with tf.variable_scope(scope or root, reuse=scope == "reuse"), tf.name_scope("train"):
                opt = make("adam")
                update = opt.apply_gradients([(tf.constant([1.0, 1.0]), w)])
            names.append([v.op.name for v in opt.variables()])
            saver = tf.train.Saver()
            session.run(tf.global_variables_initializer())
            if len(names) == 1:
                session.run(update)
                saver.save(session, path)
                saved = session.run(opt.variables())
            else:
                saver.restore(session, path)
                for one, other in zip(saved, session.run(opt.variables())):
                    np.testing.assert_array_equal(one, other)
    assert names[0] == names[1] == names[2] == ["Adam_step", "model/w/Adam", "model/w/Adam_1"]


@pytest.mark.parametrize("resource", [False, True])
@pytest.mark.parametrize("scope", ["", "train"])
def test_two_optimizers_of_one_name(scope, resource):
    with graph_session() as session:
        w = variable([1.0], resource=resource, name="w")
        with tf.variable_scope(scope or tf.get_variable_scope()):
            one, other = make("adam"), make("adam")
            first = one.apply_gradients([(tf.constant([1.0]), w)])
            second = other.apply_gradients([(tf.constant([1.0]), w)])
        session.run(tf.global_variables_initializer())
        names = [v.op.name for opt in (one, other) for v in opt.variables()]
        assert names == [
            "Adam_step", "w/Adam", "w/Adam_1", "Adam_step_1", "w/Adam_2", "w/Adam_3",
        ]  # fmt: skip
        session.run(first)
        session.run(first)
        session.run(second)
        np.testing.assert_array_equal(
            [session.run(opt.variables()[0]) for opt in (one, other)], [2, 1]
        )


@pytest.mark.parametrize("resource", [False, True])
def test_beside_a_built_in_of_the_same_name(resource):
    with graph_session() as session:
        w = variable([1.0], resource=resource, name="w")
        for opt in (tf.train.AdamOptimizer(0.1), make("adam")):
            opt.apply_gradients([(tf.constant([1.0]), w)])
        session.run(tf.global_variables_initializer())
        names = {v.op.name for v in tf.global_variables()}
        assert {"w/Adam", "w/Adam_1", "w/Adam_2", "w/Adam_3"} < names


def test_one_optimizer_used_twice_in_a_graph_has_one_state():
    with graph_session() as session:
        w, opt = variable([1.0]), make("adam")
        updates = [opt.apply_gradients([(tf.constant([1.0]), w)]) for _ in range(2)]
        session.run(tf.global_variables_initializer())
        for update in (*updates, *updates):
            session.run(update)
        assert len(opt.variables()) == 3
        assert session.run(opt.variables()[0]) == 4


def test_slots_are_not_trainable_and_lie_with_their_variable():
    with graph_session():
        with tf.device("/cpu:0"):
            w = variable([1.0], name="w")
        opt = make("adam")
        opt.apply_gradients([(tf.constant([1.0]), w)])
        assert tf.trainable_variables() == [w]
        assert all(v.device == w.device for v in opt.variables())


def test_a_restored_graph_runs_on(tmp_path):
    # The state is in the graph: a meta graph has all that is needed to go on.
    path = str(tmp_path / "model")
    with graph_session() as session:
        w = variable([1.0], resource=False, name="w")
        make("adam").apply_gradients([(tf.constant([1.0]), w)], name="train")
        session.run(tf.global_variables_initializer())
        session.run("train")
        tf.train.Saver().save(session, path)
    with graph_session() as session:
        tf.train.import_meta_graph(path + ".meta").restore(session, path)
        session.run("train")
        np.testing.assert_allclose(session.run("w:0"), [0.8], rtol=1e-5)


def test_a_second_list_of_variables_adds_only_what_is_missing():
    with graph_session():
        a, b, opt = variable([1.0], name="a"), variable([1.0], name="b"), make("momentum")
        opt.apply_gradients([(tf.constant([1.0]), a)])
        opt.apply_gradients([(tf.constant([1.0]), a), (tf.constant([1.0]), b)])
        assert [v.op.name for v in opt.variables()] == ["a/Momentum", "b/Momentum"]
