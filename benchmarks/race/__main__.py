"""`python -m benchmarks.race OUTPUT ARENA PART`: races on a model, curves, or all of an arena."""

import gc

from benchmarks.race import child

OPTIONS = child.start("arena", "part")  # pins the process before a framework counts the CPUs

import numpy as np

from benchmarks.race import arenas, check, curves, models, timing
from benchmarks.race.rules import RULES

SHAPES = models.QUICK_MODELS if OPTIONS.quick else models.MODELS


def main():
    those, missing = arenas.contestants(OPTIONS.arena)
    versions = sorted(_versions().items())
    child.hand_back(OPTIONS, {"kind": "arena", "versions": versions, "missing": missing})
    for race in arenas.races(OPTIONS.arena, child.THREADS, OPTIONS.quick):
        if OPTIONS.part not in (race.model, arenas.ALL):
            continue
        shapes = SHAPES[race.model]()
        turns = models.turns(RULES[race.rule], shapes, race.model)
        starters = arenas.starters(race, those)
        child.say(f"{OPTIONS.arena}, {child.THREADS} threads: {race.rule}, {race.model}")
        results, failed = run(starters, shapes, turns)
        child.hand_back(
            OPTIONS,
            {
                "kind": "race",
                "rule": race.rule,
                "model": race.model,
                "parameters": sum(int(np.prod(shape)) for shape in shapes),
                "results": results,
                "failed": failed,
            },
        )
    if OPTIONS.part in (arenas.CURVES, arenas.ALL) and child.THREADS == 1:
        for curve in curves.of_arena(OPTIONS.arena, those, OPTIONS.quick, run):
            child.hand_back(OPTIONS, {"kind": "curve", **curve})


def run(starters, shapes, turns):
    """Races [(contestant, rule)] -> what they took, and why some of them did not finish."""
    failed = []
    passed = [x for x in starters if _attempt(_check_small, x, failed)]
    for contestant, _ in passed:
        contestant.fresh()
    params = models.parameters(shapes)
    converted, racers = {}, {}
    for pair in passed:
        racer = _attempt(_racer, pair, failed, params, turns, converted)
        if racer:
            racers[pair[0].name, pair[1].name] = racer
    times = timing.interleaved(racers, OPTIONS.quick)
    racers.clear()
    gc.collect()
    results = [{"contestant": c, "rule": r, "seconds": times[c, r]} for c, r in times]
    for x in results:
        median = 1000 * np.median(x["seconds"])
        child.say(f"  {x['contestant']}, {x['rule']}: {median:.3f} ms")
    return results, failed


def _attempt(function, pair, failed, *arguments):
    """What the function returns; None after an error, which is written down."""
    try:
        return function(*pair, *arguments)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        child.say(f"  {pair[0].name}, {pair[1].name} failed: {reason}")
        failed.append({"contestant": pair[0].name, "rule": pair[1].name, "reason": reason})
        return None


_CHECKED = set()


def _check_small(contestant, rule):
    if (contestant.name, rule.name) not in _CHECKED:
        contestant.fresh()
        check.check_small(contestant, rule)
        _CHECKED.add((contestant.name, rule.name))
    return True


def _racer(contestant, rule, params, turns, converted):
    """A contestant, warmed up and checked once more: large tensors may go another way."""
    if contestant.convert not in converted:
        converted[contestant.convert] = [contestant.convert(grads) for grads in turns]
    step, read = contestant.make(rule, params)
    racer = timing.Racer(step, converted[contestant.convert], rule.period)
    racer.steps(check.STEPS)
    taken = [turns[i % len(turns)] for i in range(check.STEPS)]
    check.check_large(contestant, rule, params, taken, read())
    return racer


def _versions():
    import sys

    names = "numpy numba torch jax optax tensorflow keras tf_keras tensorflow_addons".split()
    loaded = {name: getattr(sys.modules.get(name), "__version__", None) for name in names}
    return {"python": sys.version.split()[0], **{k: x for k, x in loaded.items() if x}}


if __name__ == "__main__":
    main()
