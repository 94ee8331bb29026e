"""Which rules are what a kernel computes, and which only look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from optdsl import api
from optdsl.diagnostics import Diagnostics
from optdsl.explain import _text
from optdsl.ir.nodes import Fused, Program, Value
from optdsl.kernels.select import with_kernels

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.opt"))

#: Of the whole library. A condition says nothing of cases that a kernel before it computes.
FOUND = {
    "AMSGrad": ["ResourceApplyAdamWithAmsgrad"],
    "AMSGradPaper": ["ResourceApplyAdamWithAmsgrad"],
    "Adadelta": ["ApplyAdadelta"],
    "Adagrad": ["ApplyAdagradV2"],
    "AdagradNoEps": ["ApplyAdagrad"],
    "Adam": ["ApplyAdam if not amsgrad", "ResourceApplyAdamWithAmsgrad"],
    "Adamax": ["ApplyAdaMax"],
    "AddSign": ["ApplyAddSign"],
    "Ftrl": ["ApplyFtrl if shrink == 0 and a0 > 0", "ApplyFtrlV2 if shrink != 0 and a0 > 0"],
    "GradientDescent": ["ApplyGradientDescent"],
    "LazyAdam": ["ApplyAdam"],
    "Momentum": ["ApplyMomentum", "ApplyMomentum if not nesterov"],
    "NAG": ["ResourceApplyKerasMomentum"],
    "NadamSimple": ["ApplyAdam"],
    "PowerSign": ["ApplyPowerSign"],
    "RMSprop": ["ApplyRMSProp if not centered and uses(mu)"],
    "RMSpropEpsInside": ["ApplyRMSProp if not centered and uses(mu)"],
    "RMSpropTF": ["ApplyRMSProp if not centered and eps > 0"],
    "SGD": [
        "ApplyGradientDescent if not uses(mu)",
        "ResourceApplyKerasMomentum",
        "ResourceApplyKerasMomentum if not nesterov",
    ],
}


def described(fused: Fused) -> str:
    conditions = [_text(fused.condition)] if fused.condition is not None else []
    conditions += [f"{v.name} > 0" for v in fused.positive]
    return f"{fused.kernel} if {' and '.join(conditions)}" if conditions else fused.kernel


def programs(path: Path) -> tuple[Program, ...]:
    diagnostics = Diagnostics()
    source = api.read(path, diagnostics)
    assert source is not None
    return api.programs(source, diagnostics)


@pytest.mark.long
def test_the_library() -> None:
    found = {}
    for program in (p for path in SPECS for p in programs(path)):
        kernels = sorted(map(described, with_kernels(program).kernels))
        found |= {program.name: kernels} if kernels else {}
    assert found == FOUND


def fused(body: str, declarations: str = "slot m, v") -> tuple[Fused, ...]:
    text = (
        "optimizer X {\n  hyper lr = 0.1 in [0, inf)\n  hyper b1 = 0.9 in [0, 1)\n"
        "  hyper b2 = 0.99 in [0, 1)\n  hyper eps = 1e-8 in (0, inf)\n"
        f"  {declarations}\n  update {{\n    {body}\n  }}\n}}\n"
    )
    return with_kernels(api.program(text)).kernels


def numbers(call: Fused) -> dict[str, object]:
    return {arg: x.name if isinstance(x, Value) else x for arg, x in call.numbers}


ADAM = "m = b1*m + (1-b1)*g\nv = b2*v + (1-b2)*g^2\nw -= lr*m/(sqrt(v) + eps)"
SAME = {
    "as it is": ADAM,
    "differences": "m += (g - m)*(1 - b1)\nv += (1 - b2)*(g*g - v)\nw -= m*lr/(eps + sqrt(v))",
    "a step by itself": ADAM.replace("w -=", "let d =") + "\nw = w - d",
    "another order": "v = b2*v + (1-b2)*g^2\nm = g - b1*(g - m)\nw += -lr*m/(v^0.5 + eps)",
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_adam_in_other_words(body: str) -> None:
    (call,) = fused(body)
    assert call.kernel == "ApplyAdam"
    assert dict(call.states) == {"var": "w", "m": "m", "v": "v"}
    expected = {"lr": "lr", "beta1": "b1", "beta2": "b2", "epsilon": "eps"}
    assert numbers(call).items() >= {**expected, "use_nesterov": False}.items()


def test_slots_by_other_names() -> None:
    (call,) = fused(ADAM.replace("m", "x").replace("v", "m").replace("x", "v"))
    assert dict(call.states) == {"var": "w", "m": "v", "v": "m"}


def test_a_number_that_the_step_has_no_name_for() -> None:
    (call,) = fused(ADAM.replace("lr*m", "lr*b1*m/(1 - b2^t)"))
    assert call.kernel == "ApplyAdam"
    assert numbers(call)["lr"] not in ("lr", "b1")


OTHERS = {
    "epsilon inside of the root": ADAM.replace("sqrt(v) + eps", "sqrt(v + eps)"),
    "decoupled decay": ADAM + "\nw -= lr*eps*w",
    "the old m": ADAM.replace("m = b1*m + (1-b1)*g\n", "") + "\nm = b1*m + (1-b1)*g",
    "a decay that is another": ADAM.replace("(1-b1)*g", "(1-b2)*g"),
    "no share taken": ADAM.replace("(1-b1)*g", "g"),
    "the cube": ADAM.replace("g^2", "abs(g)^3"),
    "the slots the wrong way round": ADAM.replace("lr*m/(sqrt(v)", "lr*v/(sqrt(m)"),
    "a number per element": ADAM.replace("b1*m + (1-b1)*g", "sign(g)*m + (1-sign(g))*g"),
    "a factor of the gradient": ADAM.replace("g^2", "g^2*2"),
    "the other sign": ADAM.replace("w -=", "w +="),
    "one root more": ADAM.replace("sqrt(v)", "sqrt(sqrt(v))"),
    "a clipped gradient": "g = clip(g, -1, 1)\n" + ADAM,
}


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_near_misses(body: str) -> None:
    found = fused(body)
    if body == OTHERS["the other sign"]:  # a step size below 0 is one, too
        assert [k.kernel for k in found] == ["ApplyAdam"] and "minus" in str(
            numbers(found[0])["lr"]
        )
    else:
        assert found == ()


def test_the_root_of_what_may_be_0_is_no_choice_to_drop() -> None:
    body = "m = b1*m + (1-b1)*g^2\nv = b2*v + where({}, lr*g/sqrt({}), 0)\nw -= v"
    (call,) = fused(body.format("m + eps > 0", "m + eps"))
    assert call.kernel == "ApplyRMSProp"
    assert fused(body.format("m > 0", "m")) == ()
    assert fused(body.format("m - eps > 0", "m - eps")) == ()


def test_several_stages_have_no_kernel() -> None:
    heun = next(p for p in SPECS if p.stem == "heun")
    (program,) = programs(heun)
    assert with_kernels(program) is program
