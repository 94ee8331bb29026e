"""A `tf.train.Server` cluster on the loopback device: a parameter server and two workers.

It trains, loses a worker, goes on with another one in its place, and saves; then all of it is
killed. The next one restores, and goes on.
"""

import numpy as np
import pytest

from tests.cluster import Cluster, together
from tests.tf1 import clustered

pytestmark = pytest.mark.tf

# case: (module, synchronous, resource variables)
CASES = {
    "adam": ("adam", True, True),
    "nadam": ("nadam", True, True),
    "radam.ref": ("radam", True, False),
    "adam.async": ("adam", False, True),
    "adabelief.async.ref": ("adabelief", False, False),
}
SYNCHRONOUS = [case for case in CASES if ".async" not in case]
ASYNCHRONOUS = [case for case in CASES if ".async" in case]
LOST, SAVED, END = 3, 5, 8  # the steps after which that happens, where they are synchronous
MANY = 60  # steps of each worker where they are not


def start(cluster, folder):
    """A parameter server and two workers that have opened all the cases."""
    cluster.start(clustered.ParameterServer, "ps", 0).answer()
    return [start_worker(cluster, folder, index) for index in range(clustered.WORKERS)]


def start_worker(cluster, folder, index):
    worker = cluster.start(clustered.Worker, "worker", index, folder)
    for case, arguments in CASES.items():
        worker.call("open", case, *arguments)
    return worker


def train(workers, begin, end):
    """Takes synchronous steps: in each of them both workers, once."""
    for case in SYNCHRONOUS:
        for step in range(begin, end):
            together(*[(worker, "train", case, [step]) for worker in workers])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What was found of each case; the variables are dictionaries by name."""
    folder, found = str(tmp_path_factory.mktemp("checkpoints")), {case: {} for case in CASES}
    with Cluster(ps=1, worker=clustered.WORKERS) as cluster:
        chief, other = start(cluster, folder)
        train([chief, other], 0, LOST)
        for case in ASYNCHRONOUS:
            first = chief.call("train", case, [0])
            calls = [(worker, "train", case, range(1, MANY)) for worker in (chief, other)]
            found[case]["losses"] = first + together(*calls)[0]
        other.kill()
        for case in ASYNCHRONOUS:
            chief.call("train", case, range(MANY))
        other = start_worker(cluster, folder, 1)
        train([chief, other], LOST, SAVED)
        for case in CASES:
            found[case]["saved"] = chief.call("state", case)
            chief.call("save", case)
        cluster.kill()
        chief, other = start(cluster, folder)
        for case in CASES:
            found[case]["restored"] = other.call("state", case)
        train([chief, other], SAVED, END)
        for case in ASYNCHRONOUS:
            together(*[(worker, "train", case, range(MANY)) for worker in (chief, other)])
        for case in CASES:
            found[case]["end"] = chief.call("state", case)
    return found


@pytest.mark.parametrize("case", SYNCHRONOUS)
@pytest.mark.parametrize("time, steps", [("saved", SAVED), ("end", END)])
def test_workers_that_wait_for_each_other_equal_one_process(case, time, steps, found):
    module, _, use_resource = CASES[case]
    expected = clustered.in_one_process(module, range(steps), use_resource)
    assert found[case][time].keys() == expected.keys()
    for name, value in expected.items():
        # eight steps of some ten roundings, of 6e-8 each; a step more or less makes 1e-2
        np.testing.assert_allclose(found[case][time][name], value, 1e-5, 1e-5, err_msg=name)


@pytest.mark.parametrize("case", CASES)
def test_a_new_cluster_starts_from_what_was_saved(case, found):
    saved, restored = found[case]["saved"], found[case]["restored"]
    assert saved.keys() == restored.keys()
    for name, value in saved.items():
        np.testing.assert_array_equal(restored[name], value, err_msg=name)


@pytest.mark.parametrize("case", ASYNCHRONOUS)
def test_workers_that_do_not_wait(case, found):
    losses = found[case]["losses"]
    assert np.mean(losses[-10:]) < 0.1 * losses[0]
    for time, steps in [("saved", 3 * MANY - 1), ("end", 5 * MANY - 1)]:
        # TensorFlow itself may lose some of its `global_step` where that is a reference variable
        names = set(found[case][time]) - {"global_step"}
        (count,) = [name for name in names if name.endswith("_step")]
        assert found[case][time][count] == steps
