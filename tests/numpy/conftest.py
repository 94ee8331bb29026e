"""The whole library goes through these tests; without `long`, a sample of it that has all kinds of
rules.
"""

import pytest

from tests import support


def pytest_itemcollected(item):
    name = getattr(item, "callspec", None) and item.callspec.params.get("name")
    if name is not None and name not in support.SAMPLE:
        item.add_marker(pytest.mark.long)
