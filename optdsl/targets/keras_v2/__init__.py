"""Classes for Keras' OptimizerV2, from TensorFlow 1.15 on."""
