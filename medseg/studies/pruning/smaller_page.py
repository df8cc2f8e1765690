"""Page of a smaller network: verdict, scores, size and latency of it and of its controls."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from matplotlib.figure import Figure

from medseg._csv import csv_text
from medseg.studies.pages.figures import interval, large, plain, signed, signed_interval
from medseg.studies.pages.markdown_text import code, escaped, table
from medseg.studies.pages.plot_style import DIM, tidy
from medseg.studies.pruning.judged import Judged, Smaller, named
from medseg.studies.pruning.latency import Latency
from medseg.studies.pruning.scores import Paired

__all__ = ["cost_figure", "smaller_texts"]

# The goal: as good within this much DSC, and this many times faster.
_AS_GOOD, _AS_FAST = 0.005, 2.0
_COLOURS = ("#222222", "#0072B2", "#E69F00", "#CC79A7", "#009E73")


def smaller_texts(content: Smaller) -> dict[str, str]:
    """Texts by file name."""
    return {
        "prune.md": _page(content),
        "contestants.csv": _contestants_csv(content.judged),
        "latency.csv": _latency_csv(content.latency),
        "prune.json": json.dumps(_json(content), indent=1) + "\n",
    }


def _page(content: Smaller) -> str:
    predictor, recipe = content.subject.predictor, content.recipe
    scratch = (
        f"{recipe.scratch_iterations} batches"
        if recipe.scratch_iterations != recipe.iterations
        else "as many"
    )
    parts = [
        f"# A smaller network: {escaped(predictor.name)} {predictor.version}",
        f"{escaped(content.subject.split)}; intervals are 95 % bootstrap intervals over cases, "
        "differences are paired with the original's.",
        "## Verdict",
        "\n".join(f"- {line}" for line in _verdicts(content)),
        "## Scores and size",
        _score_table(content),
        f"The pruned network and the one of random channels were fine-tuned for "
        f"{recipe.iterations} batches, the untrained ones trained for {scratch}; what the "
        "original was trained before is not counted. All by the bundle's training, with a rate "
        "that falls to 0; the best of five validations is kept. Channels were chosen by "
        f"{recipe.batches} batches, {recipe.step} at a time.",
        "## Latency, measured in turns",
        _latency_table(content.latency),
        "Medians of a window, with quartiles, and of a whole case from the prepared image to its "
        "label.",
        "![DSC over the time of a window](plots/cost.png)",
        "## Repeat",
        code(content.command),
    ]
    return "\n\n".join(parts) + "\n"


def _verdicts(content: Smaller) -> list[str]:
    pruned, flat = named(content, "pruned"), content.pruned_to_flat
    ends = pruned.after.difference_ci95
    good = pruned.after.difference >= -_AS_GOOD
    surely = ends[0] >= -_AS_GOOD
    own = [one for one in content.latency if one.network == "pruned"]
    fast = [one.engine for one in own if one.case_speedup >= _AS_FAST]
    told = {True: "yes", False: "no"}
    least = "; ".join(f"{one.engine} {one.case_speedup:.2f}x" for one in own)
    return [
        f"DSC within {_AS_GOOD} of the original: {told[good]}, {signed(pruned.after.difference)} "
        f"{signed_interval(ends)}{'' if surely or not good else ', which could be more'}.",
        f"{_AS_FAST:g}x as fast for a whole case: {told[bool(fast)]}"
        f"{', on ' + ', '.join(fast) if fast else ''} ({least}).",
        f"Beside the flat U-Net of equal cost: {signed(flat.difference)} "
        f"{signed_interval(flat.difference_ci95)}: {_winner(flat)}.",
    ]


def _winner(flat: Paired) -> str:
    low, high = flat.difference_ci95
    if low > 0:
        return "the pruned network is better"
    return "the flat one wins" if high < 0 else "no evidence that one is better"


def _score_table(content: Smaller) -> str:
    columns = ["network", "batches", "parameters", "MACs", "before", "DSC", "95 %", "difference"]
    return table(
        [*columns, "95 %"],
        [
            [
                one.name,
                str(one.iterations),
                large(one.parameters),
                large(one.macs),
                plain(one.before.dsc if one.before else None),
                plain(one.after.dsc),
                interval(one.after.dsc_ci95),
                signed(one.after.difference),
                signed_interval(one.after.difference_ci95),
            ]
            for one in content.judged
        ],
    )


def _latency_table(latency: Sequence[Latency]) -> str:
    columns = ["engine", "network", "window ms", "quartiles", "speed", "case ms", "speed"]
    return table(
        columns,
        [
            [
                one.engine,
                one.network,
                plain(one.window_ms, 1),
                f"{one.window_iqr_ms[0]:.1f} to {one.window_iqr_ms[1]:.1f}",
                f"{one.speedup:.2f}x",
                plain(one.case_ms, 0),
                f"{one.case_speedup:.2f}x",
            ]
            for one in latency
        ],
        words=2,
    )


def _contestants_csv(judged: Sequence[Judged]) -> str:
    columns = ("network", "batches", "parameters", "macs", "widths", "dsc_before", "dsc")
    ends = ("dsc_low", "dsc_high", "difference", "difference_low", "difference_high")
    return csv_text(
        (*columns, *ends),
        (
            (
                *(one.name, one.iterations, one.parameters, one.macs, json.dumps(one.widths)),
                *(one.before.dsc if one.before else None, one.after.dsc, *one.after.dsc_ci95),
                *(one.after.difference, *one.after.difference_ci95),
            )
            for one in judged
        ),
    )


def _latency_csv(latency: Sequence[Latency]) -> str:
    columns = ("engine", "network", "threads", "window_ms", "window_q1_ms", "window_q3_ms")
    return csv_text(
        (*columns, "window_speedup", "case_ms", "case_speedup"),
        (
            (
                *(one.engine, one.network, one.threads, one.window_ms, *one.window_iqr_ms),
                *(one.speedup, one.case_ms, one.case_speedup),
            )
            for one in latency
        ),
    )


def _json(content: Smaller) -> dict[str, Any]:
    return {
        "bundle": content.subject.predictor.name,
        "cases": content.subject.split,
        "recipe": asdict(content.recipe),
        "verdicts": _verdicts(content),
        "contestants": [
            {**asdict(one), "cases": {case.case: dict(case.values) for case in one.cases}}
            for one in content.judged
        ],
        "pruned_to_flat": asdict(content.pruned_to_flat),
        "latency": [asdict(one) for one in content.latency],
    }


def cost_figure(content: Smaller) -> Figure:
    """DSC over the time of a window, an engine a panel."""
    engines = list(dict.fromkeys(one.engine for one in content.latency))
    figure = Figure(figsize=(2.9 * len(engines), 3.4), layout="constrained")
    axes = figure.subplots(1, len(engines), sharey=True, squeeze=False)[0]
    for axis, engine in zip(axes, engines, strict=True):
        times = {one.network: one.window_ms for one in content.latency if one.engine == engine}
        for colour, one in zip(_COLOURS, content.judged, strict=True):
            place = times[one.name]
            axis.plot([place, place], one.after.dsc_ci95, color=colour, linewidth=1)
            axis.plot(place, one.after.dsc, "o", color=colour, ms=5, label=one.name)
        axis.axhline(content.judged[0].after.dsc, color=DIM, linestyle="--", linewidth=0.8)
        axis.set(title=engine, xlabel="ms a window", xlim=(0, None))
        axis.title.set_fontsize(9)
        tidy(axis, grid="y")
    axes[0].set_ylabel("DSC, 95 % interval")
    axes[0].legend(frameon=False, fontsize=7)
    return figure
