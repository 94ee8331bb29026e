"""The target numpy on specs that hold what the library does not."""

import ast
import inspect
import sys

import numpy as np
import pytest

import optdsl
from optdsl import api
from optdsl.diagnostics import Diagnostics, Source
from optdsl.oracle import FLOAT64, Oracle, Sparse

HYBRID_WITH_NORM = """optimizer HybridNorm {
  hyper lr = 0.1 in [0, inf)
  flag normed = false
  slot m
  sparse hybrid
  update {
    m = 0.9*m + g
    let scale = 1
    if normed { scale = 1 + norm(m) }
    w -= lr*m / scale
  }
}
"""
TWO_POLICIES = """optimizer TwoPolicies {
  hyper lr = 0.1 in [0, inf)
  flag some = false
  flag few = false
  slot m, slow = w
  sparse lazy if few
  sparse hybrid if some
  update {
    m = 0.9*m + g
    w -= lr*m
    slow += 0.5*(w - slow)
  }
}
"""
SCALARS = """optimizer Scalars {
  hyper lr = 0.1 in [0, inf)
  flag counted = false
  slot n: scalar = size(w)
  slot first: scalar = norm(w)
  slot origin = w
  shared p = 2
  shared q = 1 if counted
  update {
    let before = p
    p = 0.5*p + 1
    n += 1
    if counted {
      q *= 2
      let twice = q*2
      w -= twice*1e-3*g
    }
    w -= lr*(before + p)/(n + first)*g + 0.01*(w - origin)
  }
}
"""
FUNCTIONS = """optimizer Functions {
  hyper lr = 0.01 in [0, inf)
  const k: int = 3 in [1, inf)
  const half = k/2
  slot a, b
  update {
    let x = sqrt(abs(g)) + sign(g) + exp(-abs(g)) + log(1 + abs(g)) + log1p(abs(g)) + expm1(-abs(g))
    let y = tanh(g) + sigmoid(30*g) + floor(g) + ceil(g) + round(2*g) + cbrt(g) + atan2(g, w)
    let z = min(g, w, 0.5) + max(g, w) + clip(g, -0.1, 0.2) + g % 0.7 + abs(g)^1.5
    let d = sigmoid(abs(g))
    let c = where(g > 0 and w > 0 or not (g < 0.5), 1, -1) + where(isfinite(g), g, 0)
    let s = sum(g) + mean(g) + rms(g) + amax(g) + amin(g) + dot(g, w) + size(g) + rank(w)
    a = x + y + s
    b = where(t % k == 0, a, b) + half
    if s > 1 and t < 4 {
      w -= lr*(z + c + d)
    } else {
      w -= lr*where(s < 0, b, c)
    }
  }
}
"""
OLD_AND_NEW = """optimizer OldAndNew {
  hyper lr = 0.1 in [0, inf)
  slot last, before
  update {
    let old = w
    let kept = last
    w -= lr*g
    last = where(g > 0, 1, 2)
    before = 3
    w += 0.1*(old - w)*where(g > 0, 1, 0) + kept*sum(before)
  }
}
"""
SWAP = """optimizer Swap {
  slot a = w
  slot b
  update {
    let c = a
    a = b
    b = c
    w = a + g
  }
}
"""
SPECS = [HYBRID_WITH_NORM, TWO_POLICIES, SCALARS, FUNCTIONS, OLD_AND_NEW, SWAP]


def resolved(spec):
    diagnostics = Diagnostics()
    (optimizer,) = api.resolve_source(Source("<text>", spec), diagnostics)
    assert not diagnostics.has_errors, diagnostics.all
    return optimizer


def settings(spec):
    found = [{}]
    for flag in resolved(spec).flags:
        found = [dict(x, **{flag.name: v}) for x in found for v in (False, True)]
    return found


CASES = [(spec, chosen) for spec in SPECS for chosen in settings(spec)]
IDS = [f"{spec.split()[1]}-{'-'.join(k for k, v in s.items() if v)}" for spec, s in CASES]


SHAPES = [(shape, kind) for shape in [(5, 2), (4,), (1, 1)] for kind in ("dense", "sparse")]


@pytest.mark.parametrize("shape, kind", [*SHAPES, ((), "dense"), ((0, 2), "dense")])
@pytest.mark.parametrize("spec, chosen", CASES, ids=IDS)
def test_the_generated_class_does_what_the_oracle_does(spec, chosen, shape, kind):
    generated = optdsl.load(spec, "numpy")
    sparse = sys.modules[generated.__module__].SparseGrad
    optimizer, oracle = generated(**chosen), Oracle(resolved(spec), chosen, "numpy", FLOAT64)
    rng = np.random.RandomState(0)
    params = {"w": rng.standard_normal(shape), "v": rng.standard_normal(shape)}
    state = oracle.start({k: x.copy() for k, x in params.items()})
    for step in range(6):
        dense = {k: rng.standard_normal(shape) for k in params}
        mine, theirs = dense, dense
        if kind == "sparse":
            indices = rng.randint(0, shape[0], 0 if step == 3 else 3)
            rows = indices, rng.standard_normal((len(indices), *shape[1:]))
            mine, theirs = {**dense, "w": sparse(*rows)}, {**dense, "w": Sparse(*rows)}
        optimizer.update(params, mine)
        state = oracle.step(state, theirs)
        kept = optimizer.state_dict()
        for key, want in state.variables.items():
            found = {"w": params[key], **kept["slots"][key]}
            assert set(found) == set(want)
            for name, x in want.items():
                np.testing.assert_allclose(found[name], x, rtol=1e-11, atol=1e-13, err_msg=name)
        assert kept["shared"] == pytest.approx({k: float(x) for k, x in state.shared.items()})


