"""A cluster of processes on this machine, for tests. Runs on Python 3.7.

The processes are forked from one that has imported TensorFlow and not used it: only the first one
takes as long as an import. Each serves one object, of which the test calls methods.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import traceback

import numpy as np

LIMIT = 300  # seconds that a process may live, and that an answer may take

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tensorflow", "tf_keras"])


class Cluster:
    """Processes with addresses; used in a `with`, at the end of which all of them are killed.

    The ports are bound here for as long as the cluster is there, so that nobody else gets them; a
    server may listen at them all the same, since this one does not listen and both allow the other
    (SO_REUSEADDR). So the next process of a killed one can take its place.
    """

    def __init__(self, **jobs):
        self._sockets = []
        self._members = []
        self.addresses = {job: [self._address() for _ in range(n)] for job, n in jobs.items()}

    def _address(self):
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("", 0))
        self._sockets.append(holder)
        return f"127.0.0.1:{holder.getsockname()[1]}"

    def start(self, make, job, index, *args):
        """A process that serves `make(addresses, job, index, *args)`."""
        member = Member(make, (self.addresses, job, index, *args))
        self._members.append(member)
        return member

    def kill(self):
        """Kills all the processes there are."""
        for member in self._members:
            member.kill()
        self._members = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        for holder in self._sockets:
            holder.close()


class Member:
    """A process of a cluster."""

    def __init__(self, make, args):
        self._pipe, end = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(end, make, args), daemon=True)
        self._process.start()
        end.close()
        self._unanswered = 1  # that it is there

    def ask(self, method, *args):
        """Begins a call; `answer` has what comes of it."""
        self._pipe.send((method, args))
        self._unanswered += 1

    def answer(self):
        """What the last call returned, in at most LIMIT seconds; AssertionError if it raised."""
        while self._unanswered:
            assert self._pipe.poll(LIMIT), "no answer"
            try:
                error, value = self._pipe.recv()
            except EOFError:
                raise AssertionError("the process has ended") from None
            self._unanswered -= 1
            assert not error, error
        return value

    def call(self, method, *args):
        self.ask(method, *args)
        return self.answer()

    def kill(self):
        """As from a machine that breaks down: SIGKILL."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def batch(step, worker, height=6):
    """What a worker sees in a step: targets for a variable of 4 elements, and for some rows of a
    table of this height and 2 columns; and which rows.

    The rows are the same for all workers: where some lack a row, its mean in the
    SyncReplicasOptimizer of TF1 is that of the others.
    """
    random, noise = (np.random.RandomState(seed) for seed in (1, 2 + 10 * step + worker))
    rows = np.sort(np.random.RandomState(step).permutation(height)[:4])
    values = random.standard_normal((height, 2))[rows] + 0.1 * noise.standard_normal((4, 2))
    return random.standard_normal(4) + 0.1 * noise.standard_normal(4), values, rows


def together(*calls):
    """Calls of several processes, such as (member, method, *args), at the same time."""
    for member, *call in calls:
        member.ask(*call)
    return [member.answer() for member, *_ in calls]


def _serve(pipe, make, args):
    signal.alarm(LIMIT)  # the kernel ends it, whatever it does and whoever is left
    try:
        served = make(*args)
        pipe.send((None, None))
        while True:
            try:
                method, arguments = pipe.recv()
            except EOFError:  # the test is over
                break
            pipe.send((None, getattr(served, method)(*arguments)))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
    os._exit(0)  # without waiting for TensorFlow's threads
