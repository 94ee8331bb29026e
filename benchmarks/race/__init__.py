"""What runs in the child process of an arena. It parses on Python 3.7, for TensorFlow 1.15."""
