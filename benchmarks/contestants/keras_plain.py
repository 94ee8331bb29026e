"""An OptimizerV2 written by hand with plain operations, as authors write their rules today."""

import tensorflow as tf

from benchmarks.contestants.plain_functions import Functions
from benchmarks.contestants.tensorflow_2 import both_ways, convert, keras_2  # noqa: F401
from benchmarks.race.rules import DENSE


class Plain(keras_2().optimizers.legacy.Optimizer):
    def __init__(self, rule):
        super().__init__("Plain")
        self.rule = rule

    def _create_slots(self, var_list):
        for i, initial in enumerate(self.rule.slots):
            for var in var_list:
                start = var if initial is None else tf.constant_initializer(initial)
                self.add_slot(var, f"slot_{i}", start)

    def _states(self, var):
        return [var, *[self.get_slot(var, f"slot_{i}") for i in range(len(self.rule.slots))]]

    def _resource_apply_dense(self, grad, var, apply_state=None):
        t = tf.cast(self.iterations + 1, var.dtype)
        states = self._states(var)
        new = self.rule.compute(Functions, t, grad, *states)
        return tf.group(*[state.assign(x) for state, x in zip(states, new)])

    def _resource_apply_sparse(self, grad, var, indices, apply_state=None):
        """Only the rows of the gradient change; under "hybrid", the slots decay before.

        Duplicates have been summed by the base class.
        """
        t = tf.cast(self.iterations + 1, var.dtype)
        states = self._states(var)
        old = [tf.gather(state, indices) for state in states]
        new = self.rule.compute(Functions, t, grad, *old)
        for state, factor in zip(states[1:], self.rule.decays):
            state.assign(state * factor)
        for state, x in zip(states, new):
            state.scatter_update(tf.IndexedSlices(x, indices))
        return tf.no_op()


CONTESTANTS = both_ways("plain ops", (*DENSE, "adam, lazy", "radam, hybrid"), Plain)
