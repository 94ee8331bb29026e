"""A tf.train.Optimizer written by hand with plain operations, as authors wrote their rules."""

import tensorflow.compat.v1 as tf

from benchmarks.contestants.plain_functions import Functions
from benchmarks.contestants.tensorflow_1 import convert, fresh, maker  # noqa: F401
from benchmarks.race.rules import TF1_BUILT_IN


class Plain(tf.train.Optimizer):
    def __init__(self, rule):
        super().__init__(use_locking=False, name="Plain")
        self.rule = rule

    def _create_slots(self, var_list):
        self._create_non_slot_variable(0.0, "t", min(var_list, key=lambda x: x.name))
        for i, initial in enumerate(self.rule.slots):
            for var in var_list:
                name = f"slot_{i}"
                value = tf.fill(var.shape, float(initial))
                self._get_or_make_slot(var, value, name, name)

    def _t(self):
        return self._get_non_slot_variable("t", tf.get_default_graph())

    def _prepare(self):
        self.now = self._t() + 1

    def _apply_dense(self, grad, var):
        slots = [self.get_slot(var, f"slot_{i}") for i in range(len(self.rule.slots))]
        new = self.rule.compute(Functions, self.now, grad, var, *slots)
        with tf.control_dependencies(new):
            return tf.group(*[state.assign(x) for state, x in zip([var, *slots], new)])

    def _finish(self, update_ops, name_scope):
        with tf.control_dependencies(update_ops):
            count = self._t().assign_add(1.0)
        return tf.group(*update_ops, count, name=name_scope)


CONTESTANTS = [{"name": "plain ops", "rules": (*TF1_BUILT_IN, "adabelief"), "make": maker(Plain)}]
