"""The programs of docs/distribution.md run, each process of a cluster as a process of its own."""

import json
import os
import re
import runpy
import time
from pathlib import Path

import pytest

from tests.cluster import LIMIT, Cluster

pytestmark = pytest.mark.tf

PAGE = Path(__file__).resolve().parents[2] / "docs/distribution.md"
PROGRAMS = dict(re.findall(r"^```py\n# (\w+)\.py\n(.*?)^```$", PAGE.read_text(), re.M | re.S))


class Program:
    """Runs one, in the folder of its file."""

    def __init__(self, addresses, job, index, path):
        os.chdir(path.parent)
        task = {"type": job, "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": addresses, "task": task})
        self.path = path

    def run(self):
        runpy.run_path(str(self.path))


def run(name, folder, second_worker_may_start=lambda: True, **jobs):
    """Runs a program in these processes, until those are at their end that have one."""
    path = folder / f"{name}.py"
    path.write_text(PROGRAMS[name])
    ending = "chief" if "chief" in jobs else "worker"
    with Cluster(**jobs) as cluster:
        members = []
        for job, index in [(job, i) for job, count in jobs.items() for i in range(count)]:
            if (job, index) == ("worker", 1):
                deadline = time.monotonic() + LIMIT
                while not second_worker_may_start():
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            member = cluster.start(Program, job, index, path)
            member.ask("run")
            members += [member] if job == ending else []
        for member in members:
            member.answer()


@pytest.fixture(scope="module")
def steps():
    """Reads how many steps the newest checkpoint has seen. Imports TensorFlow here alone."""
    import tensorflow as tf

    def read(folder, name):
        reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
        return reader.get_tensor(name)

    return read


ITERATIONS = "optimizer/iter/.ATTRIBUTES/VARIABLE_VALUE"


def test_every_program_is_run():
    assert set(PROGRAMS) == {"mirrored", "multi_worker", "parameter_servers", "cluster"}


def test_mirrored(tmp_path):
    run("mirrored", tmp_path, worker=1)


def test_multi_worker(tmp_path, steps):
    run("multi_worker", tmp_path, worker=2)
    assert steps(tmp_path / "checkpoints/0", ITERATIONS) == 12


def test_parameter_servers(tmp_path, steps):
    for count in (20, 40):  # the second run goes on from the first one's checkpoint
        run("parameter_servers", tmp_path, chief=1, worker=2, ps=2)
        assert steps(tmp_path / "checkpoints", ITERATIONS) == count


def test_cluster(tmp_path, steps):
    # A worker that comes before the chief has made the variables looks again after 30 seconds.
    run("cluster", tmp_path, lambda: list(tmp_path.glob("checkpoints/*.index")), ps=1, worker=2)
    assert steps(tmp_path / "checkpoints", "global_step") >= 20
