"""What the processes of a `tf.train.Server` cluster do; run by test_cluster.py.

Two workers train the same two variables, which lie on a parameter server: `w` and a table in two
partitions, of which a step looks up some rows.
"""

import os

import numpy as np
import tensorflow.compat.v1 as tf

from tests.cluster import batch
from tests.tf1.harness import generated

ROWS, WORKERS = 6, 2
CONFIG = {"intra_op_parallelism_threads": 1, "inter_op_parallelism_threads": 2}


class Model:
    """The variables, the loss of some targets, and the feeds for them."""

    def __init__(self, use_resource):
        self.step = tf.train.get_or_create_global_step()
        ramp = np.linspace(-1, 1, 4, dtype="float32")
        self.w = tf.get_variable("w", initializer=ramp, use_resource=use_resource)
        self.table = tf.get_variable(
            "table",
            [ROWS, 2],
            initializer=tf.ones_initializer(),
            partitioner=tf.fixed_size_partitioner(2),
            use_resource=use_resource,
        )
        self.feeds = []

    def loss(self):
        target, values = tf.placeholder(tf.float32, [4]), tf.placeholder(tf.float32, [4, 2])
        rows = tf.placeholder(tf.int64, [4])
        self.feeds += [target, values, rows]
        looked_up = tf.nn.embedding_lookup(self.table, rows, partition_strategy="div")
        return tf.reduce_sum((self.w - target) ** 2) + tf.reduce_sum((looked_up - values) ** 2)


def state(session):
    return {v.op.name: session.run(v) for v in tf.global_variables()}


class ParameterServer:
    def __init__(self, addresses, job, index):
        tf.disable_v2_behavior()
        config = tf.ConfigProto(**CONFIG)
        self.server = tf.train.Server(addresses, job, index, config=config)


class Worker:
    """The first worker is the chief: it makes the initial values, or restores a checkpoint."""

    def __init__(self, addresses, job, index, folder):
        tf.disable_v2_behavior()
        # Without a filter a session would wait for all the workers, also for those that died.
        self.device = f"/job:worker/task:{index}"
        self.config = tf.ConfigProto(device_filters=["/job:ps", self.device], **CONFIG)
        self.server = tf.train.Server(addresses, job, index, config=self.config)
        self.addresses, self.index, self.folder = addresses, index, folder
        self.sessions = {}

    def open(self, case, optimizer, synchronous, use_resource):
        """Builds the graph of a case and a session in it."""
        place = tf.train.replica_device_setter(cluster=self.addresses, worker_device=self.device)
        # A container keeps the cases apart that one server holds.
        with tf.Graph().as_default() as graph, graph.container(case), tf.device(place):
            model = Model(use_resource)
            opt, hooks = generated(optimizer)(learning_rate=0.1), []
            if synchronous:
                opt = tf.train.SyncReplicasOptimizer(opt, WORKERS, WORKERS)
                hooks = [opt.make_session_run_hook(self.index == 0, num_tokens=0)]
            loss = model.loss()
            train = opt.minimize(loss, global_step=model.step)
            saver = tf.train.Saver(save_relative_paths=True)
            session = tf.train.MonitoredTrainingSession(
                self.server.target,
                is_chief=self.index == 0,
                checkpoint_dir=os.path.join(self.folder, case),
                scaffold=tf.train.Scaffold(saver=saver),
                hooks=hooks,
                save_checkpoint_secs=None,
                save_summaries_steps=None,
                save_summaries_secs=None,
                log_step_count_steps=None,
                config=self.config,
            )
        self.sessions[case] = graph, session, model, train, loss, saver

    def train(self, case, steps):
        """Takes these steps, each with a batch of its own; returns the losses before them."""
        _, session, model, train, loss, _ = self.sessions[case]
        feeds = (dict(zip(model.feeds, batch(step, self.index))) for step in steps)
        return [session.run([loss, train], feed)[0] for feed in feeds]

    def state(self, case):
        """The values of all the variables by name."""
        graph, session, *_ = self.sessions[case]
        with graph.as_default():
            return state(session)

    def save(self, case):
        graph, session, *_, saver = self.sessions[case]
        with graph.as_default():
            saver.save(session._tf_sess(), os.path.join(self.folder, case, "model"))


def in_one_process(optimizer, steps, use_resource):
    """The same variables after steps with the means of both workers' gradients."""
    with tf.Graph().as_default(), tf.Session() as session:
        model = Model(use_resource)
        loss = (model.loss() + model.loss()) / 2
        train = generated(optimizer)(learning_rate=0.1).minimize(loss, global_step=model.step)
        session.run(tf.global_variables_initializer())
        for step in steps:
            session.run(train, dict(zip(model.feeds, (*batch(step, 0), *batch(step, 1)))))
        return state(session)