RESERVED = """optimizer SparseGrad {
  hyper lambda = 0.1 as update_rate in [0, inf)
  hyper save = 0.5 as update in [0, 1]
  const np = 2.5 as load
  flag clipnorm = false as state_dict
  slot w_, self, math, state, coefficients
  shared shared as t_ = 1
  update {
    let float = lambda*save
    let None = np*float
    shared += 1
    self = None*g
    math = self*shared
    state = math
    coefficients = where(clipnorm, state, 0)
    w_ = coefficients
    w -= float*g + 0*w_
  }
}
"""


def test_names_that_python_numpy_or_the_class_need_themselves():
    generated = optdsl.load(RESERVED, "numpy")
    assert generated.__name__ == "SparseGrad_"
    names = list(inspect.signature(generated).parameters)
    assert names[:4] == ["lambda_", "save_", "np_", "clipnorm_"]
    optimizer, w = generated(update_=0.25, load_=4, state_dict_=True), np.zeros(2)
    assert optimizer.save_ == 0.25 and optimizer.update_ == 0.25
    optimizer.update({"w": w}, {"w": np.ones(2)})
    assert w == pytest.approx(-0.1 * 0.25)
    slots = optimizer.state_dict()["slots"]["w"]
    assert slots["self"] == pytest.approx(0.1) and slots["w_"] == pytest.approx(0.2)


def test_arguments_without_a_default_computed_defaults_and_the_order():
    spec = """optimizer Arguments {
  hyper lr = 0.1 as rate in [0, inf)
  hyper mu as momentum in [0, 1)
  const k: int = 2 as count in [1, 10]
  const n: int = 3*k
  const share = n/4
  flag good = true
  slot v
  update {
    v = mu*v + g
    if good { w -= lr*v*share + 0*k*n }
  }
  for numpy {
    class Ordered
    k = 4
    lr as speed
    good = false
    order good, speed
  }
}
"""
    generated = optdsl.load(spec, "numpy")
    assert generated.__name__ == "Ordered"
    assert list(inspect.signature(generated).parameters)[:6] == [
        "mu",
        "good",
        "lr",
        "k",
        "n",
        "share",
    ]
    optimizer = generated(0.5)
    assert optimizer.get_config() == {
        "lr": 0.1, "mu": 0.5, "k": 4, "n": 12, "share": 3.0, "good": False,
        "clipvalue": None, "clipnorm": None, "global_clipnorm": None, "overrides": None,
            "threads": 1, "engine": "auto",
    }  # fmt: skip
    assert generated(0.5, speed=3, n=8).share == 2.0
    assert type(generated(0.5, count=np.float64(3)).k) is int
    for wrong, error in [
        ({"k": 2.5}, ValueError),
        ({"count": 11}, ValueError),
        ({"k": "2"}, TypeError),
    ]:
        with pytest.raises(error, match="count"):
            generated(0.5, **wrong)
    with pytest.raises(TypeError):
        generated()
    with pytest.raises(AttributeError, match="fixed"):
        optimizer.count = 3


HOSTILE = """optimizer Hostile "ends in a backslash \\ and {{ braces }} {% raw %}" {
  hyper lr = 0.1 in [0, inf) "import os; os.system('true') {{ v }} \\n \\"
  update { w -= lr*g }
}
"""


def test_documentation_stays_documentation():
    text = optdsl.generate(HOSTILE, "numpy")
    doc = inspect.getdoc(optdsl.load(HOSTILE, "numpy"))
    assert "ends in a backslash \\ and {{ braces }} {% raw %}" in doc
    assert "import os; os.system('true') {{ v }} \\n \\" in doc
    (found,) = (
        x for x in ast.parse(text).body if isinstance(x, ast.ClassDef) and x.name == "Hostile"
    )
    assert ast.get_docstring(found) == doc


def test_long_lines_are_cut_as_the_formatter_would_not():
    names = [f"a_rather_long_name_{i}" for i in range(8)]
    spec = "\n".join(
        [
            "optimizer Long {",
            *(f"  hyper {x} = 0.1 as the_public_form_of_{x} in [0, 1]" for x in names),
            "  slot " + ", ".join(f"slot_{x}" for x in names),
            "  update {",
            *(f"    slot_{x} = {x}*g + slot_{x}" for x in names),
            "    w -= " + " + ".join(f"{x}*slot_{x}" for x in names),
            "  }",
            "}",
        ]
    )
    text = optdsl.generate(spec, "numpy")
    assert max(map(len, text.splitlines())) <= 100
    optimizer, w = optdsl.load(spec, "numpy")(), np.zeros(1)
    optimizer.update([w], [np.ones(1)])
    assert w[0] == pytest.approx(-0.08)
