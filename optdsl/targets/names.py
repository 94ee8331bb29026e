"""The names of the targets, without what it takes to use them."""

TARGET_NAMES = ("numpy", "tf1", "keras_v2")
