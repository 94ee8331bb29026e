"""Drives `tf.train.Optimizer` classes, on TF 1.15 and 2.x. Runs on Python 3.7.

The modes are "ref" and "resource", the kinds of variables in a graph with a session; "xla", as
"resource" with the option `xla`; and "eager".
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf

tf.logging.set_verbosity(tf.logging.ERROR)
tf.enable_eager_execution()
THREADS = tf.ConfigProto(inter_op_parallelism_threads=2, intra_op_parallelism_threads=1)

FRAMEWORK = "tensorflow " + tf.__version__


def run(case: dict[str, Any], generated: Any) -> list[dict[str, Any]]:
    """The state after every step."""
    if case["mode"] == "eager":
        return Run(case, generated, lambda step: lambda: step[0]).eager()
    with _session(case["mode"]) as session:
        return Run(case, generated, lambda step: tf.placeholder(tf.float64, [])).graph(session)


@contextlib.contextmanager
def _session(mode: str) -> Iterator[Any]:
    """A session of a new graph. Control flow v2 cannot assign to reference variables."""
    was_v2 = tf.control_flow_v2_enabled()
    if mode == "ref":
        tf.disable_control_flow_v2()
    try:
        with tf.Graph().as_default(), tf.Session(config=THREADS) as session:
            yield session
    finally:
        if was_v2:
            tf.enable_control_flow_v2()


class Run:
    """One case. A schedule becomes what `scheduled` makes of a list with its present value."""

    def __init__(self, case: dict[str, Any], generated: Any, scheduled: Any) -> None:
        self.case = case
        self.schedules: list[tuple[Any, list[float], list[float]]] = []
        self.variables = {
            key: tf.Variable(value, name=key, use_resource=case["mode"] != "ref")
            for key, value in case["variables"].items()
        }
        arguments = {}
        for name, value in case["arguments"].items():
            if isinstance(value, list):
                now = [value[0]]
                arguments[name] = scheduled(now)
                self.schedules.append((arguments[name], now, value))
            else:
                arguments[name] = value
        self.catch_up: Any = None
        xla = {"xla": True} if case["mode"] == "xla" else {}
        self.optimizer = generated(**arguments, **case["lists"], **xla)

    def eager(self) -> list[dict[str, Any]]:
        states = []
        for step, stages in enumerate(self._steps()):
            for _, now, values in self.schedules:
                now[0] = values[step]
            self._step([self._tensors(gradients, tf.constant) for gradients in stages])
            states.append(self._now())
        return states

    def _now(self) -> dict[str, Any]:
        """The state with all rows up to date, as reading it brings them; they go on waiting."""
        waiting = [x for slots in self.optimizer._slots.values() for x in slots.values()]
        values = [x.numpy() for x in waiting]
        state = {
            key: {name: x.numpy() for name, x in slots.items()}
            for key, slots in self._state().items()
        }
        for variable, value in zip(waiting, values):
            variable.assign(value)
        return state

    def graph(self, session: Any) -> list[dict[str, Any]]:
        """One op per pattern of dense, sparse and missing gradients, which are fed."""
        in_runs = self.case["mode"] == "ref" and self.case["stages"] > 1
        steps = [self._alike(stages) if in_runs else stages for stages in self._steps()]
        ops: dict[Any, Any] = {}
        for stages in steps:
            if _pattern(stages) not in ops:
                fed = [self._tensors(g, _placeholder) for g in stages[: 1 if in_runs else None]]
                op = self._stage_ops(fed[0]) if in_runs else self._step(fed)
                ops[_pattern(stages)] = op, fed
        session.run(tf.global_variables_initializer())
        states = []
        for step, stages in enumerate(steps):
            op, fed = ops[_pattern(stages)]
            now = {tensor: values[step] for tensor, _, values in self.schedules}
            if in_runs:
                runs = _Runs(session, [_feed(fed[0], gradients) for gradients in stages])
                self.optimizer.run_stages(runs, op, now)
            else:
                session.run(op, _joined([now, *map(_feed, fed, stages)]))
            states.append(self._caught_up(session, now))
        return states

    def _caught_up(self, session: Any, now: dict[Any, float]) -> dict[str, Any]:
        """The state with all rows up to date, which go on waiting after that."""
        if not hasattr(self.optimizer, "catch_up"):
            return dict(session.run(self._state(), now))
        waiting = self.optimizer.variables()
        values = session.run(waiting)
        if self.catch_up is None:
            self.catch_up = self.optimizer.catch_up()
        session.run(self.catch_up)
        state = dict(session.run(self._state(), now))
        fed = {x.initializer.inputs[1]: value for x, value in zip(waiting, values)}
        session.run([x.initializer for x in waiting], fed)  # as `load` does, in one run
        return state

    def _steps(self) -> list[list[dict[str, Any]]]:
        """The gradients of all stages of each step."""
        given, count = self.case["gradients"], self.case["stages"]
        return [given[i : i + count] for i in range(0, len(given), count)]

    def _alike(self, stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The stages of a step with the same kind of gradient for a variable in all of them: where
        one has rows, the dense ones become all rows. Rows made dense would be summed and rounded.
        """
        alike: list[dict[str, Any]] = [{} for _ in stages]
        for key in stages[0]:
            zeros = np.zeros_like(self.case["variables"][key])
            gradients = [stage.get(key, zeros) for stage in stages]
            if any(isinstance(g, dict) for g in gradients):
                gradients = [g if isinstance(g, dict) else _all_rows(g) for g in gradients]
            for stage, g in zip(alike, gradients):
                stage[key] = g
        return alike

    def _step(self, stages: list[dict[str, Any]]) -> Any:
        """A step with these tensors as the gradients of its stages."""
        if len(stages) == 1:
            pairs = [(stages[0].get(key), variable) for key, variable in self.variables.items()]
            return self.optimizer.apply_gradients(pairs)
        rest = iter(stages)
        return self.optimizer.minimize(lambda: self._loss(next(rest)), var_list=self._all)

    def _stage_ops(self, gradients: dict[str, Any]) -> Any:
        return self.optimizer.stage_ops(self._loss(gradients), var_list=self._all)

    @property
    def _all(self) -> list[Any]:
        return list(self.variables.values())

    def _loss(self, gradients: dict[str, Any]) -> Any:
        """Something that has these gradients everywhere."""
        parts = []
        for key, g in gradients.items():
            w = self.variables[key]
            rows = isinstance(g, tf.IndexedSlices)
            product = g.values * tf.gather(w, g.indices) if rows else g * w
            parts.append(tf.cast(tf.reduce_sum(product), tf.float64))
        return tf.add_n(parts)

    def _tensors(self, gradients: dict[str, Any], tensor: Callable[[Any], Any]) -> dict[str, Any]:
        return {key: self._gradient(key, g, tensor) for key, g in gradients.items()}

    def _gradient(self, key: str, gradient: Any, tensor: Callable[[Any], Any]) -> Any:
        if not isinstance(gradient, dict):
            return tensor(gradient)
        values, indices = tensor(gradient["values"]), tensor(gradient["indices"])
        shape = tf.constant(self.case["variables"][key].shape, tf.int64)
        return tf.IndexedSlices(values, indices, shape)

    def _state(self) -> dict[str, dict[str, Any]]:
        return {key: dict(w=w, **self._slots(w)) for key, w in self.variables.items()}

    def _slots(self, w: Any) -> dict[str, Any]:
        slots = {
            name: self.optimizer.get_slot(w, public) for name, public in self.case["slots"].items()
        }
        return {name: slot for name, slot in slots.items() if slot is not None}


