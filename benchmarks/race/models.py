"""The tensors that are updated: their shapes, and parameters and gradients to fill them."""

from collections import namedtuple

import numpy as np

#: A gradient of some rows of a table of this shape.
Rows = namedtuple("Rows", "indices values shape")

BATCH, WIDTH = 8192, 64

#: So many gradients of a table take turns, as batches do; a dense one always costs the same.
TURNS = 8


def resnet50():
    """The 161 tensors of ResNet-50: 25.6 million parameters."""
    shapes = [(7, 7, 3, 64), (64,), (64,)]
    channels = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            for kernel in (
                (1, 1, channels, width), (3, 3, width, width), (1, 1, width, 4 * width)
            ):  # fmt: skip
                shapes += [kernel, kernel[-1:], kernel[-1:]]
            if block == 0:
                shapes += [(1, 1, channels, 4 * width), (4 * width,), (4 * width,)]
            channels = 4 * width
    return [*shapes, (2048, 1000), (1000,)]


def bert_base():
    """The 199 tensors of BERT-base: 109 million parameters."""
    layer = [(768, 768), (768,)] * 4 + [(768,), (768,)]
    layer += [(768, 3072), (3072,), (3072, 768), (768,), (768,), (768,)]
    tables = [(30522, 768), (512, 768), (2, 768), (768,), (768,)]
    return tables + 12 * layer + [(768, 768), (768,)]


MODELS = {
    "big": lambda: [(16 * 2**20,)],
    "many": resnet50,
    "bert": bert_base,
    "tiny": lambda: [(1000,)] * 20,
    "uniform": lambda: [(1000000, WIDTH)],
    "zipf": lambda: [(1000000, WIDTH)],
}
TABLES = ("uniform", "zipf")

#: The same in small, to see that everything runs.
QUICK_MODELS = {
    "big": lambda: [(2**18,)],
    "many": lambda: [(64, 128), (128,), (300, 257), (257,)],
    "bert": lambda: [(300, 128), (128,), (128, 128)],
    "tiny": lambda: [(1000,)] * 20,
    "uniform": lambda: [(20000, WIDTH)],
    "zipf": lambda: [(20000, WIDTH)],
}


def parameters(shapes, seed=0):
    """float32 arrays between 0.5 and 1.5, so that a step changes their last digits but few."""
    return [_filled(shape, seed, lambda rng, n: rng.uniform(0.5, 1.5, n)) for shape in shapes]


def gradients(shapes, seed=1):
    """float32 arrays of both signs, away from 0, where where rules differ in their epsilons."""
    return [_filled(shape, seed + i, _away_from_0) for i, shape in enumerate(shapes)]


def rows(shape, distribution, seed=1, batch=BATCH):
    """A gradient of `batch` rows of a table; rows may occur several times."""
    rng = np.random.RandomState(seed)
    if distribution == "zipf":
        ranks = rng.zipf(1.2, 8 * batch)
        indices = (ranks[ranks <= shape[0]] - 1)[:batch] * 7919 % shape[0]
    else:
        indices = rng.randint(0, shape[0], batch)
    values = _away_from_0(rng, len(indices) * shape[1]).astype(np.float32)
    return Rows(indices.astype(np.int32), values.reshape(len(indices), shape[1]), shape)


def turns(rule, shapes, distribution="uniform"):
    """The gradients of a model that take turns, each a list for its tensors."""
    if rule.sparse:
        return [[rows(shapes[0], distribution, seed)] for seed in range(1, 1 + TURNS)]
    return [gradients(shapes)]


def _filled(shape, seed, draw):
    """A large array repeats a shorter one of random numbers: the time goes elsewhere."""
    size = int(np.prod(shape))
    block = draw(np.random.RandomState(seed), min(size, 1000003)).astype(np.float32)
    return np.resize(block, size).reshape(shape)


def _away_from_0(rng, n):
    return rng.uniform(0.1, 1, n) * rng.choice([-1, 1], n)
