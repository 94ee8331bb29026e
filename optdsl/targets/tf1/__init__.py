"""The target tf1: subclasses of `tf.train.Optimizer` for TensorFlow 1.15 and `tf.compat.v1`."""
