"""The fused loops of fused.c, compiled here and now: the measure that all arenas have in common.

A call for each tensor, its arguments prepared.
"""

import ctypes
import os
import subprocess
import tempfile

import numpy as np

from benchmarks.race.child import THREADS
from benchmarks.race.rules import (
    B1,
    B2,
    DENSE,
    EPS,
    LAMB_EPS,
    LION_B2,
    LR,
    RANGER_B1,
    RANGER_EPS,
    SYNC_PERIOD,
)

FLAGS = ["-O3", "-march=native", "-ffast-math", "-fopenmp"]


def _compiled():
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fused.c")
        library = os.path.join(folder, "fused.so")
        command = ["gcc", *FLAGS, "-shared", "-fPIC", "-o", library, source, "-lm"]
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            raise ImportError("gcc is not there") from None
        return ctypes.CDLL(library)


_LIBRARY = _compiled()


def _rectified(t, b1):
    """The factor of the learning rate in RAdam, and 1 - b2^t or 0."""
    r_max = 2 / (1 - B2) - 1
    r = r_max - 2 * t * B2**t / (1 - B2**t)
    if r < 5:
        return 1 / (1 - b1**t), 0
    rect = (r - 4) * (r - 2) * r_max / ((r_max - 4) * (r_max - 2) * r)
    return rect**0.5 / (1 - b1**t), 1 - B2**t


def _scalars(rule, t):
    """What fused.c calls s."""
    c1, c2 = 1 - B1**t, 1 - B2**t
    if rule == "lion":
        return B1, LION_B2, 0, LR, 0, 0
    if rule == "lamb":
        return B1, B2, LAMB_EPS, c1, c2, LR
    if rule == "adabelief":
        return B1, B2, 1e-16, LR / c1, c2, 0
    if rule == "ranger":
        factor, other = _rectified(t, RANGER_B1)
        return RANGER_B1, B2, RANGER_EPS, LR * factor, other, t % SYNC_PERIOD == 0
    return B1, B2, EPS, LR * c2**0.5 / c1, 0, 0


def _pointer(array):
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def _make(rule, params):
    params = [x.copy() for x in params]
    slots = [[np.full_like(w, w if x is None else x) for x in rule.slots] for w in params]
    step = _row_steps if rule.sparse else _dense_steps
    return step(rule, params, slots), lambda: params


def _dense_steps(rule, params, slots):
    function = getattr(_LIBRARY, rule.name)
    s = np.zeros(6, np.float32)
    s_pointer, threads = _pointer(s), ctypes.c_int(THREADS)
    prepared = {}
    t = 0

    def prepare(grads):
        calls = []
        for g, w, mine in zip(grads, params, slots):
            arrays = [g, w, *mine, *[None] * (3 - len(mine))]
            calls.append((ctypes.c_int64(w.size), threads, s_pointer, *map(_pointer, arrays)))
        return calls

    def step(grads):
        nonlocal t
        t += 1
        s[:] = _scalars(rule.name, t)
        if id(grads) not in prepared:
            prepared[id(grads)] = prepare(grads), grads
        for arguments in prepared[id(grads)][0]:
            function(*arguments)

    return step


def _row_steps(rule, params, slots):
    (w,), ((m, v),) = params, slots
    s = np.zeros(6, np.float32)
    place = np.full(len(w), -1, np.int32)
    t = 0

    def step(grads):
        nonlocal t
        t += 1
        s[:] = _scalars("adam", t)
        indices, values, _ = grads[0]
        rows, sums = np.empty_like(indices), np.empty_like(values)
        _LIBRARY.adam_rows(
            ctypes.c_int64(len(indices)),
            ctypes.c_int64(w.shape[1]),
            *map(_pointer, (indices, values, s, w, m, v, place, rows, sums)),
        )

    return step


CONTESTANTS = [{"name": "C", "rules": (*DENSE, "adam, lazy"), "make": _make}]
