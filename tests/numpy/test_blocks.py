"""Steps in place: block by block, small variables together, in threads, all with the same bits."""

import copy
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest

from tests.numpy.helpers import CASES, IDS, bits, cls, make, module, sparse, train
from tests.numpy.test_errors import check_refused, raising

IN_PLACE = [(n, s) for n, s in CASES if hasattr(module(n), "_run")]
IDS_IN_PLACE = [i for (n, _), i in zip(CASES, IDS) if hasattr(module(n), "_run")]
SUMS = [(n, s) for n, s in CASES if hasattr(module(n), "_Sums")]


def whole(monkeypatch, name):
    """From now on everything is computed before anything is written."""
    monkeypatch.setattr(module(name), "_errors_raise", lambda: True)


def variables(dtype):
    rng = np.random.RandomState(5)
    shapes = {"table": (40, 3), "a": (7,), "scalar": (), "b": (2, 5), "empty": (0, 2)}
    return {key: rng.standard_normal(shape).astype(dtype) for key, shape in shapes.items()}


def trained(name, setting, dtype, gradients=None, **running):
    """What four steps make of variables and state, some of them without some gradients."""
    optimizer, params = make(name, **setting, **running), variables(dtype)
    rng = np.random.RandomState(6)
    for step in range(4):
        grads = {k: rng.standard_normal(x.shape).astype(dtype) for k, x in params.items()}
        if step == 2:
            del grads["a"]
        if step and gradients == "sparse":
            rows = rng.randint(0, 40, 9)
            grads["table"] = sparse(name, rows, rng.standard_normal((9, 3)).astype(dtype))
        optimizer.update(params, grads)
    return bits(params), bits(optimizer.state_dict())


@pytest.mark.parametrize("name, setting", IN_PLACE, ids=IDS_IN_PLACE)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_blocks_give_the_bits_of_the_whole(name, setting, dtype, monkeypatch):
    for gradients in (None, "sparse"):
        got = [trained(name, setting, dtype, gradients)]
        with monkeypatch.context() as patch:
            patch.setattr(module(name), "_BLOCK", 64)
            patch.setattr(module(name), "_ROWS", 4)
            got.append(trained(name, setting, dtype, gradients))
            patch.setattr(module(name), "_MANY", 1)
            running = {"threads": 3, "engine": "numpy"}
            got.append(trained(name, setting, dtype, gradients, **running))
            whole(patch, name)
            want = trained(name, setting, dtype, gradients)
        assert got == [want] * 3


