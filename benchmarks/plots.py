"""The results as pictures."""

import itertools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks import evaluate
from benchmarks.report import RULES

_OURS, _PEERS, _BY_HAND, _LIMIT = "#1f6fb4", "#9a9a9a", "#d9a441", "#333333"
_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "savefig.dpi": 150,
}


def draw(results, folder):
    """Writes adam.png, rules.png, sparse.png and growth.png."""
    with plt.rc_context(_STYLE):
        for name, function in (
            ("adam", _adam),
            ("rules", _rules),
            ("sparse", _sparse),
            ("growth", _growth),
        ):
            figure = function(results)
            figure.savefig(folder / f"{name}.png", bbox_inches="tight")
            plt.close(figure)


def _colour(name):
    if name.startswith("optdsl"):
        return _OURS
    if name == "C":
        return _LIMIT
    return _BY_HAND if name.startswith(("plain ops", "textbook NumPy")) else _PEERS


def _bars(axes, bars, title, unit):
    """Horizontal bars with whiskers from quartile to quartile, the fastest on top."""
    bars = sorted(bars, key=lambda bar: -bar[1].median)
    for i, (label, spread) in enumerate(bars):
        whiskers = [[spread.median - spread.low], [spread.high - spread.median]]
        axes.barh(i, spread.median, color=_colour(label), height=0.7)
        axes.errorbar(spread.median, i, xerr=whiskers, color="black", lw=0.8, capsize=2)
        place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(f"{spread.median:.3g}", (spread.high, i), **place)
    axes.set_yticks(range(len(bars)), [label for label, _ in bars])
    axes.set_xlabel(unit)
    axes.set_title(title)


def _races(results, rule, model):
    return [
        race
        for race in results["races"]
        if (race["rule"], race["model"], race["threads"]) == (rule, model, 1)
    ]


def _adam(results):
    figure, all_axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    titles = ("one tensor of 16M", "the 161 tensors of ResNet-50")
    for axes, model, title in zip(all_axes, ("big", "many"), titles, strict=True):
        bars = {}
        for race in _races(results, "adam", model):
            for x in race["results"]:
                ratio = evaluate.ratio(race, (x["contestant"], "adam"), ("C", "adam"))
                if ratio and x["contestant"] != "C":
                    label = x["contestant"]
                    label += f" ({race['arena']})" if label == "plain ops" else ""
                    bars.setdefault(label, ratio)
        _bars(axes, bars.items(), f"Adam, {title}", "times what one fused loop in C takes")
        axes.axvline(1, color=_LIMIT, lw=0.8, ls=":")
    return figure


#: What the second picture compares, and how it is drawn.
_WAYS = (
    ("numpy", "textbook NumPy", "textbook NumPy", "#ecd3a0"),
    ("tf221", "plain ops", "OptimizerV2 in plain ops", _BY_HAND),
    ("numpy", "optdsl NumPy", "optdsl NumPy", "#8fbbe0"),
    ("tf221", "optdsl Keras V2", "optdsl Keras V2", _OURS),
    ("numpy", "optdsl numba", "optdsl numba", "#0b3d68"),
)


def _rules(results):
    figure, axes = plt.subplots(figsize=(11, 4), layout="constrained")
    width = 0.8 / len(_WAYS)
    for i, (arena, name, label, colour) in enumerate(_WAYS):
        places, ratios = [], []
        for j, rule in enumerate(RULES):
            for race in _races(results, rule, "many"):
                ratio = evaluate.ratio(race, (name, rule), ("C", "adam"))
                if race["arena"] == arena and ratio:
                    places.append(j + (i - (len(_WAYS) - 1) / 2) * width)
                    ratios.append(ratio.median)
        if ratios:
            axes.bar(places, ratios, 0.9 * width, label=label, color=colour)
    for race in _races(results, "adam", "many"):
        built_in = evaluate.ratio(race, ("Keras 2 built-in", "adam"), ("C", "adam"))
        if race["arena"] == "tf221" and built_in:
            axes.axhline(built_in.median, color=_LIMIT, lw=1, ls="--")
            place = {"xy": (-0.6, built_in.median), "va": "bottom", "ha": "left"}
            axes.annotate("the fused built-in Adam", **place)
    axes.axhline(1, color=_LIMIT, lw=0.8, ls=":")
    axes.set_xticks(range(len(RULES)), RULES)
    axes.set_ylabel("times Adam's fused loop in C")
    axes.set_title("Rules on the 161 tensors of ResNet-50")
    axes.set_xlim(left=-0.65)
    axes.legend(frameon=False, ncols=len(_WAYS), loc="upper center", bbox_to_anchor=(0.5, -0.1))
    return figure


def _sparse(results):
    rules = ("adam, lazy", "radam, hybrid", "adam, exact")
    figure, all_axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for axes, rule in zip(all_axes, rules, strict=True):
        bars = {}
        for race in _races(results, rule, "uniform"):
            for x in race["results"]:
                if x["rule"] == rule:
                    label = x["contestant"]
                    label += f" ({race['arena']})" * label.startswith(("Keras", "optdsl Keras"))
                    label += " with a sweep" * (_colour(label) == _BY_HAND and "hybrid" in rule)
                    bars.setdefault(label, evaluate.spread([1000 * s for s in x["seconds"]]))
        _bars(axes, bars.items(), f"{rule}: 1M × 64, 8192 indices", "milliseconds a step")
        _log_scale(axes.xaxis, "x")
        axes.set_xlim(left=0.5 * min((x.median for x in bars.values()), default=1))
    return figure


def _log_scale(axis, name):
    """Powers of ten and, where there is room, 2 and 5, written as plain numbers."""
    getattr(axis.axes, f"set_{name}scale")("log")
    low, high = getattr(axis.axes, f"get_{name}lim")()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
    axis.set_major_formatter(FuncFormatter(_short))
    axis.set_minor_formatter(NullFormatter())


def _short(number, _):
    for factor, unit in ((1e6, "M"), (1e3, "k")):
        if number >= factor:
            return f"{number / factor:g}{unit}"
    return f"{number:g}"


def _growth(results):
    figure, all_axes = plt.subplots(1, 3, figsize=(15, 4.5), layout="constrained")
    for axes, size in zip(all_axes, ("parameters", "variables", "rows"), strict=True):
        colours = itertools.cycle(plt.get_cmap("tab10").colors)
        for curve in results["curves"]:
            if curve["name"] == size:
                _lines(axes, curve, colours)
        axes.set(xlabel=size, ylabel="milliseconds a step")
        axes.set_title(f"Cost of a step against {size}, and straight lines")
        _log_scale(axes.xaxis, "x")
        _log_scale(axes.yaxis, "y")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
    return figure


def _lines(axes, curve, colours):
    for name, sizes, times, line in evaluate.lines(curve):
        if name == "C" and curve["arena"] != "numpy":
            continue
        colour = _LIMIT if name == "C" else next(colours)
        label = f"{name}, {curve['rule']}"
        axes.plot(sizes, [1000 * x for x in times], "o", ms=4, label=label, color=colour)
        steps = [sizes[0] * (sizes[-1] / sizes[0]) ** (i / 100) for i in range(101)]
        axes.plot(steps, [1000 * line.at(x) for x in steps], lw=0.9, color=colour)
