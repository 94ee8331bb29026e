"""When a generated optimizer trains a model as the framework's own does."""

import numpy as np

#: Each seed gives other initial weights and another order of the data, the same to both optimizers.
SEEDS = (0, 1, 2)


def check(mine, theirs, falls_to):
    """`mine` and `theirs` are (loss before, loss after) for each seed.

    All the losses have to fall to less than `falls_to` of what they were; and for no seed may the
    loss at the end differ by more than the standard deviation, over the seeds, of the losses at
    the end of the framework's own optimizer: that much is left to chance anyway.
    """
    mine, theirs = np.array(mine), np.array(theirs)
    np.testing.assert_allclose(mine[:, 0], theirs[:, 0], rtol=1e-5)
    assert np.all(mine[:, 1] < falls_to * mine[:, 0]), mine
    assert np.all(theirs[:, 1] < falls_to * theirs[:, 0]), theirs
    noise = np.std(theirs[:, 1])
    assert noise > 0
    difference = np.abs(mine[:, 1] - theirs[:, 1])
    assert np.all(difference <= noise), f"differences {difference}, noise {noise}"