@pytest.mark.parametrize("name, setting", SUMS, ids=[f"{n}-{s}" for n, s in SUMS])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sums_over_blocks_are_those_of_the_whole(name, setting, dtype, monkeypatch):
    """But for rounding; and for any number of threads they have the same bits."""

    def states(**running):
        optimizer, params = make(name, **setting, **running), variables(dtype)
        rng = np.random.RandomState(6)
        for _ in range(4):
            grads = {k: rng.standard_normal(x.shape).astype(dtype) for k, x in params.items()}
            optimizer.update(params, grads)
        return optimizer, [*params.values(), *optimizer.get_weights()]

    monkeypatch.setattr(module(name), "_BLOCK", 64)
    monkeypatch.setattr(module(name), "_MANY", 1)
    optimizer, got = states()
    assert optimizer._runners
    assert bits(states(threads=3)[1]) == bits(got)
    whole(monkeypatch, name)
    optimizer, want = states()
    assert not optimizer._runners
    for x, y in zip(got, want):
        np.testing.assert_allclose(x, y, rtol=40 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


def test_what_waits_for_a_sum_is_one_array():
    """LAMB keeps its step in whole; moments are written where they were."""
    optimizer, w = cls("lamb")(), np.ones(3, np.float32)
    optimizer.update([w], [np.ones(3, np.float32)])
    (tape,) = optimizer._runners.values()
    assert [len(arrays) for _, arrays, _ in tape._sweeps] == [18, 2]
    assert sum(ndim and waits for _, ndim, waits, _ in tape._room) == 1


def many(count=30):
    rng = np.random.RandomState(1)
    return {f"w{i}": rng.standard_normal((i, 3)).astype(np.float32) for i in range(count)}


def test_small_variables_are_packed_and_nobody_sees_it(monkeypatch):
    def states(**running):
        optimizer, params = cls("adam")(overrides={"w1": {"lr": "*0.1"}}, **running), many()
        float64 = {**params, "wide": np.ones(3)}
        rng = np.random.RandomState(2)
        for _ in range(4):
            grads = {k: rng.standard_normal(x.shape).astype(x.dtype) for k, x in float64.items()}
            optimizer.update(float64, grads)
        return optimizer, bits(float64), bits(optimizer.state_dict()), optimizer.get_weights()

    packed, *got = states()
    assert len(packed._repeated.parts) == 3  # two groups of overrides, two dtypes
    base = packed._slots["w2"]["m"].base
    assert base is not None and base is packed._slots["w3"]["m"].base
    whole(monkeypatch, "adam")
    _, *want = states()
    assert bits(got) == bits(want)


def pickled(optimizer):
    return pickle.loads(pickle.dumps(optimizer))


@pytest.mark.parametrize("remade", [copy.copy, copy.deepcopy, pickled])
def test_copies_go_on_by_themselves(remade, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, cls("adam").__module__, module("adam"))
    optimizer, params = cls("adam")(), many()
    train(optimizer, params, 3)
    start = {k: x.copy() for k, x in params.items()}
    other, apart = remade(optimizer), {k: x.copy() for k, x in params.items()}
    train(optimizer, params, 2)
    if remade is not copy.copy:  # which shares the arrays of the state
        train(other, apart, 2)
        assert bits(apart) == bits(params)
        assert bits(other.state_dict()) == bits(optimizer.state_dict())
    assert bits(start) != bits(params)


def test_a_loaded_state_counts_from_the_next_step_on():
    optimizer, params = cls("adam")(), many()
    train(optimizer, params, 2)
    state, weights = optimizer.state_dict(), optimizer.get_weights()
    before = {k: x.copy() for k, x in params.items()}
    train(optimizer, params, 2)
    want = bits(params), bits(optimizer.state_dict())
    for load, saved in [(optimizer.load_state_dict, state), (optimizer.set_weights, weights)]:
        load(saved)
        for key, x in before.items():
            params[key][...] = x
        train(optimizer, params, 2)
        assert (bits(params), bits(optimizer.state_dict())) == want


def test_an_array_of_the_last_step_stays_where_it_is_in_memory():
    """A loop of numba finds small ones by their places, and a freed one would be written to."""
    optimizer, params = cls("adam")(), [np.ones(3), np.ones(4)]
    for _ in range(2):
        optimizer.update(params, [np.ones(3), np.ones(4)])
    with pytest.raises(ValueError, match="cannot resize"):
        params[0].resize(1000, refcheck=False)
    optimizer.update(params, [np.ones(3), np.ones(4)])


def test_what_is_not_as_in_the_last_step_is_seen():
    def ready():
        optimizer, params = cls("adam")(), [np.ones((4, 3)), np.ones(3)]
        for _ in range(2):
            optimizer.update(params, [np.ones((4, 3)), np.ones(3)])
        assert optimizer._repeated is not None
        return optimizer, params

    good = [np.ones((4, 3)), np.ones(3)]
    optimizer, params = ready()
    for bad, error in [
        ([np.ones((4, 3)), np.ones(4)], ValueError),
        ([np.ones((4, 3)), np.ones(3, complex)], TypeError),
        ([np.ones((4, 3)), np.ones(3, bool)], TypeError),
        ([np.ones((4, 3))], ValueError),
    ]:
        check_refused(error, optimizer, params, lambda: optimizer.update(params, bad))
    params[1].flags.writeable = False
    check_refused(ValueError, optimizer, params, lambda: optimizer.update(params, good))
    optimizer, params = ready()
    params[0].shape = (3, 4)
    grads = [np.ones((3, 4)), np.ones(3)]
    check_refused(ValueError, optimizer, params, lambda: optimizer.update(params, grads))
    optimizer, params = ready()
    optimizer.lr = raising
    check_refused(ZeroDivisionError, optimizer, params, lambda: optimizer.update(params, good))
    optimizer, params = ready()
    optimizer.update(params, good, constraints={1: np.zeros_like})
    assert not params[1].any()
    optimizer, (first, second) = ready()
    optimizer.clipvalue = 1e-3
    optimizer.update([first, second], good)
    assert optimizer.state_dict()["slots"][0]["m"].max() < 1


def test_gradients_in_the_memory_of_variables_are_read_before_it_is_written():
    for name in ("sgd", "adam", "diffgrad"):
        big = np.linspace(1, 2, 1 << 15)
        one, other = [big.copy(), big[::-1].copy()], [big.copy(), big[::-1].copy()]
        mine, plain = make(name), make(name)
        for _ in range(3):
            mine.update(one, [one[1], one[0]])
            plain.update(other, [other[1].copy(), other[0].copy()])
            mine.update(one, [one[0][::-1], one[1]])
            plain.update(other, [other[0][::-1].copy(), other[1].copy()])
        assert bits(one) == bits(other) and bits(mine.state_dict()) == bits(plain.state_dict())


def test_gradients_of_packed_variables_in_the_memory_of_others_are_read_before_it_is_written():
    big = np.linspace(1, 2, 1 << 15)
    one, other = ([x.copy() for x in (big, big[:9], big[:5])] for _ in range(2))
    mine, plain = make("sgd"), make("sgd")
    for _ in range(3):
        mine.update(one, [big, one[0][:9], one[0][9:14]])
        plain.update(other, [big, other[0][:9].copy(), other[0][9:14].copy()])
    assert bits(one) == bits(other) and bits(mine.state_dict()) == bits(plain.state_dict())


def test_a_warning_that_is_an_error_changes_nothing():
    optimizer, params = cls("adam")(), [np.ones(2), np.ones(2)]
    train(optimizer, dict(enumerate(params)), 2)
    huge = [np.ones(2), np.full(2, 1e200)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_refused(RuntimeWarning, optimizer, params, lambda: optimizer.update(params, huge))


@pytest.mark.parametrize("name", ["adam", "amsgrad", "adabelief", "sgd", "rmsprop", "nadam"])
def test_a_step_needs_a_block_of_memory(name):
    """In float32: nothing of the size of the variable is made, in the first steps neither."""
    optimizer, (w, g) = make(name), np.ones((2, 1 << 21), np.float32)
    optimizer.update([w], [g])
    for _ in range(2):
        tracemalloc.start()
        optimizer.update([w], [g])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 6 * module(name)._BLOCK < w.nbytes / 4


def test_the_tape_writes_over_what_is_not_needed_any_more():
    tapes = {}
    for name in ("adam", "adabelief", "sgd"):
        optimizer = make(name)
        train(optimizer, {"w": np.ones(4)}, 1)
        (tapes[name],) = optimizer._runners.values()
    assert len(tapes["adam"].calls) == 12 and len(tapes["adam"]._room) == 2
    assert len(tapes["sgd"]._room) <= 1
    assert not any(call[0] is np.copyto for tape in tapes.values() for call in tape.calls)


def test_a_sign_is_not_taken_in_place():
    """NumPy takes it ten times as fast from one array into another."""
    optimizer, w = cls("lion")(engine="numpy"), np.ones(3)
    optimizer.update([w], [np.ones(3)])
    (tape,) = optimizer._runners.values()
    places = [get(range(100)) for function, get in tape.calls if function is np.sign]
    assert places and all(out not in inputs for *inputs, out in places)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True])
