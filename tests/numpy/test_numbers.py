"""Floating-point warnings: none for what is harmless, all that tell the user something."""

import warnings

import numpy as np
import pytest

from tests.numpy.helpers import CASES, IDS, make, sparse


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-320, 1.0])
@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_harmless_steps_do_not_warn(name, setting, size):
    optimizer = make(name, **setting)
    params = {"w": np.ones((3, 2)), "narrow": np.ones((3, 2), np.float32), "none": np.ones((0, 2))}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            g = size * np.ones((3, 2))
            optimizer.update(params, {"w": g, "narrow": g, "none": np.ones((0, 2))})
        for indices in ([0, 2, 2], []):
            g = sparse(name, indices, size * np.ones((len(indices), 2)))
            optimizer.update(params, {"w": g, "narrow": g})
    assert all(np.all(np.isfinite(x)) for x in params.values())


def test_an_overflow_warns_and_a_nan_goes_its_way():
    w = np.ones(2)
    with pytest.warns(RuntimeWarning, match="overflow"):
        make("adam").update([w], [np.full(2, 1e200)])
    make("adam").update([w], [np.array([np.nan, 0])])
    assert np.isnan(w[0]) and not np.isnan(w[1])
