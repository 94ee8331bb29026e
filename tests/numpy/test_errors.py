"""What does not fit is an error that names it, and changes nothing at all."""

import numpy as np
import pytest

from tests.numpy.helpers import NAMES, bits, cls, make, sparse, train

SHAPE = (4, 3)


def rows(indices, values=None, shape=None):
    count = np.size(indices)
    return sparse("adam", indices, np.ones((count, 3)) if values is None else values, shape)


def read_only():
    array = np.ones(SHAPE)
    array.flags.writeable = False
    return array


def raising(*_):
    raise ZeroDivisionError("of the user")


ONES = np.ones(SHAPE)
BAD_GRADIENTS = {
    "shape": (np.ones((3, 4)), ValueError),
    "a number for an array": (1.0, ValueError),
    "complex": (ONES * 1j, TypeError),
    "objects": (ONES.astype(object), TypeError),
    "text": (np.full(SHAPE, "1"), TypeError),
    "truth values": (ONES.astype(bool), TypeError),
    "index too large": (rows([1, 4]), IndexError),
    "index negative": (rows([1, -1]), IndexError),
    "index too large for any integer": (rows(np.array([2**64 - 1], np.uint64)), IndexError),
    "index not an integer": (rows([1.0]), TypeError),
    "index true": (rows([True]), TypeError),
    "indices in two dimensions": (rows([[1], [2]], np.ones((2, 1, 3))), TypeError),
    "fewer values than indices": (rows([1, 2], np.ones((1, 3))), ValueError),
    "values of another width": (rows([1], np.ones((1, 4))), ValueError),
    "complex values": (rows([1], np.ones((1, 3)) * 1j), TypeError),
    "another shape": (rows([1], shape=(5, 3)), ValueError),
}
BAD_PARAMS = {
    "a list of numbers": ([1.0, 2.0], np.ones(2), TypeError),
    "a number": (np.float64(1), 1.0, TypeError),
    "integers": (np.ones(SHAPE, int), ONES, TypeError),
    "truth values": (np.ones(SHAPE, bool), ONES, TypeError),
    "complex": (np.ones(SHAPE, complex), ONES, TypeError),
    "objects": (np.ones(SHAPE, object), ONES, TypeError),
    "read-only": (read_only(), ONES, ValueError),
    "rows of a 0-d array": (np.array(1.0), rows([0]), ValueError),
}


def check_refused(error, optimizer, params, call, match=None):
    """`call` raises `error`, and neither `params` nor the optimizer are changed."""
    before = bits(params), bits(optimizer.state_dict()), bits(optimizer.get_weights())
    with pytest.raises(error, match=match):
        call()
    assert (bits(params), bits(optimizer.state_dict()), bits(optimizer.get_weights())) == before


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("kind", sorted(BAD_GRADIENTS))
def test_a_bad_gradient(kind, trained):
    bad, error = BAD_GRADIENTS[kind]
    optimizer, params = cls("adam")(), {"first": np.ones(SHAPE), "w": np.ones(SHAPE)}
    if trained:
        train(optimizer, params, 2)
    grads = {"first": ONES, "w": bad}
    check_refused(
        error, optimizer, params, lambda: optimizer.update(params, grads), "grads\\['w'\\]"
    )


@pytest.mark.parametrize("kind", sorted(BAD_PARAMS))
def test_a_bad_parameter(kind):
    bad, grad, error = BAD_PARAMS[kind]
    optimizer, params = cls("adam")(), {"first": np.ones(SHAPE), "w": bad}
    grads = {"first": ONES, "w": grad}
    check_refused(error, optimizer, params, lambda: optimizer.update(params, grads), "\\['w'\\]")


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_checks_before_it_writes(name):
    optimizer, params = make(name), [np.ones(SHAPE), np.ones(SHAPE)]
    train(optimizer, {0: params[0], 1: params[1]}, 2)
    bad = [ONES, np.ones(5)]
    check_refused(ValueError, optimizer, params, lambda: optimizer.update(params, bad))


def shared_memory():
    base = np.zeros((6, 6))
    yield base, base
    yield base[:4], base[3:]
    yield base, base.T
    yield base[::2], base[::-1]
    yield base[2:3], base


@pytest.mark.parametrize("a, b", list(shared_memory()))
def test_arrays_that_share_memory(a, b):
    optimizer, params = cls("sgd")(), {"a": a, "other": np.ones(3), "b": b}
    grads = {k: np.ones(x.shape) for k, x in params.items()}
    match = "'[ab]'.*'[ab]'.* share memory"
    check_refused(ValueError, optimizer, params, lambda: optimizer.update(params, grads), match)


def test_parts_of_one_array_that_do_not_overlap():
    base = np.zeros((6, 6))
    parts = [base[:, ::2], base[:3, 1::2], base[3:, 1::2], np.zeros((0, 2)), np.zeros((0, 2))]
    cls("sgd")(1.0).update(parts, [np.ones(x.shape) for x in parts])
    assert np.all(base == -1)


@pytest.mark.parametrize(
    "params, grads, error",
    [
        ([np.ones(2)], {"w": np.ones(2)}, TypeError),
        ({"w": np.ones(2)}, [np.ones(2)], TypeError),
        (np.ones((2, 2)), np.ones((2, 2)), TypeError),
        ([np.ones(2)], [np.ones(2), np.ones(2)], ValueError),
        ([np.ones(2), np.ones(2)], [np.ones(2)], ValueError),
        ({"w": np.ones(2)}, {"v": np.ones(2)}, ValueError),
    ],
)
def test_params_and_grads_that_do_not_belong_together(params, grads, error):
    optimizer = cls("adam")()
    check_refused(error, optimizer, params, lambda: optimizer.update(params, grads))


def test_an_error_in_a_schedule_or_a_constraint():
    params = [np.ones(2), np.ones(2)]
    late = cls("adam")(lr=lambda step: raising() if step else 0.1)
    late.update(params, params)
    check_refused(ZeroDivisionError, late, params, lambda: late.update(params, params))
    optimizer = cls("adam")()
    for bad, error in [
        (raising, ZeroDivisionError),
        (lambda w: w[:1], ValueError),
        (lambda w: w > 0, ValueError),
        (lambda w: None, ValueError),
    ]:
        call = lambda: optimizer.update(params, params, constraints={1: bad})
        check_refused(error, optimizer, params, call)
    call = lambda: optimizer.update(params, params, constraints={2: abs})
    check_refused(ValueError, optimizer, params, call, "constraints")


def test_a_floating_point_error_that_the_user_asked_for():
    """With np.seterr(all="raise"), an overflow is an error of the whole step, underflow is none."""
    optimizer, params = cls("adam")(), [np.ones(2), np.ones(2)]
    with np.errstate(all="raise"):
        optimizer.update(params, [np.full(2, 1e-200), np.full(2, 1e-300)])
        huge = [np.ones(2), np.full(2, 1e200)]
        check_refused(FloatingPointError, optimizer, params, lambda: optimizer.update(params, huge))


def test_a_variable_that_changes_its_shape_or_dtype():
    optimizer = cls("adam")()
    optimizer.update([np.ones(2)], [np.ones(2)])
    for changed in (np.ones(3), np.ones(2, np.float32)):
        call = lambda: optimizer.update([changed], [np.ones(changed.shape)])
        check_refused(ValueError, optimizer, [changed], call, "of 0 is float64")
