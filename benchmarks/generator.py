"""How long `optdsl gen` takes, and how long is what it writes: `python benchmarks/generator.py
[ROUNDS]` prints results/generator.md, in about 5 minutes.

Every run is a process of its own, as from the shell, and writes to a folder that is new, but for
the second runs. Medians of ROUNDS (default 5), behind them the least and the greatest; one run for
each point of the line. Python's and optdsl's own caches are warm, but for "first run ever".
"""

import ast
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
POINTS = (250, 500, 1000, 2000)


class Bench:
    """Runs commands in a temporary folder, with caches there."""

    def __init__(self, folder):
        self.folder = Path(folder)
        caches = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        self.env = {**os.environ, **caches, "PYTHONPATH": str(ROOT)}
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(self, *arguments):
        start = time.perf_counter()
        command = [sys.executable, *map(str, arguments)]
        subprocess.run(command, cwd=self.folder, env=self.env, check=True, capture_output=True)
        return time.perf_counter() - start

    def gen(self, *arguments, output="out", anew=True):
        if anew:
            shutil.rmtree(self.folder / output, ignore_errors=True)
        return self.seconds("-m", "optdsl", "gen", *arguments, "-o", output)

    def variants(self, number):
        """A folder with so many specs, each Adam under another name."""
        folder = self.folder / f"specs{number}"
        folder.mkdir()
        text = (ROOT / "specs/adam.opt").read_text()
        for i in range(number):
            renamed = text.replace("optimizer Adam", f"optimizer Adam{i:04d}", 1)
            (folder / f"adam{i:04d}.opt").write_text(renamed)
        return folder


def shown(times):
    low, high = min(times), max(times)
    return f"{statistics.median(times):.3f} s ({low:.3f} … {high:.3f})"


def main(rounds=5):
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        library = ROOT / "specs"
        number = len(list(library.rglob("*.opt")))
        bench.seconds("-m", "compileall", "-q", ROOT / "optdsl")
        first = bench.gen("adam")
        times = {}
        for _ in range(rounds):
            for name, run in {
                "empty `python -c pass`": lambda: bench.seconds("-c", "pass"),
                "one spec, three targets": lambda: bench.gen("adam"),
                "a second time": lambda: bench.gen("adam", anew=False),
                f"the library, {number} specs, three targets": lambda: bench.gen(library),
                "the library, a second time": lambda: bench.gen(library, anew=False),
            }.items():
                times.setdefault(name, []).append(run())
        print("# Results of `benchmarks/generator.py`\n")
        print("| what | time |\n|---|---|")
        for name, found in times.items():
            print(f"| {name} | {shown(found)} |")
        empty, one, _, whole, _ = map(statistics.median, times.values())
        print(f"| one spec, the first run ever | {first:.3f} s |")
        print(f"| one spec / empty Python | {one / empty:.1f} |")
        print(f"| the library, for 80 specs of it | {whole * 80 / number:.2f} s |")
        line(bench)
    lengths()


def line(bench):
    """Time against the number of specs."""
    first, second = [], []
    for number in POINTS:
        specs = bench.variants(number)
        first.append(bench.gen(specs))
        second.append(bench.gen(specs, anew=False))
    slope, start = np.polyfit(POINTS, first, 1)
    print("\n| specs, three targets | time | of the line | a spec | second run |")
    print("|---|---|---|---|---|")
    for n, found, again in zip(POINTS, first, second, strict=True):
        share = found / (start + slope * n)
        print(f"| {n} | {found:.1f} s | {share:.2f} | {found / n * 1e3:.1f} ms | {again:.2f} s |")
    print(f"\nThe line: {start:.2f} s + {slope * 1e3:.1f} ms for each spec.")


def parts(path):
    """The lines of an optimizer's file that its rule has, and those of the machinery below it.

    To the rule belongs what stands between the constructor and the machinery: the numbers of a
    step, the rule, and what untouched rows do. None for a schedule.
    """
    text = path.read_text()
    marks = [i for i, x in enumerate(text.splitlines(), 1) if "# From here on the text is" in x]
    if not marks:
        return None
    nodes = ast.walk(ast.parse(text))
    ends = [x.end_lineno for x in nodes if getattr(x, "name", "") == "__init__"]
    start = max(end for end in ends if end < marks[0])
    return marks[0] - start - 3, len(text.splitlines()) - marks[0]  # a blank line, a rule, another


def lengths():
    """How many lines the generated classes of the library have."""
    print("\n| lines | rule: median | longest | above 80 | machinery: shortest | longest |")
    print("|---|---|---|---|---|---|")
    for target in ("numpy", "tf1", "keras_v2"):
        files = sorted((ROOT / "generated" / target).glob("*.py"))
        rules, rest = zip(*filter(None, map(parts, files)), strict=True)
        above = f"{sum(n > 80 for n in rules)} of {len(rules)}"
        middle = statistics.median(rules)
        print(f"| {target} | {middle:.0f} | {max(rules)} | {above} | {min(rest)} | {max(rest)} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
