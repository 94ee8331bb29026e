"""Runs generated classes in the interpreter of their framework: `drive.py FRAMEWORK JOB RESULT`.

It imports generated modules by their paths, steps their classes through the gradients of each
case, and writes the state after every step. A case holds "module" (a path), "class", "mode",
"arguments" (by public names; a schedule is the list of its values), "lists" (arguments that are
lists of numbers), "variables" ({key: array}), "slots" ({name: public name}) and "gradients": for
each step {key: an array, or {"indices": …, "values": …}}; a variable that takes no part is missing.
A step has "stages" of them, one after the other. The state after a step is {key: {"w": array, and
each slot that exists}}. Runs on Python 3.7, and never imports optdsl.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import importlib.util
import json
import sys
import traceback
from typing import Any

import numpy as np


def save(path: str, tree: Any) -> None:
    """Write a JSON tree with arrays for leaves: the tree on the first line, then all the bytes."""
    data = bytearray()

    def flat(node: Any) -> Any:
        if isinstance(node, (np.ndarray, np.generic)):
            place = len(data)
            data.extend(node.tobytes())
            return {"array": [node.dtype.str, list(np.shape(node)), place]}
        if isinstance(node, dict):
            return {key: flat(value) for key, value in node.items()}
        return [flat(value) for value in node] if isinstance(node, (list, tuple)) else node

    head = json.dumps(flat(tree)).encode()
    with open(path, "wb") as file:
        file.write(head + b"\n" + data)


def load(path: str) -> Any:
    """Read what `save` wrote."""
    with open(path, "rb") as file:
        head, data = file.readline(), file.read()

    def deep(node: Any) -> Any:
        if isinstance(node, dict) and set(node) == {"array"}:
            dtype, shape, place = node["array"]
            count = int(np.prod(shape, dtype=int))
            return np.frombuffer(data, dtype, count, place).reshape(shape).copy()
        if isinstance(node, dict):
            return {key: deep(value) for key, value in node.items()}
        return [deep(value) for value in node] if isinstance(node, list) else node

    return deep(json.loads(head.decode()))


def module(path: str) -> Any:
    """The module in this file; one object per file."""
    name = "generated_" + hashlib.sha256(path.encode()).hexdigest()[:16]
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def run_all(driver: Any, job: dict[str, Any]) -> dict[str, Any]:
    """{"framework": its name, "results": for each case {"states": …} or {"error": a traceback}}.

    A driver is a module with FRAMEWORK and run(case, class), which gives the states.
    """
    results: list[dict[str, Any]] = []
    for case in job["cases"]:
        try:
            generated = getattr(module(case["module"]), case["class"])
            results.append({"states": driver.run(case, generated)})
        except Exception:
            results.append({"error": traceback.format_exc()})
    return {"framework": driver.FRAMEWORK, "results": results}


def main() -> None:
    """What the command line says."""
    framework, job, result = sys.argv[1:]
    driver = importlib.import_module("drive_" + framework)
    gc.freeze()  # to look at all of a framework's objects again and again takes a tenth of the time
    gc.set_threshold(20_000, 10, 10)
    save(result, run_all(driver, load(job)))


if __name__ == "__main__":
    main()
