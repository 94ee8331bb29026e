"""Dense steps: the equations, in place, for arrays of every kind."""

import numpy as np
import pytest

from tests.numpy.helpers import CASES, IDS, bits, cls, make, module, train


def gradients(shape, steps, seed=0):
    return np.random.RandomState(seed).standard_normal((steps, *shape))


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_is_its_equations(amsgrad):
    lr, b1, b2, eps = 0.01, 0.9, 0.99, 1e-7
    w = np.linspace(-1, 1, 6).reshape(2, 3)
    mine = w.copy()
    m, v, vhat = np.zeros((3, 2, 3))
    optimizer = cls("adam")(lr, b1, b2, eps, amsgrad)
    for t, g in enumerate(gradients((2, 3), 50), 1):
        optimizer.update([mine], [g])
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        vhat = np.maximum(vhat, v)
        d = vhat if amsgrad else v
        w = w - lr * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(d) + eps)
        np.testing.assert_allclose(mine, w, rtol=1e-13)


def test_nadam_keeps_one_product_for_all_variables():
    lr, b1, b2, eps, d = 0.01, 0.9, 0.999, 1e-7, 0.004
    start = {"a": np.ones(3), "b": np.full((2, 2), 2.0)}
    params = {k: x.copy() for k, x in start.items()}
    optimizer = cls("nadam")(lr=lr, b1=b1, b2=b2, eps=eps, d=d)
    want = {k: [x.copy(), np.zeros_like(x), np.zeros_like(x)] for k, x in start.items()}
    product = 1.0
    for t in range(1, 20):
        grads = {k: np.random.RandomState(t).standard_normal(x.shape) for k, x in start.items()}
        optimizer.update(params, grads)
        mu, after = (b1 * (1 - 0.5 * 0.96 ** (d * s)) for s in (t, t + 1))
        product *= mu
        for k, g in grads.items():
            w, m, v = want[k]
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            bar = (1 - mu) / (1 - product) * g + after / (1 - product * after) * m
            want[k] = [w - lr * bar / (np.sqrt(v / (1 - b2**t)) + eps), m, v]
            np.testing.assert_allclose(params[k], want[k][0], rtol=1e-12)
    assert optimizer.state_dict()["shared"] == {"momentum_cache": pytest.approx(product)}


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_momentum_of_sgd(nesterov):
    w, v, mine = 1.0, 0.0, np.array(1.0)
    optimizer = cls("sgd")(0.1, 0.9, nesterov)
    for g in gradients((), 30):
        optimizer.update([mine], [g])
        v = 0.9 * v - 0.1 * g
        w = w + (0.9 * v - 0.1 * g if nesterov else v)
        assert mine[()] == pytest.approx(w, rel=1e-13)


def test_lamb_scales_the_step_to_the_norm_of_the_variable():
    w = np.array([3.0, 4.0])
    optimizer = cls("lamb")(lr=0.1)
    optimizer.update([w], [np.array([1e3, 1e3])])
    # the first step of Adam is the sign of the gradient: of norm sqrt(2), scaled to 5
    np.testing.assert_allclose(w, [3 - 0.5 / np.sqrt(2), 4 - 0.5 / np.sqrt(2)], rtol=1e-6)
    zero = np.zeros(2)
    cls("lamb")(lr=0.1).update([zero], [np.ones(2)])
    np.testing.assert_allclose(zero, [-0.1, -0.1], rtol=1e-5)


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_arrays_are_changed_in_place_and_state_has_their_shape(name, setting):
    optimizer = make(name, **setting)
    params = {"w": np.ones((3, 2)), "b": np.ones(2)}
    objects, before = list(params.values()), {k: x.copy() for k, x in params.items()}
    steps = 4 if name == "accumulated_adam" else 3
    train(optimizer, params, steps)
    assert list(map(id, params.values())) == list(map(id, objects))
    for key, x in params.items():
        assert not np.array_equal(x, before[key])
        for slot in optimizer.state_dict()["slots"][key].values():
            assert slot.shape in ((), x.shape)
    assert optimizer.t == steps


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_state_is_of_the_dtype_of_the_computation(name, setting, dtype):
    optimizer = make(name, **setting)
    params = {k: np.ones(s, dtype) for k, s in [("w", (4, 3)), ("scalar", ()), ("empty", (0, 2))]}
    train(optimizer, params, 3)
    wide = np.promote_types(dtype, np.float32)
    for key, x in params.items():
        assert x.dtype == dtype
        assert {s.dtype for s in optimizer.state_dict()["slots"][key].values()} <= {wide}
        assert np.all(np.isfinite(x))


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_the_rule_computes_in_the_dtype_of_the_variable(name, setting, monkeypatch):
    """A float64 number in the rule would make the whole of it float64, and twice as slow."""
    optimizer = make(name, **setting)
    rule, seen = optimizer._rule(), []
    optimizer._rule = lambda: lambda *a, **n: (seen.extend(rule(*a, **n)), tuple(seen))[1]
    monkeypatch.setattr(module(name), "_errors_raise", lambda: True, raising=False)
    for shape in ((4, 3), ()):
        w, g = np.ones(shape, np.float32), np.full(shape, 0.5, np.float32)
        for _ in range(2):
            seen.clear()
            optimizer.update({shape: w}, {shape: g})
            assert {x.dtype for x in seen if x is not None and np.ndim(x)} == {w.dtype}


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_memory_layout_does_not_matter(name, setting):
    base = np.random.RandomState(1).standard_normal((6, 8))
    plain = base[::2, ::-2].copy()
    views = [
        np.asfortranarray(plain), base.copy()[::2, ::-2], plain.copy(),
        plain.astype(plain.dtype.newbyteorder()), plain.copy().view(np.matrix),
    ]  # fmt: skip
    for view in views:
        params, want = {"w": view}, {"w": plain.copy()}
        train(make(name, **setting), params, 4)
        train(make(name, **setting), want, 4)
        np.testing.assert_allclose(np.asarray(view), want["w"], rtol=1e-12)


