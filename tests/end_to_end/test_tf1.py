"""Models trained in a `tf.Session`, against the optimizers of `tf.train`."""

import numpy as np
import pytest

from tests.end_to_end import criterion, digits, words
from tests.tf1.harness import generated, graph_session, tf

pytestmark = pytest.mark.tf


def train(model, optimizer, weights, batches, examined):
    """(loss before, loss after) of the examined batch, and the values of `model`'s other output.

    `model` makes (inputs, loss, other) from the list of variables.
    """
    with graph_session() as session:
        variables = [tf.Variable(w) for w in weights]
        inputs, loss, other = model(variables)
        step = optimizer().minimize(loss)
        session.run(tf.global_variables_initializer())
        before = session.run(loss, dict(zip(inputs, examined)))
        for batch in batches:
            session.run(step, dict(zip(inputs, batch)))
        after, others = session.run([loss, other], dict(zip(inputs, examined)))
    return (before, after), others


def classifier(variables):
    w1, b1, w2, b2 = variables
    pixels = tf.placeholder(tf.float32, [None, 64])
    labels = tf.placeholder(tf.int32, [None])
    scores = tf.matmul(tf.nn.relu(tf.matmul(pixels, w1) + b1), w2) + b2
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=scores)
    return (pixels, labels), tf.reduce_mean(losses), tf.argmax(scores, axis=1)


def train_digits(optimizer):
    (pixels, labels), _ = digits.data()
    losses = []
    for seed in criterion.SEEDS:
        batches = [(pixels[rows], labels[rows]) for rows in digits.batches(seed)]
        both, found = train(classifier, optimizer, digits.start(seed), batches, (pixels, labels))
        assert np.mean(found == labels) > digits.ACCURACY
        losses.append(both)
    return losses


NESTEROV = {"learning_rate": 0.1, "momentum": 0.9, "use_nesterov": True}
ADAGRAD = {"learning_rate": 0.1, "initial_accumulator_value": 1e-6}


@pytest.mark.parametrize(
    "name, theirs, arguments",
    [
        ("adam", tf.train.AdamOptimizer, {"learning_rate": 0.01}),
        ("momentum", tf.train.MomentumOptimizer, NESTEROV),
        ("rmsprop_tf", tf.train.RMSPropOptimizer, {"learning_rate": 0.02}),
    ],
    ids=["adam", "momentum", "rmsprop"],
)
def test_digits(name, theirs, arguments):
    mine = train_digits(lambda: generated(name)(**arguments))
    criterion.check(mine, train_digits(lambda: theirs(**arguments)), digits.FALLS_TO)


def skip_gram(variables):
    centers = tf.placeholder(tf.int32, [None])
    contexts = tf.placeholder(tf.int32, [None, 1 + words.NEGATIVES])
    labels = tf.placeholder(tf.float32, [None, 1 + words.NEGATIVES])
    u = tf.nn.embedding_lookup(variables[0], centers)
    v = tf.nn.embedding_lookup(variables[1], contexts)
    scores = tf.reduce_sum(u[:, None] * v, axis=2)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=scores)
    return (centers, contexts, labels), tf.reduce_mean(losses), tf.no_op()


def train_words(optimizer):
    def labelled(batch):
        return (*batch, words.labels(len(batch[0])))

    examined = labelled(words.examined())
    losses = []
    for seed in criterion.SEEDS:
        batches = map(labelled, words.batches(seed))
        losses.append(train(skip_gram, optimizer, words.start(seed), batches, examined)[0])
    return losses


@pytest.mark.parametrize(
    "name, theirs, arguments",
    [
        ("adam", tf.train.AdamOptimizer, {"learning_rate": 0.02}),
        ("adagrad_no_eps", tf.train.AdagradOptimizer, ADAGRAD),
    ],
    ids=["adam", "adagrad"],
)
def test_words(name, theirs, arguments):
    mine = train_words(lambda: generated(name)(**arguments))
    criterion.check(mine, train_words(lambda: theirs(**arguments)), words.FALLS_TO)
