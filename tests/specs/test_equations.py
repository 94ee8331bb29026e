"""The specs, as the oracle reads them, against torch and optax in float64.

This tests what the specs say. That the generated code does what they say is tested elsewhere.
"""

from pathlib import Path

import numpy as np
import pytest

from optdsl.diagnostics import Diagnostics, Source
from optdsl.oracle import FLOAT64, Oracle
from optdsl.semantics.resolve import resolve
from optdsl.syntax.parser import parse

pytestmark = pytest.mark.long

SPECS = Path(__file__).resolve().parents[2] / "specs"
STEPS = 40
_random = np.random.default_rng(7)
START = _random.normal(size=(4, 3))
# One element has no gradient for a while, one is always 0, the scales differ.
GRADIENTS = _random.normal(size=(STEPS, 4, 3)) * 10.0 ** _random.integers(-3, 2, size=(4, 3))
GRADIENTS[5:15, 0, 0] = 0
GRADIENTS[:, 1, 1] = 0


def run_spec(name, **arguments):
    """The variable after STEPS steps of `specs/name.opt`."""
    diagnostics = Diagnostics()
    text = (SPECS / f"{name}.opt").read_text(encoding="utf-8")
    file = parse(Source(name, text), diagnostics)
    (optimizer,) = resolve(file, diagnostics)
    oracle = Oracle(optimizer, arguments, "numpy", FLOAT64)
    state = oracle.start({"w": START})
    for g in GRADIENTS:
        state = oracle.step(state, {"w": g})
    return state.variables["w"]["w"]


def run_torch(name, **arguments):
    torch = pytest.importorskip("torch")
    w = torch.nn.Parameter(torch.tensor(START))
    optimizer = getattr(torch.optim, name)([w], **arguments)
    for g in GRADIENTS:
        w.grad = torch.tensor(g)
        optimizer.step()
    return w.detach().numpy()


def run_optax(name, *args, **arguments):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    with jax.enable_x64(True):
        w = jax.numpy.array(START)
        optimizer = getattr(optax, name)(*args, **arguments)
        state = optimizer.init(w)
        for g in GRADIENTS:
            update, state = optimizer.update(jax.numpy.array(g), state, w)
            w = optax.apply_updates(w, update)
        return np.asarray(w)


def case(spec, ours, library, theirs, tolerance=1e-13):
    name = f"{spec}-{library}-{'-'.join(f'{k}={v}' for k, v in theirs.items())}"
    return pytest.param(spec, ours, library, theirs, tolerance, id=name)