def test_writes_go_through_a_view_to_its_base():
    base = np.zeros((4, 4))
    cls("gradient_descent")(lr=1.0).update([base[1::2, :2]], [np.ones((2, 2))])
    assert base.sum() == -4 and np.all(base[1::2, :2] == -1)


def test_half_precision_trains_as_float32_does():
    """With v in float16, squares of gradients of 1e-4 are 0 and the step is of another size."""
    w16, w32 = np.full(3, 1.0, np.float16), np.full(3, 1.0, np.float32)
    one, other = cls("adam")(lr=0.01), cls("adam")(lr=0.01)
    for _ in range(50):
        g = np.full(3, 1e-4, np.float16)
        one.update([w16], [g])
        other.update([w32], [g.astype(np.float32)])
    np.testing.assert_allclose(w16.astype(float), w32, atol=0.03)
    assert abs(w32[0] - 0.5) < 0.01
    v16, v32 = (x.state_dict()["slots"][0]["v"] for x in (one, other))
    assert bits(v16) == bits(v32)


def test_the_bias_correction_is_not_of_float32():
    """1 - 0.999^1 in float32 is wrong by 1.3e-5."""
    w = np.zeros(1, np.float32)
    cls("adam")(lr=1.0, b1=0.0, eps=1e-30).update([w], [np.ones(1, np.float32)])
    assert abs(w[0] + 1) < 3e-7


def test_variables_without_a_gradient_take_no_part():
    optimizer = cls("adam")(0.1)
    params = {"a": np.ones(2), "b": np.ones(2), "c": np.ones(2)}
    optimizer.update(params, {"a": np.ones(2), "b": None})
    assert np.all(params["b"] == 1) and np.all(params["c"] == 1) and np.all(params["a"] < 1)
    assert list(optimizer.state_dict()["slots"]) == ["a"] and optimizer.t == 1
    optimizer.update([np.ones(2)], [None])
    assert optimizer.t == 2


def test_a_gradient_may_be_the_variable_itself():
    """As for the loss w^2/2. The new state is of the old gradient, whatever is written first."""
    for name in ("adam", "diffgrad", "adan", "sgd"):
        w, want = {"w": np.array([1.0, -2.0])}, {"w": np.array([1.0, -2.0])}
        one, other = make(name), make(name)
        for _ in range(3):
            one.update(w, w)
            other.update(want, {"w": want["w"].copy()})
        assert bits(one.state_dict()) == bits(other.state_dict())
        assert bits(w) == bits(want)


def test_gradients_may_be_the_other_variables():
    for name in ("diffgrad", "adan"):
        a, b = np.array([1.0, -2.0]), np.array([3.0, 4.0])
        optimizer, grads = cls(name)(), [b.copy(), a.copy()]
        optimizer.update([a, b], [b, a])
        state = optimizer.state_dict()["slots"]
        assert bits([state[0]["previous_grad"], state[1]["previous_grad"]]) == bits(grads)


def test_state_shares_no_memory_with_what_was_given():
    for name in ("diffgrad", "adan"):
        optimizer, w, g = make(name), np.ones(3), np.ones(3)
        optimizer.update([w], [g])
        before = bits(optimizer.state_dict())
        g[:] = 7
        w[:] = 7
        assert bits(optimizer.state_dict()) == before


def test_lists_and_tuples_of_arrays():
    w, b = np.ones(2), np.ones(())
    cls("sgd")(0.5).update((w, b), [np.ones(2), 1.0])
    assert w.tolist() == [0.5, 0.5] and b == 0.5
