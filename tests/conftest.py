"""Fixtures for every environment: this file has to run on Python 3.7, without optdsl."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from tests import support


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them",
    )


@pytest.fixture(scope="session")
def update_golden(request):
    """Whether golden files are to be written instead of compared."""
    return request.config.getoption("--update-golden")


@pytest.fixture(scope="session")
def load_generated():
    """The function `load_generated(target, name) -> module`."""
    return support.load_generated
