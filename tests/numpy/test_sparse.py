"""Sparse gradients: the three policies, duplicates, the kinds of sparse gradients."""

import numpy as np
import pytest
import scipy.sparse

from tests.numpy.helpers import CASES, IDS, NAMES, bits, cls, make, policy, sparse

ROWS = 7


def stream(steps=12, width=(3,), seed=0):
    """(indices, values) with duplicates; all rows once, none once."""
    rng = np.random.RandomState(seed)
    for step in range(steps):
        indices = rng.randint(0, ROWS, 5)
        if step == 4:
            indices = np.arange(ROWS)[::-1]
        if step == 7:
            indices = np.zeros(0, int)
        yield indices, rng.standard_normal(indices.shape + width)


def densified(indices, values):
    dense = np.zeros((ROWS, *values.shape[1:]), values.dtype)
    np.add.at(dense, indices, values)
    return dense


def start(width=(3,)):
    return np.random.RandomState(9).standard_normal((ROWS, *width))


def cases(wanted):
    chosen = [(c, i) for c, i in zip(CASES, IDS) if policy(*c) == wanted]
    return {
        "argnames": "name, setting",
        "argvalues": [c for c, _ in chosen],
        "ids": [i for _, i in chosen],
    }


@pytest.mark.parametrize("width", [(), (3,), (2, 2)])
@pytest.mark.parametrize(**cases("exact"))
def test_exact_is_the_dense_rule_on_the_dense_gradient(name, setting, width):
    one, other = make(name, **setting), make(name, **setting)
    w, want = start(width), start(width)
    for indices, values in stream(width=width):
        one.update({"w": w}, {"w": sparse(name, indices, values, w.shape)})
        other.update({"w": want}, {"w": densified(indices, values)})
        np.testing.assert_allclose(w, want, rtol=1e-12, atol=1e-15)
    mine, theirs = one.state_dict()["slots"]["w"], other.state_dict()["slots"]["w"]
    for slot in theirs:
        np.testing.assert_allclose(mine[slot], theirs[slot], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(**cases("hybrid"))
def test_hybrid_changes_slots_everywhere_and_the_variable_on_its_rows(name, setting):
    one, other = make(name, **setting), make(name, **setting)
    w = start()
    for indices, values in stream():
        before, dense = w.copy(), w.copy()
        one.update({"w": w}, {"w": sparse(name, indices, values)})
        other.update({"w": dense}, {"w": densified(indices, values)})
        touched = np.isin(np.arange(ROWS), indices)
        np.testing.assert_allclose(w[touched], dense[touched], rtol=1e-12, atol=1e-15)
        assert bits(w[~touched]) == bits(before[~touched])
        mine, theirs = one.state_dict()["slots"]["w"], other.state_dict()["slots"]["w"]
        for slot in theirs:
            np.testing.assert_allclose(mine[slot], theirs[slot], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(**cases("lazy"))
def test_lazy_sees_a_variable_of_the_gradient_s_rows(name, setting):
    one, other = make(name, **setting), make(name, **setting)
    w = start()
    for indices, values in stream():
        before = w.copy()
        slots = one.state_dict()["slots"].get("w", {})
        one.update({"w": w}, {"w": sparse(name, indices, values)})
        rows = np.unique(indices)
        if slots or other.t:
            state = one_row_state(other, slots, rows)
            other.load_state_dict(state)
        part = before[rows]
        other.update({"w": part}, {"w": densified(indices, values)[rows]})
        after, of_rows = one.state_dict()["slots"]["w"], other.state_dict()["slots"]["w"]
        np.testing.assert_allclose(w[rows], part, rtol=1e-12, atol=1e-15)
        rest = np.setdiff1d(np.arange(ROWS), rows)
        assert bits(w[rest]) == bits(before[rest])
        for slot, x in of_rows.items():
            mine = after[slot][rows] if x.ndim else after[slot]
            np.testing.assert_allclose(mine, x, rtol=1e-12, atol=1e-15)
            if x.ndim and slots:
                assert bits(after[slot][rest]) == bits(slots[slot][rest])


def one_row_state(optimizer, slots, rows):
    """The state of `optimizer`, with the slots of some rows of a larger variable."""
    state = optimizer.state_dict()
    state["slots"] = {"w": {k: x[rows] if x.ndim else x for k, x in slots.items()}}
    return state


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_duplicates_are_summed_before_anything_else(name, setting):
    one, other = (make(name, clipnorm=1.0, **setting) for _ in range(2))
    w, want = start(), start()
    for indices, values in stream():
        one.update([w], [sparse(name, indices, values)])
        rows = np.unique(indices)
        summed = densified(indices, values)[rows]
        other.update([want], [sparse(name, rows, summed)])
        np.testing.assert_allclose(w, want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_a_row_whose_values_cancel_is_a_row_of_the_gradient(name, setting):
    one, other = make(name, **setting), make(name, **setting)
    w, want = start(), start()
    g = np.random.RandomState(3).standard_normal((2, 3))
    for indices, values in [([1, 4], g), ([2, 1, 2], np.stack([g[0], g[1], -g[0]]))]:
        one.update([w], [sparse(name, indices, values)])
    for indices, values in [([1, 4], g), ([1, 2], np.stack([g[1], 0 * g[0]]))]:
        other.update([want], [sparse(name, indices, values)])
    assert bits(w) == bits(want)


@pytest.mark.parametrize("name", NAMES)
def test_scipy_s_sparse_matrices(name):
    one, other = make(name), make(name)
    w, want = start(), start()
    for indices, values in stream():
        dense = densified(indices, values)
        matrix = scipy.sparse.csr_matrix(dense)
        one.update([w], [matrix])
        rows = np.unique(matrix.nonzero()[0])
        other.update([want], [sparse(name, rows, dense[rows])])
        assert bits(w) == bits(want)


def test_scipy_s_other_formats_and_stored_zeros():
    for convert in (scipy.sparse.coo_matrix, scipy.sparse.csc_matrix, scipy.sparse.lil_matrix):
        w = start()
        cls("gradient_descent")(lr=1.0).update([w], [convert(np.eye(ROWS, 3))])
        np.testing.assert_array_equal(w, start() - np.eye(ROWS, 3))
    stored = scipy.sparse.csr_matrix((np.zeros(1), ([2], [0])), shape=(ROWS, 3))
    optimizer, w = cls("lazy_adam")(), start()
    optimizer.update([w], [sparse("lazy_adam", [2], np.ones((1, 3)))])
    m = optimizer.state_dict()["slots"][0]["m"]
    optimizer.update([w], [stored])
    np.testing.assert_allclose(optimizer.state_dict()["slots"][0]["m"][2], 0.9 * m[2], rtol=1e-15)


def test_any_module_s_sparse_gradients_will_do():
    w = start()
    cls("sgd")(1.0).update([w], [sparse("adam", [1], np.ones((1, 3)), (ROWS, 3))])
    assert bits(w[1]) == bits(start()[1] - 1)


# FOCUS takes the sign of what may be nothing but rounding.
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name, setting", [case for case in CASES if case[0] != "focus"])
def test_sparse_gradients_of_narrow_variables(name, setting, dtype):
    optimizer, wide = make(name, **setting), make(name, **setting)
    w, want = start().astype(dtype), start().astype(dtype).astype(np.float64)
    for indices, values in stream(4):
        narrow = values.astype(dtype)
        optimizer.update([w], [sparse(name, indices, narrow)])
        wide.update([want], [sparse(name, indices, narrow.astype(np.float64))])
    tolerance = 2e-2 if dtype == np.float16 else 1e-4
    np.testing.assert_allclose(w.astype(float), want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("index_type", [np.int8, np.uint8, np.int32, np.uint64])
def test_indices_of_every_integer_type(index_type):
    w = np.zeros((200, 2))
    indices = np.array([3, 100, 3], index_type)
    cls("gradient_descent")(lr=1.0).update([w], [sparse("sgd", indices, np.ones((3, 2)))])
    assert w[3].tolist() == [-2, -2] and w[100].tolist() == [-1, -1] and w.sum() == -6


def test_a_table_without_columns_and_one_without_rows():
    for shape in ((ROWS, 0), (0, 3)):
        w = np.zeros(shape)
        indices = np.arange(min(1, shape[0]))
        values = np.zeros(indices.shape + shape[1:])
        for name in NAMES:
            make(name).update([w], [sparse(name, indices, values)])
