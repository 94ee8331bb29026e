"""Models trained with `model.fit`, against Keras' own optimizers."""

import numpy as np
import pytest

from tests.end_to_end import criterion, digits, words
from tests.keras_v2.helpers import builtin, generated, keras

pytestmark = pytest.mark.tf


def train(model, loss, optimizer, weights, data, batch, examined):
    """(loss before, loss after) of what is examined; `data` holds the batches one after the other.

    Inputs are a list of arrays.
    """
    model.set_weights(weights)
    model.compile(optimizer(), loss)

    def evaluate():
        return model.evaluate(*examined, batch_size=len(examined[1]), verbose=0)

    before = evaluate()
    model.fit(*data, batch_size=batch, epochs=1, shuffle=False, verbose=0)
    return before, evaluate()


def classifier():
    hidden = keras.layers.Dense(digits.HIDDEN, "relu", input_shape=(64,))
    return keras.Sequential([hidden, keras.layers.Dense(10)])


def train_digits(optimizer):
    (pixels, labels), test = digits.data()
    losses = []
    for seed in criterion.SEEDS:
        model = classifier()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        rows = np.concatenate(list(digits.batches(seed)))
        data, all_data = ([pixels[rows]], labels[rows]), ([pixels], labels)
        start = digits.start(seed)
        losses.append(train(model, loss, optimizer, start, data, digits.BATCH, all_data))
        found = model.predict(test[0], verbose=0).argmax(axis=1)
        assert np.mean(found == test[1]) > digits.ACCURACY
    return losses


@pytest.mark.parametrize(
    "module, name, arguments",
    [
        ("adam", "Adam", {"learning_rate": 0.01}),
        ("sgd", "SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
        ("rmsprop", "RMSprop", {"learning_rate": 0.005}),
    ],
    ids=["adam", "sgd", "rmsprop"],
)
def test_digits(module, name, arguments):
    mine = train_digits(lambda: generated(module, name)(**arguments))
    theirs = train_digits(lambda: getattr(builtin, name)(**arguments))
    criterion.check(mine, theirs, digits.FALLS_TO)


def skip_gram():
    center = keras.layers.Input((1,), dtype="int32")
    contexts = keras.layers.Input((1 + words.NEGATIVES,), dtype="int32")
    u = keras.layers.Embedding(words.WORDS, words.WIDTH)(center)
    v = keras.layers.Embedding(words.WORDS, words.WIDTH)(contexts)
    scores = keras.layers.Flatten()(keras.layers.Dot(axes=2)([u, v]))
    return keras.Model([center, contexts], scores)


def train_words(optimizer):
    def labelled(centers, contexts):
        return [centers[:, None], contexts], words.labels(len(centers))

    losses = []
    for seed in criterion.SEEDS:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        data = labelled(*map(np.concatenate, zip(*words.batches(seed))))
        examined, start = labelled(*words.examined()), words.start(seed)
        losses.append(train(skip_gram(), loss, optimizer, start, data, words.BATCH, examined))
    return losses


@pytest.mark.parametrize(
    "module, name, arguments",
    [
        ("adam", "Adam", {"learning_rate": 0.02}),
        ("adagrad", "Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 1e-6}),
    ],
    ids=["adam", "adagrad"],
)
def test_words(module, name, arguments):
    mine = train_words(lambda: generated(module, name)(**arguments))
    theirs = train_words(lambda: getattr(builtin, name)(**arguments))
    criterion.check(mine, theirs, words.FALLS_TO)
