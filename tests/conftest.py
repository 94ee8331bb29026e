"""Fixtures for every environment: this file has to run on Python 3.7, without optdsl."""

import gc
import os
import re

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


#: The quick tests, as the README calls for them.
QUICK = "not tf and not long"


def pytest_ignore_collect(collection_path, config):
    """Of the quick tests none is in a module that is marked as a whole: it is not even imported,
    for TensorFlow and torch take longer over that than many tests.
    """
    if config.option.markexpr != QUICK or collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    return bool(re.search(r"^pytestmark = \[?pytest\.mark\.(tf|long)\b", text, re.M)) or None


def pytest_collection_finish():
    """Frameworks are imported by now. To look for garbage among all their objects again and again
    takes a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(scope="session")
def update_golden(request):
    """Whether golden files are to be written instead of compared."""
    return request.config.getoption("--update-golden")


@pytest.fixture(scope="session")
def load_generated():
    """The function `load_generated(target, name) -> module`."""
    return support.load_generated
