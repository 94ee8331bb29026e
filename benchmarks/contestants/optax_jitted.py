"""optax, the update jitted, its buffers donated."""

import jax
import jax.numpy as jnp
import optax

from benchmarks.race.rules import EPS, LAMB_EPS, LION_B2, LR

_RULES = {
    "adam": lambda: optax.adam(LR, eps=EPS),
    "adabelief": lambda: optax.adabelief(LR, eps=1e-16, eps_root=1e-16),
    "lion": lambda: optax.lion(LR, b2=LION_B2, weight_decay=0),
    "lamb": lambda: optax.lamb(LR, eps=LAMB_EPS),
}


def _make(rule, params):
    optimizer = _RULES[rule.name]()
    params = [jnp.array(x) for x in params]
    state = optimizer.init(params)

    def update(params, state, grads):
        updates, state = optimizer.update(grads, state, params)
        return optax.apply_updates(params, updates), state

    jitted = jax.jit(update, donate_argnums=(0, 1))

    def step(grads):
        nonlocal params, state
        params, state = jax.block_until_ready(jitted(params, state, grads))

    return step, lambda: [jax.device_get(x) for x in params]


def convert(gradients):
    return [jnp.array(g) for g in gradients]


CONTESTANTS = [{"name": "optax, jitted, donated", "rules": tuple(_RULES), "make": _make}]
