"""Random programs do in every target what the oracle says, dense and sparse."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given

from tests.property.programs import compositions, programs
from tests.property.trials import failures, many

pytestmark = pytest.mark.long


@many(200)
@given(text=programs())
def test_numpy(text: str) -> None:
    found = failures([text], "numpy")
    assert not found, found[0]


@many(75)
@given(text=compositions())
def test_compositions_in_numpy(text: str) -> None:
    found = failures([text], "numpy")
    assert not found, found[0]


@pytest.mark.tf
@pytest.mark.parametrize("target", ["tf1", "keras_v2"])
def test_tensorflow(target: str) -> None:
    texts: list[str] = []

    @many(25, Phase.generate)
    @given(text=programs() | compositions())
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    found = failures(texts, target)
    assert not found, "\n\n".join(found)
