"""What holds in all tests of the target tf1. Runs on Python 3.7."""

import pytest


@pytest.fixture(autouse=True)
def branches_for_reference_variables():
    """Control flow v2, the default of TensorFlow 2, cannot assign to reference variables."""
    tf = pytest.importorskip("tensorflow.compat.v1")
    was_v2 = tf.control_flow_v2_enabled()
    tf.disable_control_flow_v2()
    yield
    if was_v2:
        tf.enable_control_flow_v2()