TORCH = [
    case("gradient_descent", {"lr": 0.1}, "SGD", {"lr": 0.1}),
    case("momentum", {"lr": 0.1, "mu": 0.9}, "SGD", {"lr": 0.1, "momentum": 0.9}),
    case(
        "momentum",
        {"lr": 0.1, "mu": 0.9, "nesterov": True},
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    case("nag", {"lr": 0.1}, "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    case("sgd", {"lr": 0.1, "mu": 0.9}, "SGD", {"lr": 0.1, "momentum": 0.9}),
    case("adagrad", {"lr": 0.1, "a0": 0, "eps": 1e-3}, "Adagrad", {"lr": 0.1, "eps": 1e-3}),
    *(
        case(
            "rmsprop_eps_outside",
            {"mu": mu, "centered": centered, "eps": 1e-3},
            "RMSprop",
            {"momentum": mu, "centered": centered, "eps": 1e-3},
            tolerance=1e-11,  # the centered variance cancels
        )
        for mu in (0, 0.9)
        for centered in (False, True)
    ),
    case(
        "adadelta",
        {"lr": 1, "rho": 0.9, "eps": 1e-6},
        "Adadelta",
        {"lr": 1.0, "rho": 0.9, "eps": 1e-6},
        tolerance=1e-12,
    ),
    *(
        case(spec, {"amsgrad": a, "eps": 1e-3}, library, {"amsgrad": a, "eps": 1e-3})
        for spec, library in (("adam_debiased", "Adam"), ("adamw_debiased", "AdamW"))
        for a in (False, True)
    ),
    case("adamax_eps_inside", {}, "Adamax", {}),
    # torch keeps the product of the momenta in float32
    case("nadam", {"lr": 0.002, "eps": 1e-8}, "NAdam", {}, tolerance=1e-8),
]

OPTAX = [
    case("adam_debiased", {}, "adam", {"learning_rate": 0.001}),
    case("amsgrad_debiased", {}, "amsgrad", {"learning_rate": 0.001}),
    case("adamw_debiased", {}, "adamw", {"learning_rate": 0.001, "weight_decay": 0.01}),
    case("adagrad_eps_inside", {"eps": 1e-3}, "adagrad", {"learning_rate": 0.001, "eps": 1e-3}),
    *(
        case(
            "rmsprop_eps_inside",
            {"mu": mu or 0, "centered": centered, "eps": 1e-3},
            "rmsprop",
            {"learning_rate": 0.001, "momentum": mu, "centered": centered, "eps": 1e-3},
            tolerance=1e-12,
        )
        for mu in (None, 0.9)
        for centered in (False, True)
    ),
    case("adamax_eps_inside", {}, "adamax", {"learning_rate": 0.002}),
    case("radam", {"eps": 1e-3}, "radam", {"learning_rate": 0.001, "eps": 1e-3}),
    case("adabelief", {}, "adabelief", {"learning_rate": 0.001}, tolerance=1e-12),
    case("lion", {"wd": 0.1}, "lion", {"learning_rate": 1e-4, "weight_decay": 0.1}),
    case("sign_sgd", {}, "sign_sgd", {"learning_rate": 1e-4}),
    case("lamb", {"wd": 0.01}, "lamb", {"learning_rate": 0.001, "weight_decay": 0.01}),
    case("novograd", {"wd": 0.01}, "novograd", {"learning_rate": 0.001, "weight_decay": 0.01}),
    case("yogi", {}, "yogi", {"learning_rate": 0.01}),
]


@pytest.mark.parametrize(("spec", "ours", "library", "theirs", "tolerance"), TORCH)
def test_agrees_with_torch(spec, ours, library, theirs, tolerance):
    np.testing.assert_allclose(
        run_spec(spec, **ours), run_torch(library, **theirs), rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(("spec", "ours", "library", "theirs", "tolerance"), OPTAX)
def test_agrees_with_optax(spec, ours, library, theirs, tolerance):
    np.testing.assert_allclose(
        run_spec(spec, **ours), run_optax(library, **theirs), rtol=0, atol=tolerance
    )


def test_forms_that_share_a_rule():
    """What the documentation says is the same as something else."""
    same = [
        (run_spec("amsgrad"), run_spec("adam", amsgrad=True)),
        (run_spec("nag"), run_spec("sgd", mu=0.9, nesterov=True)),
        (run_spec("lazy_adam"), run_spec("adam")),
        (run_spec("sgd", lr=0.1, mu=0.9), run_spec("momentum", lr=0.1, mu=0.9)),
        (run_spec("adamw_unscaled", wd=0.001, lr=0.1), run_spec("adamw", wd=0.01, lr=0.1)),
    ]
    for a, b in same:
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-13)


def test_forms_that_differ():
    """Each form has a spec of its own because the results differ."""
    differ = [
        ("adagrad", "adagrad_eps_inside", {"eps": 1e-3, "lr": 0.1}),
        ("rmsprop_eps_inside", "rmsprop_eps_outside", {"eps": 1e-3, "lr": 0.001, "rho": 0.9}),
        ("adam", "adam_debiased", {"eps": 1e-3}),
        ("amsgrad", "amsgrad_debiased", {"eps": 1e-3}),
        ("amsgrad", "amsgrad_paper", {"eps": 1e-3}),
        ("adamw", "adamw_debiased", {"eps": 1e-3, "wd": 0.01}),
        ("adamax", "adamax_eps_inside", {"eps": 1e-3, "lr": 0.001}),
        ("adamax", "adamax_clipped", {}),
        ("nadam", "nadam_simple", {"lr": 0.001}),
    ]
    for a, b, arguments in differ:
        assert np.abs(run_spec(a, **arguments) - run_spec(b, **arguments)).max() > 1e-6, (a, b)
