"""Small specs, lowered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from optdsl import api
from optdsl.ir.nodes import Program
from tests.ir.rules import verify_program


@pytest.fixture
def lowered() -> Callable[..., Program]:
    """`lowered(update, declarations)`: the program of a spec with the usual names."""

    def lower(update: str, declarations: str = "") -> Program:
        program = api.program(
            "optimizer Some {\n  hyper lr = 0.1\n  hyper b = 0.9 in [0, 1)\n"
            "  hyper mu = 0 in [0, 1]\n"
            f"  flag f = false\n  slot m\n{declarations}\n  update {{\n{update}\n  }}\n}}\n"
        )
        verify_program(program)
        return program

    return lower
