"""How exactly the frameworks compute, as far as their results are not rounded correctly.

Measured on 1.2 million arguments a function and dtype, over the range of the dtype and around the
points where implementations change, against 80-bit long double. In unit roundoffs (half an ulp)
the worst were, with NumPy 1.18 to 2.4: log 4.3 (float32), cbrt 5.4 (float64); with TensorFlow 1.15
to 2.21: sigmoid 8.1 (float32), tanh 7.4, pow 7.2 (float64), and sqrt 3.6 in float32 with 1.15.
The logistic function of 1.15 ends at +-18, off by 1e-7 whatever its size. Its root of infinity
is NaN, and above 2^126 and below 2^-125 its root is 1.5 times too large: it is one step of Newton's
method, in which a number below the smallest normal one becomes 0. cbrt is a power in TensorFlow,
whose exponent 1/3 is itself rounded; that error grows with the logarithm of the argument.

A graph of TensorFlow is rewritten before it runs: sums of sums become one sum, or are added up
constants first, and a division by a constant becomes a product with its reciprocal. XLA does the
same, and may round a product and a sum once, together: that is inside of the error of both.
"""

from __future__ import annotations

from dataclasses import replace

from optdsl.verify.enclosure import Accuracy

TRANSCENDENTAL = ("exp", "log", "log1p", "expm1", "tanh", "sigmoid", "pow", "atan2", "cbrt", "cos")


def _units(units: float) -> dict[tuple[str, int], float]:
    return {(name, size): units for name in TRANSCENDENTAL for size in (4, 8)}


NUMPY = Accuracy(units=_units(6))
TENSORFLOW = Accuracy(
    flush=True, units={**_units(9), ("cbrt", 4): 20, ("cbrt", 8): 120, ("sqrt", 4): 4}
)
TENSORFLOW_1 = replace(
    TENSORFLOW,
    absolute={("sigmoid", 4): 4},
    undefined=frozenset([("sqrt", 4)]),
)


def accuracy(framework: str, mode: str) -> Accuracy:
    """Of "numpy", or of "tensorflow" and a version; what runs eagerly is not rewritten."""
    if framework == "numpy":
        return NUMPY
    found = TENSORFLOW_1 if framework.startswith("tensorflow 1.") else TENSORFLOW
    return found if mode == "eager" else in_a_graph(found)


def in_a_graph(found: Accuracy) -> Accuracy:
    """The same of graphs, which are rewritten."""
    return replace(found, reorders=True, units={**found.units, ("div", 4): 2.01, ("div", 8): 2.01})
