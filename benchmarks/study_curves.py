"""Curves of a study whose rows are a sweep: score over width or sparsity, and the training loss.

python -m benchmarks.study_curves OUT --runs RUNS --baseline width=4 --axis "first width" --log
python -m benchmarks.study_curves OUT --runs RUNS --axis "pruned, %"

OUT is the folder of a study's page, RUNS that of its runs. A row such as `width=8` or `ticket, 80 %
pruned` lies at the number in its name; rows that differ in nothing but the number are one curve. A
baseline that is part of a curve is given its name; otherwise it is a line across.
"""

import argparse
import csv
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Curves = dict[str, dict[float, list[float]]]
_NUMBER = re.compile(r"[=,] *(\d+(?:\.\d+)?)( % pruned)?$")


def main() -> None:
    """Write `sweep.png` beside the page, and print the numbers in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--baseline", default="")
    parser.add_argument("--axis", required=True)
    parser.add_argument("--log", action="store_true")
    given = parser.parse_args()
    with (given.out / "runs.csv").open(encoding="utf-8", newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if not line["reason"]]
    # The columns are those of every study, the score between digest and losses.
    score = list(lines[0])[4]
    losses = {line["digest"]: _last_loss(given.runs / line["digest"]) for line in lines}
    scores = _curves(lines, given.baseline, lambda line: float(line[score]))
    fits = _curves(lines, given.baseline, lambda line: losses[line["digest"]])
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), constrained_layout=True)
    _draw(axes[0], scores, "error (1 - accuracy)" if score == "accuracy" else score)
    _draw(axes[1], fits, "training loss of the last epoch")
    for panel in axes:
        panel.set_xlabel(given.axis)
        if given.log:
            panel.set_xscale("log", base=2)
            panel.set_xticks(sorted({x for points in scores.values() for x in points}))
            panel.xaxis.set_major_formatter("{x:g}")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(given.out / "sweep.png", dpi=110)
    for name, curve in scores.items():
        for x, values in sorted(curve.items()):
            print(f"{name:28} {x:5g} {statistics.mean(values):.4f} {values}")


def _last_loss(run: Path) -> float:
    with (run / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        return float(list(csv.DictReader(stream))[-1]["train_loss"])


def _curves(lines: list[dict[str, str]], baseline: str, value: Any) -> Curves:
    curves: Curves = defaultdict(lambda: defaultdict(list))
    for line in lines:
        name = baseline if baseline and line["row"] == "baseline" else line["row"]
        found = _NUMBER.search(name)
        x = float(found[1]) if found else float("nan")
        score = value(line)
        curves[name[: found.start()] if found else name][x].append(score)
    return curves


def _draw(panel: Any, curves: Curves, label: str) -> None:
    for name, curve in curves.items():
        points = {x: [1 - v if "accuracy" in label else v for v in vs] for x, vs in curve.items()}
        xs = sorted(points)
        middle = [statistics.mean(points[x]) for x in xs]
        if xs[0] != xs[0]:  # not a number: a row without one in its name
            panel.axhline(middle[0], color="0.4", linestyle="--", label=name)
            continue
        drawn = panel.plot(xs, middle, marker="o", markersize=4, label=name)[0]
        for x in xs:
            panel.plot([x] * len(points[x]), points[x], ".", color=drawn.get_color(), alpha=0.4)
    panel.set_ylabel(label)
    panel.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
