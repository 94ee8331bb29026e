"""tensorflow-addons, for TensorFlow up to 2.15."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow_addons as tfa

from benchmarks.contestants.tensorflow_2 import both_ways, convert  # noqa: F401
from benchmarks.race.rules import EPS, LAMB_EPS, LR, RANGER_B1, RANGER_EPS


def _ranger():
    inner = tfa.optimizers.RectifiedAdam(LR, beta_1=RANGER_B1, epsilon=RANGER_EPS)
    return tfa.optimizers.Lookahead(inner, sync_period=6, slow_step_size=0.5)


_RULES = {
    "adabelief": lambda: tfa.optimizers.AdaBelief(LR, epsilon=1e-16, rectify=False),
    "lamb": lambda: tfa.optimizers.LAMB(LR, epsilon=LAMB_EPS),
    "ranger": _ranger,
    "adam, lazy": lambda: tfa.optimizers.LazyAdam(LR, epsilon=EPS),
    "radam, hybrid": lambda: tfa.optimizers.RectifiedAdam(LR, epsilon=EPS),
}
CONTESTANTS = both_ways("tensorflow-addons", tuple(_RULES), lambda rule: _RULES[rule.name]())
