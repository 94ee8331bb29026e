"""Several replicas and workers: MirroredStrategy and SyncReplicasOptimizer."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.support import ROOT
from tests.tf1.harness import TF2, dense_of, generated, graph_session, train, variable
from tests.tf1.mirrored import CASES, DENSE, INDICES, ROWS, STEPS, optimizer

pytestmark = pytest.mark.tf

# TF 1.15 cannot run merge_call in a tf.function under a strategy, with any optimizer.
MODES = ["graph", "eager", "function"] if TF2 else ["graph", "eager"]


def mirrored(mode):
    """What the two replicas end with, in each case."""
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONPATH=ROOT)
    command = [sys.executable, "-W", "ignore", "-m", "tests.tf1.mirrored", mode]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout.decode().splitlines()[-1])


@pytest.mark.parametrize("mode", MODES)
def test_two_replicas_are_one_device_with_the_sum_of_gradients(mode):
    for (name, arguments), found in zip(CASES, mirrored(mode)):
        gradients = [[3 * DENSE, (3 * ROWS, INDICES)]] * STEPS
        start = [[1.0, 2.0], np.ones((4, 2))]
        values, slots = train(optimizer(name)(**arguments), start, gradients)
        for i, variable_name in enumerate(["w", "table"]):
            np.testing.assert_allclose(found[variable_name], values[i], rtol=1e-5)
            for slot, value in slots[i].items():
                np.testing.assert_allclose(found[variable_name + "/" + slot], value, rtol=1e-5)
        if name not in ("momentum", "lazy_total") and mode != "function":
            assert found["step"] == STEPS


def test_workers_that_wait_for_each_other():
    """SyncReplicasOptimizer with one worker of one: a step is a step of the optimizer itself."""
    for resource in (False, True):
        with graph_session():
            step = tf.train.get_or_create_global_step()
            w = variable([1.0, 2.0], resource=resource)
            table = variable(np.ones((4, 2)), resource=resource)
            opt = tf.train.SyncReplicasOptimizer(generated("adam")(0.1), 1, 1)
            sparse = tf.IndexedSlices(tf.constant(ROWS), tf.constant(INDICES), [4, 2])
            pairs = [(tf.constant(DENSE), w), (sparse, table)]
            update = opt.apply_gradients(pairs, global_step=step)
            hook = opt.make_session_run_hook(is_chief=True, num_tokens=0)
            # at its end a thread still waits for gradients, and is not waited for
            with tf.train.SingularMonitoredSession([hook], stop_grace_period_secs=1) as session:
                for _ in range(STEPS):
                    session.run(update)
                found = session.run([w, table])
        grads = [[DENSE, dense_of((ROWS, INDICES), (4, 2))]] * STEPS
        expected, _ = train(generated("adam")(0.1), [[1.0, 2.0], np.ones((4, 2))], grads)
        for one, other in zip(found, expected):
            np.testing.assert_allclose(one, other, rtol=1e-5)
