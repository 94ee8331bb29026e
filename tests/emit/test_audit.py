import random
from types import SimpleNamespace

import pytest

from optdsl import api
from optdsl import audit as audit_module
from optdsl.audit import AuditError, audit
from optdsl.emit import seal, with_header
from optdsl.resources import library_spec
from optdsl.targets.base import get_target

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
        "class C: x = 1\n\n    def f(self):\n        pass",
        "class C(object,\n    int): x = 1\n\n    def f(self):\n        pass",
        "class C:\n  x = 1\n\n    def f(self):\n        pass",
        "class C:\n    x = 1\ny = 2\n\n    def f(self):\n        pass",
        "class C:\n    x = 1\n\n    def f(self):\n        pass\nprint(1)",
        "class C:\n    x = 1\n\n    def f(self):\n        return _",
        "x = (1,\n\n\ndef f():\n    pass",
        "if LIMIT:\n\n    def f():\n        pass\n\n\ndef g():\n    pass\nelse:\n    pass",
        "try:\n    x = 1\n\n\ndef f():\n    pass\n\n\nexcept ValueError:\n    pass",
    ],
)
def test_anything_else_does_not(line):
    with pytest.raises(AuditError):
        audit(f"{GOOD}\n\n{line}\n", IMPORTS)


@pytest.mark.parametrize("indent", ["", "    "])
def test_what_looks_like_the_start_of_a_function_may_be_text(indent):
    text = f'"""Says:\n\n\n{indent}def f():\n{indent}    import os\n"""'
    audit(f"{text}\nLIMIT = 1\n", ())
    audit(f"class C:\n    {text}\n\n    def f(self):\n        pass\n", ())
    audit(f"def g():\n    x = {text}\n    return x\n\n\ndef h():\n    pass\n", ())


def verdict(text, imports):
    try:
        audit(text, imports)
    except AuditError as error:
        return str(error)
    return ""


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # of a docstring that lost its `r`
@pytest.mark.parametrize("target", ["numpy", "tf1", "keras_v2"])
def test_stretches_hide_nothing(target, monkeypatch):
    """Files with lines missing, doubled, moved or indented differently: read in stretches and
    read as a whole, they are right or wrong alike.
    """
    lines = api.generate(library_spec("adam"), target).split("\n")
    imports = get_target(target).allowed_imports
    chance, texts = random.Random(4), []
    for _ in range(300):
        changed = list(lines)
        at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                del changed[at]
            case 1:
                changed.insert(to, lines[at])
            case 2:
                changed[at], changed[to] = lines[to], lines[at]
            case 3:
                changed[at] = chance.choice(["", "    "]) + lines[at].strip()
        texts.append("\n".join(changed))
    found = [verdict(text, imports) for text in texts]

    def whole_only(text):
        raise AuditError

    monkeypatch.setattr(audit_module, "_stretches", whole_only)
    assert found == [verdict(text, imports) for text in texts]
    assert 30 < sum(map(bool, found)) < 270


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
