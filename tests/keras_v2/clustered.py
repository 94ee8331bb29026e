"""What the processes of a cluster do under strategies of TensorFlow 2; run by test_cluster.py."""

import functools
import json
import os

import numpy as np

from tests.cluster import batch
from tests.keras_v2.helpers import TF1, composed, generated, tf

OPTIMIZERS = {
    "adam": lambda: generated("adam", "Adam")(0.1),  # exact: all rows move
    "nadam": lambda: generated("nadam", "Nadam")(0.1),  # hybrid, and a value that all share
    # totals of all variables, in every second step; and what counts these
    "clipped": lambda: composed("ClippedMomentum")(learning_rate=0.1, max_norm=0.5),
}
if TF1:  # which adds up the replicas' gradients too late for that; see test_distribution.py
    del OPTIMIZERS["clipped"]
HEIGHT = 6  # of the table


def distribute(name):
    """Something of tf.distribute, also where it is still experimental."""
    return getattr(tf.distribute, name, None) or getattr(tf.distribute.experimental, name)


class Training:
    """A variable, a table of which a step sees some rows, and an optimizer, under a strategy."""

    def __init__(self, case, strategy):
        self.strategy = strategy
        with strategy.scope():
            self.w = tf.Variable(np.linspace(-1, 1, 4, dtype="float32"), name="w")
            self.table = tf.Variable(tf.ones([HEIGHT, 2]), name="table")
            self.optimizer = OPTIMIZERS[case]()
        self.checkpoint = tf.train.Checkpoint(o=self.optimizer, w=self.w, table=self.table)
        self.step = tf.function(self._step)

    def _variables(self):
        return [self.w, *getattr(self.table, "variables", [self.table])]  # of a ShardedVariable

    def _step(self, targets, values, rows):
        """A step with the sum of the gradients of some batches."""
        variables = self._variables()

        def replica():
            with tf.GradientTape() as tape:
                looked_up = tf.nn.embedding_lookup(self.table, rows)
                loss = tf.reduce_sum((self.w - tf.cast(targets, tf.float32)) ** 2)
                loss += tf.reduce_sum((looked_up - tf.cast(values, tf.float32)) ** 2)
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return loss

        run = self.strategy.experimental_run_v2 if TF1 else self.strategy.run
        return run(replica)

    def state(self):
        """The values of variables and optimizer; of a table in shards those of all of it."""
        values = [v.numpy() for v in self._variables()]
        return [*values, *map(np.asarray, self.optimizer.get_weights())]

    def restore(self, path):
        """Takes everything from the one checkpoint there; returns the state."""
        status = self.checkpoint.restore(path + "-1")
        with self.strategy.scope():
            self.optimizer.build(self._variables())
        status.assert_existing_objects_matched()
        return self.state()


def batches(step, workers=(0,)):
    """The batches of some workers, stacked."""
    return [np.stack(parts) for parts in zip(*[batch(step, i, HEIGHT) for i in workers])]


@functools.lru_cache(maxsize=None)
def in_one_process(case, steps, workers=(0,)):
    """The states after 1, 2, … steps, each with the sum of these workers' gradients."""
    training, states = Training(case, tf.distribute.get_strategy()), []
    for step in range(steps):
        training.step(*map(tf.constant, batches(step, workers)))
        states.append(training.state())
    return states


def in_shards(state):
    """What a state is where the table is in two shards."""
    parts = [np.split(x, 2) if x.shape[:1] == (HEIGHT,) else [x] for x in state]
    return [x for part in parts for x in part]


class Replica:
    """A worker under MultiWorkerMirroredStrategy. All of them do the same at the same time."""

    def __init__(self, addresses, job, index, folder):
        _settle(addresses, job, index)
        self.index, self.folder = index, folder
        strategy = distribute("MultiWorkerMirroredStrategy")()
        self.trainings = {case: Training(case, strategy) for case in OPTIMIZERS}

    def train(self, steps):
        for training in self.trainings.values():
            for step in steps:
                training.step(*map(tf.constant, batches(step, [self.index])))

    def states(self):
        return {case: training.state() for case, training in self.trainings.items()}

    def save(self):
        """Every worker has to; what the first one writes counts."""
        for case, training in self.trainings.items():
            training.checkpoint.save(os.path.join(self.folder, str(self.index), case))

    def restore(self):
        return {
            case: training.restore(os.path.join(self.folder, "0", case))
            for case, training in self.trainings.items()
        }

    def train_alone(self, step):
        """A step that has to fail since the other worker is gone; returns how."""
        try:
            self.train([step])
        except tf.errors.UnavailableError as error:
            return str(error)


class Server:
    """A worker or a parameter server that does what a coordinator tells it."""

    def __init__(self, addresses, job, index):
        self.server = tf.distribute.Server(addresses, job, index, protocol="grpc")


class Coordinator:
    """Of ParameterServerStrategy; it has tables of more than 32 bytes in two shards."""

    def __init__(self, addresses, job, index, folder):
        _settle(addresses, job, index)
        self.folder = folder
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        split = tf.distribute.experimental.partitioners.MinSizePartitioner(16, max_shards=2)
        self.strategy = distribute("ParameterServerStrategy")(resolver, variable_partitioner=split)
        self.coordinator = _coordinator(self.strategy)
        self.trainings = {case: Training(case, self.strategy) for case in OPTIMIZERS}

    def train(self, case, steps):
        """One step after the other, on whatever worker."""
        return [self.train_at_once(case, [step])[0] for step in steps]

    def train_at_once(self, case, steps):
        """Steps that do not wait for each other; returns their losses."""
        step = self.trainings[case].step
        losses = [self.coordinator.schedule(step, args=batches(i)) for i in steps]
        self.coordinator.join()
        return self.coordinator.fetch(losses)

    def state(self, case):
        return self.trainings[case].state()

    def save(self):
        for case, training in self.trainings.items():
            training.checkpoint.save(os.path.join(self.folder, case))

    def restore(self):
        return {
            case: training.restore(os.path.join(self.folder, case))
            for case, training in self.trainings.items()
        }


def _coordinator(strategy):
    module = getattr(tf.distribute, "coordinator", None) or tf.distribute.experimental.coordinator
    return module.ClusterCoordinator(strategy)


def _settle(addresses, job, index):
    task = {"type": job, "index": index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": addresses, "task": task})
