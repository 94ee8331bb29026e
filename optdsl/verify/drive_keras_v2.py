"""Drives Keras `OptimizerV2` classes, in TF 1.15, 2.x and tf_keras. Runs on Python 3.7.

The modes are "eager"; "function", where every step is a call of a `tf.function`; and "xla", the
same with all dense gradients in compiled code, however few elements they have.
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

tf.get_logger().setLevel("ERROR")
tf.compat.v1.enable_v2_behavior()
tf.config.threading.set_inter_op_parallelism_threads(2)
tf.config.threading.set_intra_op_parallelism_threads(1)

FRAMEWORK = "tensorflow " + tf.__version__


def run(case: dict[str, Any], generated: Any) -> list[dict[str, Any]]:
    """The state after every step."""
    arguments = {
        name: _schedule(generated, value) if isinstance(value, list) else value
        for name, value in case["arguments"].items()
    }
    optimizer = generated(**arguments, **case["lists"])
    if case["mode"] == "xla":
        optimizer._COMPILE_FROM = optimizer._SPLIT_FROM = 1
    variables = {key: tf.Variable(value) for key, value in case["variables"].items()}
    applies: dict[Any, Any] = {}
    states = []
    stages = case["stages"]
    for i in range(0, len(case["gradients"]), stages):
        of_step = case["gradients"][i : i + stages]
        if case["mode"] == "eager":
            _apply(optimizer, variables, of_step)
        else:
            pattern = tuple(map(_pattern, of_step))
            if pattern not in applies:
                applies[pattern] = _function(optimizer, variables, of_step)
            applies[pattern](list(map(_tensors, of_step)))
        states.append(_state(optimizer, variables, case["slots"]))
    return states


def _schedule(generated: Any, values: list[float]) -> Any:
    """A schedule of the same Keras as the generated class."""
    (base,) = [c for c in generated.__mro__ if c.__name__ == "OptimizerV2"]
    schedules = sys.modules[base.__module__].learning_rate_schedule

    class Table(schedules.LearningRateSchedule):  # type: ignore[misc, name-defined]
        def __call__(self, step: Any) -> Any:
            return tf.gather(tf.constant(values, tf.float64), tf.cast(step, tf.int64))

        def get_config(self) -> dict[str, Any]:
            return {"values": values}

    return Table()


def _tensors(gradients: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {part: tf.constant(x) for part, x in g.items()}
        if isinstance(g, dict)
        else tf.constant(g)
        for key, g in gradients.items()
    }


def _apply(optimizer: Any, variables: dict[str, Any], stages: list[dict[str, Any]]) -> None:
    given = [
        [(_gradient(gradients.get(key), w), w) for key, w in variables.items()]
        for gradients in stages
    ]
    if len(given) == 1:
        optimizer.apply_gradients(given[0])
    else:
        rest = iter(given)
        optimizer.minimize(lambda: _loss(next(rest)), list(variables.values()))


def _loss(pairs: list[Any]) -> Any:
    """A loss that has these gradients, dense and sparse ones; that of a variable may be None."""
    parts = [tf.constant(0.0, tf.float64)]
    for gradient, w in pairs:
        if gradient is not None:
            sparse = isinstance(gradient, tf.IndexedSlices)
            values = gradient.values if sparse else gradient
            at = tf.gather(w, gradient.indices) if sparse else w
            parts.append(
                tf.cast(tf.custom_gradient(_dot)(tf.convert_to_tensor(at), values), tf.float64)
            )
    return tf.add_n(parts)


def _dot(w: Any, gradient: Any) -> Any:
    """A number whose gradient is exactly this one, whatever it is itself."""
    return tf.zeros([], w.dtype), lambda upstream: (gradient, None)


def _gradient(gradient: Any, w: Any) -> Any:
    if not isinstance(gradient, dict):
        return None if gradient is None else tf.convert_to_tensor(gradient)
    shape = tf.constant(w.shape.as_list(), tf.int64)
    values, indices = (tf.convert_to_tensor(gradient[part]) for part in ("values", "indices"))
    return tf.IndexedSlices(values, indices, shape)


def _function(optimizer: Any, variables: dict[str, Any], stages: list[dict[str, Any]]) -> Any:
    """A step as a function of gradients of these kinds, with any number of rows."""
    signature = [{key: _any_rows(x) for key, x in gradients.items()} for gradients in stages]
    return tf.function(
        lambda given: _apply(optimizer, variables, given), [signature], autograph=False
    )


def _any_rows(gradient: Any) -> Any:
    if isinstance(gradient, dict):
        return {part: tf.TensorSpec([None, *x.shape[1:]], x.dtype) for part, x in gradient.items()}
    return tf.TensorSpec(gradient.shape, gradient.dtype)


def _pattern(gradients: dict[str, Any]) -> Any:
    return tuple((key, isinstance(g, dict)) for key, g in sorted(gradients.items()))


def _state(optimizer: Any, variables: dict[str, Any], slots: dict[str, str]) -> dict[str, Any]:
    records = [x for x in getattr(optimizer, "_waiting", {}).values() if x]
    waiting = [(part, part.numpy()) for record in records for part in record.values()]
    state = {}
    for key, w in variables.items():
        state[key] = {"w": w.numpy()}
        for name, public in slots.items():
            try:
                state[key][name] = optimizer.get_slot(w, public).numpy()
            except KeyError:  # the variable has not taken part in a step yet
                continue
    for part, value in waiting:  # reading brought rows up to date; they go on waiting
        part.assign(value)
    return state
