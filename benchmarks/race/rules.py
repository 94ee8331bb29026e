"""The rules that are raced, written once as in a textbook.

In float64 on NumPy they are the reference for all contestants; in float32 on NumPy and on
TensorFlow they are contestants themselves: what an author writes by hand.

A rule gets x (the functions of NumPy or TensorFlow, see `contestants/textbook_numpy.py`), the
number t of the step, the gradient g, the parameters w and the slots; it returns new ones.
"""

from collections import namedtuple

LR, B1, B2, EPS = 0.01, 0.9, 0.999, 1e-12
LION_B2, RANGER_B1, RANGER_EPS, LAMB_EPS = 0.99, 0.95, 1e-5, 1e-6
SYNC_PERIOD, SLOW_STEP = 6, 0.5
DECAY, RHO, FIRST_SUM, RMSPROP_EPS = 0.9, 0.95, 0.1, 1e-10
ADADELTA_EPS = 1e-2  # large, so that the first steps are

#: compute: the function below. slots: the initial numbers, None for a copy of w. settings: what is
#: passed to the constructors of generated classes and built-ins. sparse: what the rows do that a
#: gradient does not mention; None for a rule of dense gradients. decays: by which factor slots
#: change where the gradient is 0. period: steps after which the work repeats. elementwise: without
#: norms. rectified: with RAdam's factor, which rounding changes most.
Rule = namedtuple("Rule", "name compute slots settings sparse decays period elementwise rectified")

_ADAM = {"learning_rate": LR, "epsilon": EPS}


def adam(x, t, g, w, m, v):
    """Algorithm 1 of the paper. With so small an epsilon its place does not matter."""
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * x.square(g)
    m_hat = m / (1 - B1**t)
    v_hat = v / (1 - B2**t)
    return w - LR * m_hat / (x.sqrt(v_hat) + EPS), m, v


def amsgrad(x, t, g, w, m, v, vhat):
    alpha = LR * (1 - B2**t) ** 0.5 / (1 - B1**t)
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * x.square(g)
    vhat = x.maximum(vhat, v)
    return w - alpha * m / (x.sqrt(vhat) + EPS), m, v, vhat


def adabelief(x, t, g, w, m, v):
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * x.square(g - m) + 1e-16
    return w - LR / (1 - B1**t) * m / (x.sqrt(v / (1 - B2**t)) + 1e-16), m, v


def diffgrad(x, t, g, w, m, v, p):
    alpha = LR * (1 - B2**t) ** 0.5 / (1 - B1**t)
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * x.square(g)
    xi = x.sigmoid(x.abs(p - g))
    return w - alpha * xi * m / (x.sqrt(v) + EPS), m, v, g


def lion(x, t, g, w, m):
    w = w - LR * x.sign(B1 * m + (1 - B1) * g)
    return w, LION_B2 * m + (1 - LION_B2) * g


def lamb(x, t, g, w, m, v):
    m = B1 * m + (1 - B1) * g
    v = B2 * v + (1 - B2) * x.square(g)
    r = (m / (1 - B1**t)) / (x.sqrt(v / (1 - B2**t)) + LAMB_EPS)
    w_norm, r_norm = x.norm(w), x.norm(r)
    ratio = x.where((w_norm > 0) & (r_norm > 0), w_norm / r_norm, 1.0)
    return w - LR * ratio * r, m, v


def _rectified(x, t, g, w, m, v, b1, eps):
    r_max = 2 / (1 - B2) - 1
    r = r_max - 2 * t * B2**t / (1 - B2**t)
    reliable = x.larger(r, 5.0)
    rect = (reliable - 4) * (reliable - 2) * r_max / ((r_max - 4) * (r_max - 2) * reliable)
    m = b1 * m + (1 - b1) * g
    v = B2 * v + (1 - B2) * x.square(g)
    m_hat = m / (1 - b1**t)
    step = x.choose(
        r >= 5, lambda: rect**0.5 * m_hat / (x.sqrt(v / (1 - B2**t)) + eps), lambda: m_hat
    )
    return w - LR * step, m, v


def radam(x, t, g, w, m, v):
    return _rectified(x, t, g, w, m, v, B1, EPS)


