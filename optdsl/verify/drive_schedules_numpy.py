"""Drives generated schedules of NumPy. Runs on Python 3.7. There is one mode, "numpy"."""

from __future__ import annotations

from typing import Any

import numpy as np

FRAMEWORK = "numpy"


def run(case: dict[str, Any], generated: Any) -> Any:
    """The value after each number of steps, from a class that went through its config."""
    schedule = generated.from_config(generated(**case["arguments"]).get_config())
    with np.errstate(all="ignore"):
        return np.array([schedule(step) for step in case["steps"]])
