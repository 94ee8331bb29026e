"""The generated TF1 optimizers against tf.train (TF 1.15, and compat.v1 of TF 2) and tf.contrib.

Hyperparameters are powers of two or sums of few, which float32 holds, so that in float64 nothing
but the order of operations can differ.
"""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import TF2, generated, graph_session, train, variable

pytestmark = pytest.mark.tf

STEPS = 120
SHAPE = (6, 3)
LR, B1, B2, EPS = 0.0625, 0.875, 0.9375, 2.0**-20

# Adam keeps its powers of beta1 and beta2 in the dtype of the betas; as float64 they are exact.
BETAS = {"beta1": np.float64(B1), "beta2": np.float64(B2), "epsilon": EPS}
RMS = {"learning_rate": LR, "decay": B1, "epsilon": EPS}
MOMENTUM = {"learning_rate": LR, "momentum": B1}
FTRL = {"l1_regularization_strength": 0.0625, "l2_regularization_strength": 0.125}
SHRINK = dict(FTRL, l2_shrinkage_regularization_strength=0.25, learning_rate_power=-0.75)

CASES = [
    ("gradient_descent", tf.train.GradientDescentOptimizer, {"learning_rate": LR}),
    ("momentum", tf.train.MomentumOptimizer, MOMENTUM),
    ("momentum", tf.train.MomentumOptimizer, dict(MOMENTUM, use_nesterov=True)),
    ("adam", tf.train.AdamOptimizer, dict(BETAS, learning_rate=LR)),
    ("adagrad_no_eps", tf.train.AdagradOptimizer, {"learning_rate": LR}),
    ("adadelta", tf.train.AdadeltaOptimizer, {"learning_rate": 1.0, "rho": B1, "epsilon": EPS}),
    ("rmsprop_tf", tf.train.RMSPropOptimizer, RMS),
    ("rmsprop_tf", tf.train.RMSPropOptimizer, dict(RMS, momentum=0.5)),
    ("rmsprop_tf", tf.train.RMSPropOptimizer, dict(RMS, momentum=0.5, centered=True)),
    ("ftrl", tf.train.FtrlOptimizer, {"learning_rate": LR}),
    ("ftrl", tf.train.FtrlOptimizer, dict(FTRL, learning_rate=LR)),
    ("ftrl", tf.train.FtrlOptimizer, dict(SHRINK, learning_rate=LR)),
]
DENSE_ONLY = []

if not TF2:  # TF 2 does not have tf.contrib
    from tensorflow.contrib import opt as contrib

    CASES += [
        ("adamax", contrib.AdaMaxOptimizer, dict(BETAS, learning_rate=LR)),
        ("nadam_simple", contrib.NadamOptimizer, dict(BETAS, learning_rate=LR)),
        ("lazy_adam", contrib.LazyAdamOptimizer, dict(BETAS, learning_rate=LR)),
    ]
    # On a sparse gradient tf.contrib decays the weights of its rows only.
    DECAY = dict(BETAS, learning_rate=LR, weight_decay=2.0**-7)
    DENSE_ONLY += [("adamw_unscaled", contrib.AdamWOptimizer, DECAY)]
    # And touches no other rows, where the mean of the gradient decays here.
    SIGNS = {"learning_rate": LR, "beta": B1}
    DENSE_ONLY += [
        # It takes the logarithm of the base in float32, where that of e is exact.
        ("power_sign", contrib.PowerSignOptimizer, dict(SIGNS, base=np.e)),
        ("add_sign", contrib.AddSignOptimizer, dict(SIGNS, alpha=1.0)),
    ]


def gradients(sparse):
    """The gradients of all steps. Sparse ones mention rows twice, once or not at all."""
    rng = np.random.RandomState(7)
    if not sparse:
        return [rng.randn(*SHAPE).astype("float32") for _ in range(STEPS)]
    return [(rng.randn(4, 3).astype("float32"), rng.randint(0, 6, 4)) for _ in range(STEPS)]


def trajectory(optimizer, resource, sparse, dtype):
    """The variable before the first and after every step."""
    start = np.random.RandomState(1).randn(*SHAPE).astype("float32")
    with graph_session() as session:
        w = variable(start, dtype, resource)
        g = tf.placeholder(dtype, [None, 3])
        rows = tf.placeholder(tf.int64, [None])
        gradient = tf.IndexedSlices(g, rows, tf.constant(SHAPE, tf.int64)) if sparse else g
        update = optimizer.apply_gradients([(gradient, w)])
        session.run(tf.global_variables_initializer())
        path = [session.run(w)]
        for step in gradients(sparse):
            values, indices = step if sparse else (step, [])
            session.run(update, {g: values, rows: indices})
            path.append(session.run(w))
        return np.array(path)


def compare(name, peer, hypers, resource, sparse, dtype):
    """The largest difference on the way, and the bound for it in float32.

    Every step of either rounds the variable once, to half an ulp, and has a few dozen roundings on
    its own way; running means forget those of the past, so that they come to that many half ulps
    of the largest step.
    """
    own = trajectory(generated(name)(**hypers), resource, sparse, dtype)
    theirs = trajectory(peer(**hypers), resource, sparse, dtype)
    steps = np.abs(np.diff(theirs, axis=0)).max(axis=(1, 2)).sum()
    bound = 2.0**-24 * (2 * STEPS * np.abs(theirs).max() + 40 * steps)
    return np.abs(own - theirs).max(), bound


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("name, peer, hypers", CASES + DENSE_ONLY, ids=str)
def test_dense(name, peer, hypers, resource):
    difference, _ = compare(name, peer, hypers, resource, False, tf.float64)
    assert difference < 1e-11
    difference, bound = compare(name, peer, hypers, resource, False, tf.float32)
    assert difference < bound


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
@pytest.mark.parametrize("name, peer, hypers", CASES, ids=str)
def test_sparse(name, peer, hypers, resource):
    difference, _ = compare(name, peer, hypers, resource, True, tf.float64)
    assert difference < 1e-11
    difference, bound = compare(name, peer, hypers, resource, True, tf.float32)
    assert difference < bound


@pytest.mark.parametrize("name, peer, hypers", CASES, ids=str)
def test_slots(name, peer, hypers):
    names = []
    for optimizer in (generated(name)(**hypers), peer(**hypers)):
        with graph_session():
            optimizer.apply_gradients([(tf.ones([2]), variable([1.0, 2.0]))])
            names.append(optimizer.get_slot_names())
    assert names[0] == names[1]


def test_a_built_in_with_the_other_form_differs():
    """What keeps the comparison honest: SGD with Keras' momentum under a falling learning rate."""
    rates = iter(np.tile(0.5 ** np.arange(4.0), 2))
    ends = [
        train(make(lambda: next(rates), 0.5), [[1.0]], [[[1.0]]] * 4, "eager")[0]
        for make in (generated("sgd"), tf.train.MomentumOptimizer)
    ]
    assert np.abs(ends[0][0] - ends[1][0]) > 0.1