def ranger(x, t, g, w, m, v, slow):
    w, m, v = _rectified(x, t, g, w, m, v, RANGER_B1, RANGER_EPS)
    sync = x.equal(t % SYNC_PERIOD, 0)
    slow = x.choose(sync, lambda: slow + SLOW_STEP * (w - slow), lambda: slow)
    return x.choose(sync, lambda: slow, lambda: w), m, v, slow


def momentum(x, t, g, w, v):
    v = DECAY * v + g
    return w - LR * v, v


def adagrad(x, t, g, w, a):
    a = a + x.square(g)
    return w - LR * g / x.sqrt(a), a


def rmsprop(x, t, g, w, s, mom):
    s = DECAY * s + (1 - DECAY) * x.square(g)
    mom = LR * g / x.sqrt(s + RMSPROP_EPS)
    return w - mom, s, mom


def adadelta(x, t, g, w, a, d):
    a = RHO * a + (1 - RHO) * x.square(g)
    step = x.sqrt(d + ADADELTA_EPS) / x.sqrt(a + ADADELTA_EPS) * g
    return w - LR * step, a, RHO * d + (1 - RHO) * x.square(step)


def adamax(x, t, g, w, m, u):
    m = B1 * m + (1 - B1) * g
    u = x.maximum(B2 * u, x.abs(g))
    return w - LR / (1 - B1**t) * m / (u + EPS), m, u


def ftrl(x, t, g, w, a, z):
    n = a + x.square(g)
    z = z + g - (x.sqrt(n) - x.sqrt(a)) / LR * w
    return -z * LR / x.sqrt(n), n, z


def _rule(name, compute, slots, settings, sparse=None, decays=(), period=1, elementwise=True):
    rectified = compute in (radam, ranger)
    return Rule(name, compute, slots, settings, sparse, decays, period, elementwise, rectified)


RULES = {
    rule.name: rule
    for rule in [
        _rule("adam", adam, (0, 0), _ADAM),
        _rule("amsgrad", amsgrad, (0, 0, 0), _ADAM),
        _rule("adabelief", adabelief, (0, 0), {"learning_rate": LR, "epsilon": 1e-16}),
        _rule("diffgrad", diffgrad, (0, 0, 0), _ADAM),
        _rule("lion", lion, (0,), {"learning_rate": LR}),
        _rule("lamb", lamb, (0, 0), {"learning_rate": LR, "epsilon": LAMB_EPS}, elementwise=False),
        _rule("ranger", ranger, (0, 0, None), {"learning_rate": LR}, period=SYNC_PERIOD),
        _rule("momentum", momentum, (0,), {"learning_rate": LR, "momentum": DECAY}),
        _rule("adagrad", adagrad, (FIRST_SUM,), {"learning_rate": LR}),
        _rule("rmsprop", rmsprop, (1, 0), {"learning_rate": LR, "epsilon": RMSPROP_EPS}),
        _rule("adadelta", adadelta, (0, 0), {**_ADAM, "epsilon": ADADELTA_EPS}),
        _rule("adamax", adamax, (0, 0), _ADAM),
        _rule("ftrl", ftrl, (FIRST_SUM, 0), {"learning_rate": LR}),
        _rule("adam, exact", adam, (0, 0), _ADAM, "exact", (B1, B2)),
        _rule("adam, lazy", adam, (0, 0), _ADAM, "lazy"),
        _rule("radam, hybrid", radam, (0, 0), _ADAM, "hybrid", (B1, B2)),
    ]
}
DENSE = ("adam", "amsgrad", "adabelief", "diffgrad", "lion", "lamb", "ranger")
SPARSE = ("adam, exact", "adam, lazy", "radam, hybrid")
TF1_BUILT_IN = ("adam", "momentum", "adagrad", "rmsprop", "adadelta", "adamax", "ftrl")

#: The file of a rule in generated/, where it has another name.
_FILES = {"adagrad": "adagrad_no_eps", "rmsprop": "rmsprop_tf", "adam, lazy": "lazy_adam"}


def generated_file(rule):
    """The name of the module in generated/<target>/ with this rule."""
    return _FILES.get(rule.name, rule.name.split(",")[0])
