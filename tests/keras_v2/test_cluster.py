"""Several processes on the loopback device: MultiWorkerMirroredStrategy, ParameterServerStrategy.

Each of them trains, loses a worker, is killed as a whole, restores in new processes, and goes on.
"""

import numpy as np
import pytest

from tests.cluster import Cluster, together
from tests.keras_v2 import clustered
from tests.keras_v2.helpers import TF1, assert_same

pytestmark = pytest.mark.tf

CASES = list(clustered.OPTIMIZERS)
SAVED, END, MANY = 3, 6, 100  # steps


def assert_near(found, expected):
    """As in one process: six steps of some ten roundings, of 6e-8 each. A step more makes 1e-2."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    """What two workers that wait for each other end with, and what happened on the way."""
    folder, found = str(tmp_path_factory.mktemp("mirrored")), {}
    with Cluster(worker=2) as cluster:

        def start():
            members = [cluster.start(clustered.Replica, "worker", i, folder) for i in range(2)]
            for member in members:
                member.answer()
            return members

        def both(*call):
            return together(*[(worker, *call) for worker in workers])

        workers = start()
        both("train", range(SAVED))
        both("save")
        found["saved"] = both("states")
        both("train", [SAVED])
        workers[1].kill()
        if not TF1:  # which waits for ever
            found["alone"] = workers[0].call("train_alone", SAVED)
        cluster.kill()
        workers = start()
        found["restored"] = both("restore")
        both("train", range(SAVED, END))
        found["end"] = both("states")
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("time, steps", [("saved", SAVED), ("end", END)])
def test_mirrored_workers_equal_one_process(case, time, steps, mirrored):
    first, other = mirrored[time]
    assert_same(first[case], other[case])
    assert_near(first[case], clustered.in_one_process(case, END, (0, 1))[steps - 1])


@pytest.mark.parametrize("case", CASES)
def test_mirrored_workers_restore(case, mirrored):
    for restored in mirrored["restored"]:
        assert_same(restored[case], mirrored["saved"][0][case])


if not TF1:  # which waits for ever for a worker that is gone, and has no parameter servers

    def test_a_mirrored_worker_that_is_left_alone_fails(mirrored):
        assert "task:1" in mirrored["alone"]

    @pytest.fixture(scope="module")
    def served(tmp_path_factory):
        """What a coordinator of two workers and two parameter servers finds."""
        folder = str(tmp_path_factory.mktemp("served"))
        found = {case: {} for case in CASES}
        with Cluster(chief=1, worker=2, ps=2) as cluster:
            coordinator, workers = start_servers(cluster, folder)
            for case in CASES:
                coordinator.call("train", case, range(2))
            workers[1].kill()
            for case in CASES:
                found[case]["losses"] = coordinator.call("train", case, range(2, SAVED))
                found[case]["saved"] = coordinator.call("state", case)
            coordinator.call("save")
            cluster.kill()
            coordinator, workers = start_servers(cluster, folder)
            for case, state in coordinator.call("restore").items():
                found[case]["restored"] = state
                coordinator.call("train", case, range(SAVED, END))
                found[case]["end"] = coordinator.call("state", case)
                found[case]["losses"] += coordinator.call("train_at_once", case, range(END, MANY))
                found[case]["many"] = coordinator.call("state", case)
        return found

    def start_servers(cluster, folder):
        """A coordinator and the workers."""
        servers, workers = (
            [cluster.start(clustered.Server, job, i) for i in range(2)] for job in ("ps", "worker")
        )
        for server in servers + workers:
            server.answer()
        coordinator = cluster.start(clustered.Coordinator, "chief", 0, folder)
        coordinator.answer()
        return coordinator, workers

    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize("time, steps", [("saved", SAVED), ("end", END)])
    def test_steps_on_parameter_servers_one_by_one_equal_one_process(case, time, steps, served):
        state = clustered.in_one_process(case, END)[steps - 1]
        assert_near(served[case][time], clustered.in_shards(state))

    @pytest.mark.parametrize("case", CASES)
    def test_parameter_servers_restore(case, served):
        assert_same(served[case]["restored"], served[case]["saved"])

    @pytest.mark.parametrize("case", CASES)
    def test_steps_that_do_not_wait_for_each_other(case, served):
        _w, _first, _second, iterations, *_ = served[case]["many"]
        assert iterations == MANY
        losses = served[case]["losses"]
        assert np.mean(losses[-10:]) < 0.5 * losses[0]
