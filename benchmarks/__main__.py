"""`python -m benchmarks`: races all arenas, writes tables and plots. See README.md."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # for `python benchmarks`

from benchmarks import bounds, plots, report
from benchmarks.race import arenas

#: Who needs an interpreter of its own. The others run with that of this process.
OTHER_PYTHONS = ("tf215", "tf115")
ARENAS = ("numpy", "tf221", *OTHER_PYTHONS)


def main():
    options = _options()
    pythons = {"numpy": sys.executable, "tf221": sys.executable, **dict(options.python)}
    results = {"machine": _machine(), "quick": options.quick, "arenas": {}}
    results.update(races=[], curves=[], memory=[])
    for arena in ARENAS:
        if arena in pythons:
            _run_arena(arena, pythons[arena], options.quick, results)
        else:
            results["arenas"][arena] = {"skipped": f"no --python {arena}=PATH was given"}
        _write(results, options.output)  # after each: who breaks off has something


def _options():
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small models, few rounds")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        type=_named_python,
        metavar="ARENA=PATH",
        help="an interpreter for the arena tf115 or tf215 (or another one for numpy or tf221)",
    )
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks" / "results")
    return parser.parse_args()


def _write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1) + "\n"
    (folder / "results.json").write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(report.markdown(results), encoding="utf-8")
    plots.draw(results, folder)


def _named_python(text):
    name, _, path = text.partition("=")
    if name not in ARENAS or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARENA=PATH, ARENA in {ARENAS}")
    return name, path


def _run_arena(arena, python, quick, results):
    for threads in (1, 2):
        if threads > len(os.sched_getaffinity(0)) or (threads == 2 and arena != "numpy"):
            continue
        for part in arenas.parts(arena, threads, quick):
            _run_part(arena, part, python, threads, quick, results)
    for where, contestant, rule in bounds.MEMORY:
        if where == arena:
            of_it = {"arena": arena, "contestant": contestant, "rule": rule}
            for line in _child(python, "benchmarks.race.memory", *of_it.values(), quick=quick):
                results["memory"].append({**of_it, **line})


def _run_part(arena, part, python, threads, quick, results):
    for line in _child(python, "benchmarks.race", arena, part, threads=threads, quick=quick):
        kind = line.pop("kind")
        place = {"arena": arena, "threads": threads}
        if kind == "arena":
            results["arenas"].setdefault(arena, line)
        else:
            results["races" if kind == "race" else "curves"].append({**place, **line})


def _child(python, module, *arguments, quick, threads=1):
    """Runs a module in another process and returns the results that it handed back."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # nobody spins while it is the others' turn
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output")
        output.touch()
        command = [python, "-m", module, str(output), *arguments, *["--quick"] * quick]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}")
        return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def _machine():
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {"cpu": names[0] if names else platform.machine(), "cpus": os.cpu_count()}


if __name__ == "__main__":
    main()