def test_threads_have_to_be_a_positive_integer(wrong):
    with pytest.raises((TypeError, ValueError), match="threads"):
        cls("adam")(threads=wrong)


def test_engines_have_to_be_known_and_able():
    with pytest.raises(ValueError, match="'auto', 'numpy' or 'numba', not 'jax'"):
        cls("adam")(engine="jax")
    with pytest.raises(ValueError, match="numba can compile"):
        cls("lamb")(engine="numba")


def compiled():
    pytest.importorskip("numba")
    return [
        "adam",
        "amsgrad",
        "nadam",
        "radam",
        "sgd",
        "adagrad",
        "yogi",
        "pid",
        "msvag",
        "rmsprop",
    ]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numba_gives_the_bits_of_numpy_where_all_operations_round_alike(dtype):
    """+ - * / and the square root do, with literals in the dtype of the arrays as well."""
    for name in compiled():
        for gradients in (None, "sparse"):
            want = trained(name, {}, dtype, gradients, engine="numpy")
            assert trained(name, {}, dtype, gradients, engine="numba") == want, name


def test_numba_changes_packed_variables_of_all_shapes_where_they_lie():
    """Other arrays, longer ones, arrays with gaps and gradients in their memory as well."""
    compiled()

    def trained_with(engine):
        optimizer, rng = cls("amsgrad")(engine=engine), np.random.RandomState(3)
        shapes = [(4, 3), (7,), (), (0, 2), (2, 3, 4)]
        params = [rng.standard_normal(x).astype(np.float32) for x in shapes]
        seen = []
        for step in range(9):
            grads = [rng.standard_normal(x.shape).astype(x.dtype) for x in params]
            if step == 3:
                params[1] = params[1].copy()
            elif step == 5:
                grads[0] = grads[0].T.copy().T  # with its rows side by side in the other order
                grads[2] = params[1][:1].reshape(())
            elif step == 6:
                grads[1] = grads[1].astype(np.float64)
            elif step == 7:
                params[4] = np.asfortranarray(params[4])
            optimizer.update(params, grads)
            seen.append(bits([x.copy() for x in params]))
        return seen, bits(optimizer.state_dict())

    assert trained_with("numba") == trained_with("numpy")


