from types import SimpleNamespace

import pytest

from optdsl.audit import AuditError, audit
from optdsl.emit import seal, with_header

GOOD = '''\
# A comment.
"""A module with a docstring: β − é."""

import numpy as np

try:
    import scipy.sparse
except ImportError:
    scipy = None

LIMIT = 3


class Adam:
    """Adam."""

    def __init__(self, lr=0.1, *rest, **options):
        if isinstance(lr, str):
            raise TypeError(f"lr is {lr}")
        self.lr = [float(x) for x in (lr, LIMIT)]

    def _rule(self, g, w):
        try:
            return w - self.lr[0] * np.sqrt(g)
        except Exception as error:
            raise ValueError(str(error))
'''
IMPORTS = {"numpy", "scipy.sparse"}


def test_an_honest_module_passes():
    audit(GOOD, IMPORTS)


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import numpy.linalg",
        "from os import path",
        "from . import x",
        "from .numpy import x",
        "from numpy.random import seed",
        "print('hello')",
        "LIMIT",
        "'a second text'",
        "for x in ():\n    pass",
        "while True:\n    pass",
        "del LIMIT",
        "x = eval('1')",
        "x = [open]",
        "x = __import__('os')",
        "x = undefined_name",
        "def f():\n    exec('1')",
        "def f():\n    import os",
        "def f():\n    global LIMIT",
        "def eval():\n    pass",
        "def f(compile):\n    pass",
        "@breakpoint\ndef f():\n    pass",
        "x = f'{globals()}'",
        "x = ().__class__.__bases__",
        "x = np.sqrt.__globals__",
        "ö = 1",
        "async def f():\n    pass",
        "(y := 1)",
        "def f(x, /):\n    pass",
        "match = 1 +",
        "x = '\x07'",
        "x = '\u202e'",
        "x = '\u2028'",
        "x = '\x00'",
        "x = 1\r",
        "# \x1b[31m",
        "def f():\n    pass\n\n\ndef f():\n    pass",
        "class C:\n    def f(self):\n        pass\n\n    def f(self):\n        pass",
    ],
)
def test_anything_else_does_not(line):
    with pytest.raises(AuditError):
        audit(f"{GOOD}\n\n{line}\n", IMPORTS)


def test_the_line_is_named():
    with pytest.raises(AuditError, match="line 1: it imports os"):
        audit("import os\n", IMPORTS)


def test_a_deep_expression_is_an_audit_error_too():
    with pytest.raises(AuditError):
        audit(f"x = {'(' * 5000}1{')' * 5000}\n", ())


def test_every_file_is_looked_over_before_it_is_sealed():
    program, target = SimpleNamespace(sources=()), SimpleNamespace(allowed_imports={"numpy"})
    text = with_header('"""A module."""\n\nimport numpy\n', program, target)
    assert text == seal(text)
    with pytest.raises(AuditError):
        with_header("import os\n", program, target)
