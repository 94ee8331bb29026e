"""Names, levels and shapes that the compiler could mix up, in what it generates."""

from __future__ import annotations

import pytest

from optdsl.verify import verify

#: More than a line of generated code has room for.
LONG = (
    "(1 + log(learning*momentum_b^t + momentum_b^3 + 1))"
    " * (1 + momentum_b^(t+1) + momentum_b^(t+2)) / (2 + learning^(t+3) + learning^(t+4))"
)
ROOT = "(sqrt(learning*momentum_b^t + momentum_b^3 + 1) + 3)"
LOG = "(log(learning*momentum_b^t + momentum_b^3 + 1) - 2)"

CASES = {
    "a part of a line and a repeated part": f"""
    m = momentum_b*m + {ROOT}*g
    w -= ({LONG})*m
    w -= {LOG}*m""",
    "a part of a line and a let of its name": f"""
    let part_1 = sqrt(learning) + 1
    m = momentum_b*m + (1 - part_1)*g
    w -= ({LONG})*m
    w -= (part_1 - 2)*m""",
    "a part of a line and a let that is renamed": f"""
    let part = sqrt(learning) + 1
    m = momentum_b*m + part*g
    part = sqrt(momentum_b) + 2
    w -= ({LONG})*m
    w -= part*m""",
    "a part of a line and a coefficient of its name": f"""
    let part_1 = sqrt(learning) + 1
    m = momentum_b*m + part_1*g
    w -= ({LONG})*m""",
    "a let of a total alone and a number of its name": """
    let momentum_b_to_t = learning*3
    let s = total(sum(g*momentum_b_to_t + g*(1 - momentum_b^t) + m*(2 - momentum_b^t)))
    m = momentum_b*m + g
    w -= learning*m/(1 + abs(s))""",
    "a truth value that rises to elements": """
    m = momentum_b*m + g
    let big = norm(g) > 1
    w -= where(big, learning, 2*learning)*m
    big = g > 0
    if norm(g) > 1 { m = m*0.5 }
    w -= where(big, learning, 2*learning)*m""",
    "a shared value that is read between two choices": """
    if learning*t > 0.025 { the_number_of_good_steps += learning }
    else { the_number_of_good_steps += momentum_b }
    m = momentum_b*m + the_number_of_good_steps*g
    if momentum_b*t > 3 { the_number_of_good_steps = 1 + learning*2 }
    else { the_number_of_good_steps = 1 + learning*t }
    w -= learning*m""",
    "a sum that nothing needs": """
    let unused = mean(w + g^2)
    m = g + w + momentum_b
    w -= learning*sqrt(abs(m))""",
    "the rank of what is 0 in rows without a gradient": """
    m = momentum_b*m + g
    let still = g*m
    if rank(still) == 2 { m = m*0.5 + size(still) }
    w -= learning*m""",
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("policy", ["exact", "hybrid"])
def test_in_numpy(case: str, policy: str) -> None:
    shared = "shared the_number_of_good_steps = 1" if "good_steps" in CASES[case] else ""
    report = verify(
        "optimizer Mixed {\n"
        "  hyper learning = 0.01 in [0, inf)\n  hyper momentum_b = 0.9 in [0, 1)\n"
        f"  slot m\n  {shared}\n  sparse {policy}\n  update {{{CASES[case]}\n  }}\n}}\n",
        "numpy",
    )
    assert report.ok, report.table()