def test_auto_compiles_for_large_steps_alone(monkeypatch):
    compiled()
    optimizer = cls("adam")()
    train(optimizer, {"w": np.ones(4)}, 1)
    assert [type(x).__name__ for x in optimizer._runners.values()] == ["_Tape"]
    monkeypatch.setattr(module("adam"), "_MANY", 4)
    train(optimizer, {"w": np.ones(4)}, 1)
    assert [type(x).__name__ for x in optimizer._runners.values()] == ["_Tape", "_Compiled"]
    train(optimizer, {"long": np.ones(4, np.longdouble)}, 1)
    assert [type(x).__name__ for x in optimizer._runners.values()][2:] == ["_Tape"]


def outliving(g, w, m, v):
    a = m + 1  # the old m is free from here on, but only until the new one is made
    m = g - v
    return w + a, m, v


def swapping(g, w, m, v):
    return w - g, v, m


def copying(g, w, m, v):
    v = w * g
    return v, g, v


def constant(g, w, m, v):
    return np.where(m > g, w, -g), np.full_like(w, 3), np.maximum(v, 2)


def unchanged(g, w, m, v):
    return w, m, (m + w) ** 2 / (m - w) ** 3


@pytest.mark.parametrize("rule", [outliving, swapping, copying, constant, unchanged])
def test_places_are_taken_when_they_are_free(rule):
    rng = np.random.RandomState(3)
    arrays = list(rng.standard_normal((4, 9)))
    want = rule(*[x.copy() for x in arrays])
    part = module("adam")._Part("_rule", arrays[:1], arrays[1:], {})
    tape = module("adam")._Tape(rule, part)
    tape.run(arrays, [], 0)
    assert bits(arrays[1:]) == bits(want)
