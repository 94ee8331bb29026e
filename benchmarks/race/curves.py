"""How the cost of a step grows with the parameters, the variables and the rows of a table."""

from benchmarks.race import child, models
from benchmarks.race.rules import RULES

CONTESTANTS = {
    "numpy": ("C", "optdsl NumPy", "optdsl numba"),
    "tf221": ("C", "optdsl Keras V2", "Keras 2 built-in"),
}
#: Tables are narrower than that of the races: 10 million rows have to fit into memory.
_WIDTH = 16
_DENSE, _SPARSE = ("adam",), ("adam, exact", "adam, lazy", "radam, hybrid")

#: What grows: its sizes, the shapes of the model of a size, and the rules.
CURVES = {
    "parameters": ([1000 * 4**i for i in range(9)], lambda n: [(n,)], _DENSE),
    "variables": ([1, 5, 20, 100, 500, 2000], lambda n: [(1000,)] * n, _DENSE),
    "rows": ([10**4, 10**5, 10**6, 10**7], lambda n: [(n, _WIDTH)], _SPARSE),
}
_QUICK_SIZES = 2


def of_arena(arena, those, quick, run):
    """Yields for each curve what each contestant took at each size."""
    those = [x for x in those if x.name in CONTESTANTS.get(arena, ())]
    for name, (sizes, shapes_of, rules) in CURVES.items():
        for rule in rules:
            starters = [(x, RULES[rule]) for x in those if rule in x.rules]
            if not starters:
                continue
            points = []
            for size in sizes[:_QUICK_SIZES] if quick else sizes:
                child.say(f"{arena}: {rule}, {size} {name}")
                shapes = shapes_of(size)
                results, failed = run(starters, shapes, models.turns(RULES[rule], shapes))
                points.append({"size": size, "results": results, "failed": failed})
            yield {"name": name, "rule": rule, "points": points}
