"""The results as Markdown."""

from benchmarks import evaluate

TITLES = {
    "big": "one tensor of 16M",
    "many": "ResNet-50, 161 tensors, 25.6M",
    "bert": "BERT-base, 199 tensors, 109M",
    "tiny": "20 × 1k",
    "uniform": "uniform",
    "zipf": "Zipf",
}
RULES = ("adam", "amsgrad", "adabelief", "diffgrad", "lion", "lamb", "ranger")


def markdown(results):
    """The whole page. Times are medians of the rounds, with the quartiles in brackets."""
    parts = [
        "# Results of the benchmarks",
        _conditions(results),
        "## Required ratios",
        "The ratio is that of each round: its median, and the quartiles in brackets.",
        _bounds(results),
        "## Dense rules",
        "Milliseconds a step, and in how many times what C takes for the same rule (for Adam, "
        "where C does not have it).",
        *_dense(results),
        "## Embeddings",
        "A table of 1M × 64, 8192 indices a step; milliseconds a step.",
        *_sparse(results),
        "## Growth",
        "The straight line through the medians: its floor, its slope, and how far a point is off "
        "at most. The line fits relative deviations.",
        _curves(results),
        "## Peak memory",
        "Resident memory above parameters and gradients in the first three steps, at 64M "
        "parameters.",
        _memory(results),
        *_failures(results),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _conditions(results):
    machine = results["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cpus']} CPUs. float32, the update step alone. Each process "
        "is pinned to as many CPUs as it has threads: one, where the table does not say two."
    ]
    if results["quick"]:
        lines.append("**A quick run on small models: its ratios say nothing.**")
    for name, arena in results["arenas"].items():
        if "skipped" in arena:
            lines.append(f"- {name}: not run, {arena['skipped']}")
            continue
        text = ", ".join(f"{library} {version}" for library, version in arena["versions"])
        missing = "".join(f"; no {what}: {why}" for what, why in arena["missing"])
        lines.append(f"- {name}: {text}{missing}")
    return "\n".join([lines[0], "", *lines[1:]])


def _bounds(results):
    head = ["arena", "what", "bound", "measured", "met"]
    rows = [
        [x["arena"], x["what"], x["bound"], _number(x["measured"], ".2f"), x["met"]]
        for x in evaluate.verdicts(results["races"])
    ]
    return _table(head, rows)


def _number(spread, digits):
    return "–" if spread is None else format(spread, digits)


def _groups(results, models):
    """Yields (arena, threads, {(rule, model): race}) of the races on these models."""
    groups = {}
    for race in results["races"]:
        if race["model"] in models:
            group = groups.setdefault((race["arena"], race["threads"]), {})
            group[race["rule"], race["model"]] = race
    for (arena, threads), races in groups.items():
        yield arena, f"{threads} thread" + "s" * (threads > 1), races


def _dense(results):
    for arena, threads, races in _groups(results, ("big", "many", "bert", "tiny")):
        models = list(dict.fromkeys(model for _, model in races))
        rows = []
        for rule in dict.fromkeys(rule for rule, _ in races):
            of_rule = {model: races.get((rule, model)) for model in models}
            for name in _names(of_rule.values(), rule):
                cells = [_dense_cell(of_rule[model], name, rule) for model in models]
                rows.append([rule, name, *cells])
        yield f"### {arena}, {threads}"
        yield _table(["rule", "", *[TITLES[model] for model in models]], rows)


def _names(races, rule):
    results = [x for race in races if race for x in race["results"]]
    return list(dict.fromkeys(x["contestant"] for x in results if x["rule"] == rule))


def _dense_cell(race, name, rule):
    times = None if race is None else evaluate.seconds(race, name, rule)
    if times is None:
        return ""
    text = f"{1000 * evaluate.spread(times).median:.3g} ms"
    of_c = evaluate.ratio(race, (name, rule), ("C", rule))
    of_c = of_c or evaluate.ratio(race, (name, rule), ("C", "adam"))
    return f"{text} · {of_c:.2f}" if of_c and name != "C" else text


def _sparse(results):
    for arena, threads, races in _groups(results, ("uniform", "zipf")):
        rows = [
            [rule, TITLES[model], name, format(evaluate.spread(1000 * times), ".3g")]
            for (rule, model), race in races.items()
            for name in _names([race], rule)
            for times in [evaluate.seconds(race, name, rule)]
        ]
        yield f"### {arena}, {threads}"
        yield _table(["rule", "indices", "", "ms"], rows)


def _curves(results):
    rows = []
    for curve in results["curves"]:
        for name, sizes, _, line in evaluate.lines(curve):
            rows.append(
                [
                    curve["arena"],
                    name,
                    curve["rule"],
                    f"{curve['name']}, {sizes[0]:,} to {sizes[-1]:,}",
                    f"{1e6 * line.floor:.3g} µs",
                    f"{1e9 * line.slope:.3g} ns",
                    f"{100 * line.deviation:.0f} %",
                ]
            )
    return _table(["arena", "", "rule", "size", "floor", "for each more", "off the line"], rows)


def _memory(results):
    rows = [
        [
            x["contestant"],
            x["rule"],
            *[f"{x[name] / 2**20:.1f} MiB" for name in ("bytes", "slots", "limit")],
            x["met"],
        ]
        for x in evaluate.memory_verdicts(results["memory"])
    ]
    return _table(["", "rule", "peak", "slots alone", "bound", "met"], rows)


def _failures(results):
    places = results["races"] + [x for curve in results["curves"] for x in curve["points"]]
    failed = {
        (x["contestant"], x["rule"], x["reason"]) for place in places for x in place["failed"]
    }
    if failed:
        yield "## Not timed"
        yield _table(["", "rule", "reason"], sorted(failed))
