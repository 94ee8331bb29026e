"""The table of docs/optimizers.md says of every optimizer what it was compared with.

That the numbers hold is checked where they are measured, beside each library.
"""

import pytest

from tests.peers.documented import HEADER, bounds, paper, peers, rows, specs
from tests.peers.measure import TOLERANCE

SPECS = specs()


def test_one_row_for_each_optimizer_in_order():
    assert list(rows()) == [optimizer.name.text for optimizer in SPECS.values()]
    assert all(len(cells) == len(HEADER) - 1 for cells in rows().values())


@pytest.mark.parametrize("module", SPECS)
def test_the_paper_is_the_one_that_the_spec_names(module):
    assert rows()[SPECS[module].name.text][0] == paper(SPECS[module])


def test_every_comparison_has_its_bound_and_no_other():
    names = {(SPECS[module].name.text, *peer) for module, *peer in peers()}
    assert set(bounds()) == names
    assert max(bounds().values()) <= TOLERANCE
