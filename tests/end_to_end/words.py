"""A skip-gram model with negative sampling, on the help texts that ship with Python."""

import collections
import pydoc_data.topics
import re

import numpy as np

WORDS, WIDTH, NEGATIVES, BATCH, STEPS = 600, 16, 4, 512, 150
FALLS_TO = 0.8


def pairs():
    """(centers, contexts): the numbers of words that stand at most two words apart."""
    text = " ".join(pydoc_data.topics.topics[k] for k in sorted(pydoc_data.topics.topics))
    words = re.findall("[a-z]+", text.lower())[:40000]
    common = [w for w, _ in collections.Counter(words).most_common(WORDS)]
    number = {w: i for i, w in enumerate(common)}
    known = np.array([number[w] for w in words if w in number])
    centers = [known[:-1], known[1:], known[:-2], known[2:]]
    contexts = [known[1:], known[:-1], known[2:], known[:-2]]
    return np.concatenate(centers), np.concatenate(contexts)


def start(seed):
    """The two tables of vectors, for words as centers and as contexts."""
    rng = np.random.RandomState(seed)
    return [(0.3 * rng.standard_normal((WORDS, WIDTH))).astype(np.float32) for _ in range(2)]


def batches(seed):
    """For each step the centers (BATCH,), and (BATCH, 1 + NEGATIVES) words: one true context each,
    the rest drawn by chance."""
    rng = np.random.RandomState(100 + seed)
    centers, contexts = pairs()
    for _ in range(STEPS):
        chosen = rng.randint(0, len(centers), BATCH)
        others = contexts[rng.randint(0, len(contexts), (BATCH, NEGATIVES))]
        yield centers[chosen], np.concatenate([contexts[chosen, None], others], axis=1)


def labels(count):
    """1 for the true context, 0 for the others."""
    return np.tile(np.eye(1, 1 + NEGATIVES, dtype=np.float32), (count, 1))


def examined():
    """The batch whose loss is looked at: larger, and the same for every seed."""
    rng = np.random.RandomState(5)
    centers, contexts = pairs()
    chosen = rng.randint(0, len(centers), 4000)
    others = contexts[rng.randint(0, len(contexts), (4000, NEGATIVES))]
    return centers[chosen], np.concatenate([contexts[chosen, None], others], axis=1)
