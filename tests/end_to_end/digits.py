"""A dense classifier: handwritten digits of 8 x 8 pixels, one hidden layer."""

import numpy as np
from sklearn.datasets import load_digits

HIDDEN, BATCH, EPOCHS = 32, 64, 6
FALLS_TO = 0.15
ACCURACY = 0.9


def data():
    """(pixels, labels) to train with and to test with; pixels in 0 … 1."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(7).permutation(len(labels))
    pixels, labels = (pixels[order] / 16).astype(np.float32), labels[order].astype(np.int32)
    return (pixels[:1408], labels[:1408]), (pixels[1408:], labels[1408:])


def start(seed):
    """The initial weights and biases of the two layers."""
    rng = np.random.RandomState(seed)
    shapes = (64, HIDDEN), (HIDDEN,), (HIDDEN, 10), (10,)
    return [
        (rng.standard_normal(s) * (len(s) > 1) / np.sqrt(s[0])).astype(np.float32) for s in shapes
    ]


def batches(seed):
    """Row numbers of the batches of all epochs, in an order of the seed's own."""
    rng = np.random.RandomState(100 + seed)
    for _ in range(EPOCHS):
        yield from rng.permutation(1408).reshape(-1, BATCH)
