"""Models trained by hand in NumPy, against optimizers from the textbook."""

import numpy as np
import pytest

from tests.end_to_end import criterion, digits, words
from tests.support import load_generated

pytestmark = pytest.mark.long


class TextbookAdam:
    def __init__(self, lr):
        self.lr, self.t, self.m, self.v = lr, 0, {}, {}

    def update(self, params, grads):
        self.t += 1
        for i, (w, g) in enumerate(zip(params, grads)):
            self.m[i] = 0.9 * self.m.get(i, 0) + 0.1 * g
            self.v[i] = 0.999 * self.v.get(i, 0) + 0.001 * g**2
            alpha = self.lr * (1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t)
            w -= (alpha * self.m[i] / (np.sqrt(self.v[i]) + 1e-7)).astype(w.dtype)


class TextbookNesterov:
    def __init__(self, lr):
        self.lr, self.v = lr, {}

    def update(self, params, grads):
        for i, (w, g) in enumerate(zip(params, grads)):
            self.v[i] = 0.9 * self.v.get(i, 0) - self.lr * g
            w += (0.9 * self.v[i] - self.lr * g).astype(w.dtype)


class TextbookAdagrad:
    def __init__(self, lr, start=0.1):
        self.lr, self.start, self.a = lr, start, {}

    def update(self, params, grads):
        for i, (w, g) in enumerate(zip(params, grads)):
            self.a[i] = self.a.get(i, self.start) + g**2
            w -= (self.lr * g / (np.sqrt(self.a[i]) + 1e-7)).astype(w.dtype)


def classify(weights, pixels, labels):
    """The loss, the gradients of the weights, the part that is classified right."""
    w1, b1, w2, b2 = weights
    hidden = np.maximum(pixels @ w1 + b1, 0)
    scores = hidden @ w2 + b2
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.mean(np.log(p[rows, labels]))
    right = np.mean(p.argmax(axis=1) == labels)
    p[rows, labels] -= 1
    p /= len(labels)
    back = (p @ w2.T) * (hidden > 0)
    return loss, [pixels.T @ back, back.sum(0), hidden.T @ p, p.sum(0)], right


def train_digits(optimizer, seed):
    """(loss before, loss after), and the part of the test data that is classified right then."""
    (pixels, labels), test = digits.data()
    weights = digits.start(seed)
    before = classify(weights, pixels, labels)[0]
    for batch in digits.batches(seed):
        optimizer.update(weights, classify(weights, pixels[batch], labels[batch])[1])
    return (before, classify(weights, pixels, labels)[0]), classify(weights, *test)[2]


def generated(name, cls, **arguments):
    return lambda: getattr(load_generated("numpy", name), cls)(**arguments)


@pytest.mark.parametrize(
    "mine, theirs",
    [
        (generated("adam", "Adam", lr=0.01), lambda: TextbookAdam(0.01)),
        (
            generated("sgd", "SGD", lr=0.1, momentum=0.9, nesterov=True),
            lambda: TextbookNesterov(0.1),
        ),
        (generated("adagrad", "Adagrad", lr=0.1), lambda: TextbookAdagrad(0.1)),
    ],
    ids=["adam", "nesterov", "adagrad"],
)
def test_digits(mine, theirs):
    one = [train_digits(mine(), seed) for seed in criterion.SEEDS]
    other = [train_digits(theirs(), seed) for seed in criterion.SEEDS]
    criterion.check([x[0] for x in one], [x[0] for x in other], digits.FALLS_TO)
    assert min(right for _, right in one) > digits.ACCURACY


def skip_gram(tables, centers, contexts):
    """The loss, and of each table the rows that were used with their gradients."""
    u, v = tables[0][centers], tables[1][contexts]
    scores = np.einsum("ij,ikj->ik", u, v)
    labels = words.labels(len(centers))
    loss = np.mean(np.logaddexp(0, scores) - labels * scores)
    slope = (1 / (1 + np.exp(-scores)) - labels) / scores.size
    of_u = np.einsum("ik,ikj->ij", slope, v)
    of_v = slope[:, :, None] * u[:, None]
    return loss, [(centers, of_u), (contexts.ravel(), of_v.reshape(-1, words.WIDTH))]


def densified(rows, values):
    dense = np.zeros((words.WORDS, words.WIDTH), np.float32)
    np.add.at(dense, rows, values)
    return dense


def train_words(optimizer, seed, as_gradient):
    tables = words.start(seed)
    before = skip_gram(tables, *words.examined())[0]
    for batch in words.batches(seed):
        optimizer.update(tables, [as_gradient(*g) for g in skip_gram(tables, *batch)[1]])
    return before, skip_gram(tables, *words.examined())[0]


@pytest.mark.parametrize(
    "module, mine, theirs",
    [
        ("adam", generated("adam", "Adam", lr=0.02), lambda: TextbookAdam(0.02)),
        (
            "adagrad",
            generated("adagrad", "Adagrad", lr=0.1, initial_accumulator_value=1e-6),
            lambda: TextbookAdagrad(0.1, 1e-6),
        ),
    ],
    ids=["adam", "adagrad"],
)
def test_words(module, mine, theirs):
    sparse = load_generated("numpy", module).SparseGrad
    one = [train_words(mine(), seed, sparse) for seed in criterion.SEEDS]
    other = [train_words(theirs(), seed, densified) for seed in criterion.SEEDS]
    criterion.check(one, other, words.FALLS_TO)


def test_words_with_a_lazy_optimizer():
    """No textbook has it; it has to come as far as the exact one does."""
    sparse = load_generated("numpy", "adam").SparseGrad
    lazy = generated("lazy_adam", "LazyAdam", lr=0.02)
    for seed in criterion.SEEDS:
        before, after = train_words(lazy(), seed, sparse)
        exact = train_words(TextbookAdam(0.02), seed, densified)[1]
        assert after < words.FALLS_TO * before and abs(after - exact) < 0.05 * exact
