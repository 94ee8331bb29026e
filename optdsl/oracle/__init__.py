"""The reference interpreter: what a spec means, run statement by statement on its resolved tree.

It shares nothing with the IR, the passes and the targets, so that a mistake there cannot hide.
"""

from optdsl.oracle.arithmetic import FLOAT64, Arithmetic, Float64
from optdsl.oracle.interpreter import Gradient, Oracle, Sparse, State

__all__ = ["FLOAT64", "Arithmetic", "Float64", "Gradient", "Oracle", "Sparse", "State"]
