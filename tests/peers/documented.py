"""The table of docs/optimizers.md: read by the tests of this folder, and written anew by

    python -m tests.peers.documented

which measures the column "agrees to within" and takes "paper" from the specs; the last two columns
are written by hand and stay as they are.
"""

import math
import re
from functools import lru_cache
from pathlib import Path

import optdsl
from tests.peers.measure import TOLERANCE

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "optimizers.md"
HEADER = ("spec", "paper", "agrees to within", "agrees also with", "differs from")
BEGIN, END = "<!-- optimizers: begin -->\n", "<!-- optimizers: end -->\n"
PEER = re.compile(r"(\w+) `([\w.]+)` (1e-\d+)")


def rows():
    """{spec: its cells} of the table, without the name."""
    table = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    lines = [[cell.strip() for cell in x.split("|")[1:-1]] for x in table.splitlines()[2:]]
    return {line[0].strip("`"): line[1:] for line in lines}


def bounds():
    """{(spec, library, name there): the largest difference that the page admits}."""
    return {
        (spec, library, name): float(bound)
        for spec, cells in rows().items()
        for library, name, bound in PEER.findall(cells[1])
    }


@lru_cache(maxsize=None)
def bound(module, library, name):
    """The largest difference that the page admits, which is never above the tolerance."""
    spec = optdsl.parse(ROOT / "specs" / f"{module}.opt").optimizers[0].name.text
    return min(bounds()[spec, library, name], TOLERANCE)


def specs():
    """{module: optimizer} of the library, in the order of the table."""
    paths = sorted((ROOT / "specs").glob("*.opt"))
    found = {path.stem: optdsl.parse(path).optimizers[0] for path in paths}
    return dict(sorted(found.items(), key=lambda x: x[1].name.text.lower()))


def paper(optimizer):
    """Authors, year and arXiv number of the first paper that the documentation names."""
    cited = " ".join(re.split(r"\n\s*\n", optimizer.doc)[1].split())
    authors = re.split(r', (?="|Lecture|\d{4})', cited)[0]
    year = re.search(r"\b(1[89]|20)\d\d\b(?!\.\d)", cited).group()
    arxiv = re.search(r"arXiv:(\d+\.\d+)", cited.split("; ")[0])
    link = f", [{arxiv[1]}](https://arxiv.org/abs/{arxiv[1]})" if arxiv else ""
    return f"{authors}, {year}{link}"


def peers():
    """{(module, library, name there): function that measures the largest difference}."""
    from tests.peers import test_optax, test_pytorch_optimizer, test_torch

    found = {}
    for library, tests in (
        ("torch", test_torch),
        ("optax", test_optax),
        ("pytorch_optimizer", test_pytorch_optimizer),
    ):
        for case in tests.CASES:
            found.setdefault((case[0], library, case[1]), []).append((tests.measure, case))
    return {
        key: lambda runs=runs: max(run(case) for run, case in runs) for key, runs in found.items()
    }


def rounded_up(difference):
    """To a power of ten that leaves room for another machine's rounding; at least 1e-15."""
    return f"1e-{min(15, math.floor(-math.log10(max(4 * difference, 1e-15)))):02d}"


def write():
    old, agree = rows(), {}
    for (module, library, name), measured in peers().items():
        agree.setdefault(module, []).append(f"{library} `{name}` {rounded_up(measured())}")
    lines = ["| " + " | ".join(HEADER) + " |", "|---" * len(HEADER) + "|"]
    for module, optimizer in specs().items():
        name = optimizer.name.text
        by_hand = old.get(name, ["", "", "", ""])[2:]
        cells = [f"`{name}`", paper(optimizer), "; ".join(agree.get(module, [])), *by_hand]
        lines.append("| " + " | ".join(cells).replace("  ", " ") + " |")
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    write()
