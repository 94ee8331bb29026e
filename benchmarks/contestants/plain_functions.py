"""The functions of a rule on tensors, for TensorFlow 1.15 and later."""

import tensorflow.compat.v2 as tf


class Functions:
    sqrt, square, abs, sign, sigmoid = tf.sqrt, tf.square, tf.abs, tf.sign, tf.sigmoid
    maximum, larger, norm, equal, where = tf.maximum, tf.maximum, tf.norm, tf.equal, tf.where

    @staticmethod
    def choose(condition, x, y):
        return tf.where(condition, x(), y())
