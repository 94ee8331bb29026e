"""Drives `tf.train.Optimizer` classes, on TF 1.15 and 2.x. Runs on Python 3.7.

The modes are "ref" and "resource", the kinds of variables in a graph with a session, and "eager".
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow.compat.v1 as tf

tf.logging.set_verbosity(tf.logging.ERROR)
tf.enable_eager_execution()
THREADS = tf.ConfigProto(inter_op_parallelism_threads=2, intra_op_parallelism_threads=1)

FRAMEWORK = "tensorflow " + tf.__version__


def run(case: dict[str, Any], generated: Any) -> list[dict[str, Any]]:
    """The state after every step."""
    if case["mode"] == "eager":
        return Run(case, generated, lambda step: lambda: step[0]).eager()
    with tf.Graph().as_default(), tf.Session(config=THREADS) as session:
        return Run(case, generated, lambda step: tf.placeholder(tf.float64, [])).graph(session)


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
        self.optimizer = generated(**arguments, **case["lists"])

    def eager(self) -> list[dict[str, Any]]:
        states = []
        for step, gradients in enumerate(self.case["gradients"]):
            for _, now, values in self.schedules:
                now[0] = values[step]
            self._apply({key: self._tensors(key, g, tf.constant) for key, g in gradients.items()})
            states.append(
                {
                    key: {name: x.numpy() for name, x in state.items()}
                    for key, state in self._state().items()
                }
            )
        return states

    def graph(self, session: Any) -> list[dict[str, Any]]:
        """One apply per pattern of dense, sparse and missing gradients, which are fed."""
        applies: dict[Any, Any] = {}
        for gradients in self.case["gradients"]:
            if _pattern(gradients) not in applies:
                fed = {k: self._tensors(k, g, _placeholder) for k, g in gradients.items()}
                applies[_pattern(gradients)] = self._apply(fed), fed
        session.run(tf.global_variables_initializer())
        states = []
        for step, gradients in enumerate(self.case["gradients"]):
            apply, fed = applies[_pattern(gradients)]
            feed = {tensor: values[step] for tensor, _, values in self.schedules}
            for key, gradient in gradients.items():
                feed.update(_feed(fed[key], gradient))
            session.run(apply, feed)
            states.append(session.run(self._state(), feed))
        return states

    def _apply(self, gradients: dict[str, Any]) -> Any:
        pairs = [(gradients.get(key), variable) for key, variable in self.variables.items()]
        return self.optimizer.apply_gradients(pairs)

    def _tensors(self, key: str, gradient: Any, tensor: Callable[[Any], Any]) -> Any:
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


def _pattern(gradients: dict[str, Any]) -> Any:
    return tuple((key, isinstance(g, dict)) for key, g in sorted(gradients.items()))


def _feed(fed: Any, gradient: Any) -> dict[Any, Any]:
    if isinstance(gradient, dict):
        return {fed.values: gradient["values"], fed.indices: gradient["indices"]}
    return {fed: gradient}
