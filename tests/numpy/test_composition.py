"""Compositions and methods of several stages, as generated for NumPy."""

import numpy as np
import pytest

from tests.numpy.helpers import bits, cls

# -- stages


def flow(name, steps, horizon=2.0):
    """Where steps along dw/ds = -A w lead, for a symmetric A; and where the flow itself does."""
    basis, _ = np.linalg.qr(np.random.RandomState(0).standard_normal((4, 4)))
    rates = np.array([0.25, 0.5, 1.0, 1.5])
    matrix, start = basis @ np.diag(rates) @ basis.T, np.arange(1.0, 5.0)
    w, optimizer = start.copy(), cls(name)(lr=horizon / steps)
    for _ in range(steps):
        optimizer.step([w], lambda params: [matrix @ params[0]])
    return w, basis @ (np.exp(-rates * horizon) * (basis.T @ start))


ORDERS = {
    "heun": 2, "midpoint": 2, "ralston": 2, "rk23": 3, "rk4": 4, "rk45": 5,
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
def test_order_of_convergence(name):
    """The slope of the error against the step size, both in logarithms."""
    steps = np.array([32, 48, 64, 96] if name == "rk45" else [64, 128, 256])
    errors = [np.linalg.norm(np.subtract(*flow(name, n))) for n in steps]
    slope, _ = np.polyfit(np.log(2.0 / steps), np.log(errors), 1)
    assert abs(slope - ORDERS[name]) < 0.1


def test_loss_and_gradients_are_told_apart():
    w = [np.ones(3), np.ones(2)]
    grads = [np.ones(3), np.ones(2)]
    assert cls("heun")(lr=0.5).step(w, lambda params: (7.0, grads)) == 7.0
    assert cls("heun")(lr=0.5).step(w, lambda params: grads) is None
    assert [x.tolist() for x in w] == [[0, 0, 0], [0, 0]]
    with pytest.raises(TypeError, match="call step"):
        cls("heun")(lr=0.5).update(w, grads)


@pytest.mark.parametrize("stage", [0, 1])
def test_a_closure_that_raises_changes_nothing(stage):
    optimizer, w = cls("nag_ahead")(), {"w": np.ones(3)}
    optimizer.step(w, lambda params: {"w": params["w"]})
    before, state = w["w"].copy(), bits(optimizer.state_dict())
    calls = []

    def closure(params):
        calls.append(params["w"].copy())
        if len(calls) > stage:
            raise ZeroDivisionError
        return {"w": params["w"]}

    with pytest.raises(ZeroDivisionError):
        optimizer.step(w, closure)
    assert len(calls) == stage + 1 and (stage == 0 or np.any(calls[1] != before))
    assert w["w"].tolist() == before.tolist() and bits(optimizer.state_dict()) == state


def test_a_variable_takes_part_from_the_first_stage_on_or_not_at_all():
    first = iter([True, False])
    w = {"a": np.ones(1), "b": np.ones(1)}

    def closure(params):
        return {"a": np.ones(1)} if next(first) else {"b": np.ones(1)}

    cls("heun")(lr=0.5).step(w, closure)
    assert w["a"].tolist() == [0.75]  # the second gradient of a is 0, and b has no first one
    assert w["b"].tolist() == [1.0]


# -- accumulation


def adam(**options):
    return cls("adam")(lr=0.01, b1=0.9, b2=0.99, eps=1e-3, **options)


def accumulated(k, **options):
    return cls("accumulated_adam")(lr=0.01, b1=0.9, b2=0.99, eps=1e-3, k=k, **options)


def losses(count, size=64):
    """Gradients of a mean loss, of so many batches of so many examples each."""
    random = np.random.RandomState(4)
    for _ in range(count):
        x, y = random.standard_normal((size, 5)), random.standard_normal(size)
        yield lambda w, part, x=x, y=y: x[part].T @ (x[part] @ w - y[part]) / len(x[part])


def test_eight_small_batches_are_a_large_one():
    large, small = [np.ones(5)], [np.ones(5)]
    one, eight = adam(), accumulated(8)
    for gradient in losses(12):
        one.update(large, [gradient(large[0], slice(None))])
        for i in range(8):
            eight.update(small, [gradient(small[0], slice(8 * i, 8 * i + 8))])
    np.testing.assert_allclose(small[0], large[0], rtol=1e-13)


def test_what_is_inside_counts_its_own_steps():
    seen = []
    optimizer = cls("accumulated_adam")(k=3, lr=lambda step: seen.append(step) or 0.125)
    w = [np.ones(2)]
    for _ in range(9):
        optimizer.update(w, [w[0]])
    assert seen == [0, 0, 0, 1, 1, 1, 2, 2, 2] and optimizer.t == 9


def test_slots_rest_in_the_steps_between():
    optimizer, w = accumulated(4), [np.ones(2)]
    for step in range(1, 9):
        before = optimizer.state_dict()["slots"][0] if step > 1 else {"m": np.zeros(2)}
        start = w[0].copy()
        optimizer.update(w, [np.full(2, np.nan if step < 0 else 1.0)])
        moved = np.any(optimizer.state_dict()["slots"][0]["m"] != before["m"])
        assert moved == (step % 4 == 0) == np.any(w[0] != start)


# -- save and restore at any step of a cycle


@pytest.mark.parametrize("name", ["accumulated_adam", "ranger", "lookahead_lazy_adam", "dog"])
@pytest.mark.parametrize("at", range(8))
def test_training_goes_on_bit_for_bit(name, at, tmp_path):
    random = np.random.RandomState(1)
    grads = [[random.standard_normal((3, 2))] for _ in range(16)]
    one, w = cls(name)(), [np.ones((3, 2))]
    for g in grads[:at]:
        one.update(w, g)
    one.save(tmp_path / "state.npz")
    two, v = cls(name)(), [w[0].copy()]
    two.load(tmp_path / "state.npz")
    for g in grads[at:]:
        one.update(w, g)
        two.update(v, g)
    assert bits(w) == bits(v) and bits(one.state_dict()) == bits(two.state_dict())
