"""`python -m benchmarks.race.memory OUTPUT ARENA CONTESTANT RULE`: the peak of one contestant.

What is counted is resident memory above that of the parameters and the gradient: the slots and
what a step needs besides. A small model goes ahead, so that the framework's code does not count.
"""

import gc

from benchmarks.race import child

OPTIONS = child.start("arena", "contestant", "rule")

from benchmarks.race import arenas, models
from benchmarks.race.rules import RULES

SHAPES = [(2**20,)] if OPTIONS.quick else [(2**24,)] * 4
STEPS = 3


def main():
    those, _ = arenas.contestants(OPTIONS.arena)
    found = [x for x in those if x.name == OPTIONS.contestant]
    if not found:
        return
    rule = RULES[OPTIONS.rule]
    _growth(found[0], rule, [(2**18,)])
    size = sum(shape[0] for shape in SHAPES)
    grown = _growth(found[0], rule, SHAPES)
    result = {"bytes": grown, "slots": 4 * size * len(rule.slots), "parameters": size}
    child.hand_back(OPTIONS, {"kind": "memory", **result})


def _growth(contestant, rule, shapes):
    """The highest resident memory in the first steps, less what it was before them."""
    contestant.fresh()
    gradients = contestant.convert(models.gradients(shapes))
    step, _ = contestant.make(rule, models.parameters(shapes))
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # resets the peak
    before = _status("VmRSS")
    for _ in range(STEPS):
        step(gradients)
    return _status("VmHWM") - before


def _status(name):
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith(name + ":")]
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    main()