def _placeholder(value: Any) -> Any:
    return tf.placeholder(value.dtype, [None, *value.shape[1:]] if value.ndim else [])


class _Runs:
    """A session in which each run of a step is fed the gradients of one stage."""

    def __init__(self, session: Any, feeds: list[dict[Any, Any]]) -> None:
        self._session, self._feeds = session, iter(feeds)

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        return self._session.run(fetches, _joined([feed_dict, next(self._feeds)]))


def _pattern(stages: list[dict[str, Any]]) -> Any:
    return tuple(tuple((k, isinstance(g, dict)) for k, g in sorted(s.items())) for s in stages)


def _all_rows(gradient: Any) -> dict[str, Any]:
    return {"indices": np.arange(len(gradient), dtype=np.int64), "values": gradient}


def _joined(feeds: list[dict[Any, Any]]) -> dict[Any, Any]:
    return {tensor: value for feed in feeds for tensor, value in feed.items()}


def _feed(fed: dict[str, Any], gradients: dict[str, Any]) -> dict[Any, Any]:
    """What to feed to the placeholders for some gradients."""
    feed = {}
    for key, gradient in gradients.items():
        if isinstance(gradient, dict):
            feed[fed[key].values] = gradient["values"]
            feed[fed[key].indices] = gradient["indices"]
        else:
            feed[fed[key]] = gradient
    return feed
