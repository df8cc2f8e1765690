"""Plots of a sensitivity study: score over amount, modules, distances, distributions, filters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from medseg.networks.unet import UNet
from medseg.studies.pages.plot_style import DIM, INK, THIN, label, tidy
from medseg.studies.pruning.findings import Finding
from medseg.studies.pruning.scores import Paired
from medseg.studies.pruning.wiring import wiring

__all__ = [
    "amounts_figure",
    "bars_figure",
    "distributions_figure",
    "filters_figure",
    "groups_figure",
    "modules_figure",
]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK)
_MOST_FILTERS = 16


def amounts_figure(found: Sequence[Finding], beside: Sequence[Finding]) -> Figure:
    """DSC over the share of zeros, by method; the smaller network's beside it, if there is one."""
    parts = [("the network", found), *([("the smaller one", beside)] if beside else [])]
    figure = Figure(figsize=(5.2 * len(parts), 4), layout="constrained")
    axes = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for axis, (title, rows) in zip(axes, parts, strict=True):
        methods = dict.fromkeys(
            one.ablation.method for one in rows if one.ablation and one.ablation.selection == "all"
        )
        for colour, method in zip(_COLOURS, methods, strict=False):
            own = [
                one
                for one in rows
                if one.ablation and one.ablation.selection == "all"
                if one.ablation.method == method
            ]
            x = [one.ablation.amount for one in own if one.ablation]
            ends = np.array([one.overall.dsc_ci95 for one in own])
            axis.fill_between(x, ends[:, 0], ends[:, 1], color=colour, alpha=0.12, linewidth=0)
            axis.plot(x, [one.overall.dsc for one in own], "o-", ms=3, color=colour, label=method)
        axis.axhline(rows[0].overall.dsc, color=DIM, linestyle="--", linewidth=1)
        axis.set(title=title, xlabel="share of weights set to zero", ylim=(0, 1))
        tidy(axis, grid="y")
    axes[0].set_ylabel("DSC, 95 % interval over cases")
    axes[0].legend(frameon=False, fontsize=7)
    return figure


def groups_figure(found: Sequence[Finding], method: str) -> Figure | None:
    """Loss of DSC over the share of zeros, by group or class, for one method."""
    own = [
        one
        for one in found
        if one.ablation and one.ablation.selection == "all" and one.ablation.method == method
    ]
    if not own or len(_parts(own[0])) < 2:
        return None
    figure = Figure(figsize=(5.2, 4), layout="constrained")
    axis: Any = figure.subplots()
    x = [one.ablation.amount for one in own if one.ablation]
    for colour, name in zip(_COLOURS, _parts(own[0]), strict=False):
        axis.plot(
            x,
            [_parts(one)[name].difference for one in own],
            "o-",
            ms=3,
            color=colour,
            label=label(name, 30),
        )
    axis.axhline(0, color=DIM, linewidth=1)
    axis.set(xlabel=f"share set to zero, {method}", ylabel="difference of DSC to the unpruned one")
    tidy(axis, grid="y")
    axis.legend(frameon=False, fontsize=7)
    return figure


def modules_figure(found: Sequence[Finding]) -> Figure | None:
    """Loss of DSC by each convolution pruned alone, with its interval; a column an amount."""
    alone = [one for one in found if one.ablation and one.ablation.selection.startswith("module ")]
    amounts = list(
        dict.fromkeys((one.ablation.method, one.ablation.amount) for one in alone if one.ablation)
    )
    if not amounts:
        return None
    names = list(dict.fromkeys(one.ablation.selection for one in alone if one.ablation))
    figure = Figure(figsize=(3 + 2.6 * len(amounts), 1.2 + 0.22 * len(names)), layout="constrained")
    axes = figure.subplots(1, len(amounts), sharey=True, squeeze=False)[0]
    for axis, (method, amount) in zip(axes, amounts, strict=True):
        rows = [
            one.overall
            for one in alone
            if one.ablation and (one.ablation.method, one.ablation.amount) == (method, amount)
        ]
        for place, row in enumerate(rows):
            clear = row.difference_ci95[1] < 0
            colour = _COLOURS[1] if clear else DIM
            axis.plot(row.difference_ci95, [place, place], color=colour, linewidth=1.5)
            axis.plot(row.difference, place, "o", ms=4, color=colour)
        axis.axvline(0, color=INK, linewidth=0.8)
        axis.set(title=f"{method}, {amount:.0%}", xlabel="difference of DSC")
        axis.title.set_fontsize(9)
        axis.set_yticks(range(len(names)), [name.removeprefix("module ") for name in names])
        tidy(axis, grid="x")
    axes[0].invert_yaxis()
    return figure


def bars_figure(values: Mapping[str, float], text: str) -> Figure:
    """One bar for each convolution, in the order of the network."""
    figure = Figure(figsize=(5.2, 1.2 + 0.22 * len(values)), layout="constrained")
    axis: Any = figure.subplots()
    axis.barh(range(len(values)), list(values.values()), color=_COLOURS[0], height=0.7)
    axis.set_yticks(range(len(values)), list(values))
    axis.invert_yaxis()
    axis.set_xlabel(text)
    tidy(axis, grid="x")
    return figure


def distributions_figure(network: UNet, gradients: Sequence[Mapping[str, Any]]) -> Figure:
    """Distributions of weights and gradients by convolution: median, quartiles, 1 % and 99 %."""
    names = [one.name for one in wiring(network)]
    weights = [_quantiles(network.get_submodule(name).get_parameter("weight")) for name in names]
    slopes = [
        np.mean([_quantiles(batch[f"{name}.weight"]) for batch in gradients], axis=0)
        for name in names
    ]
    figure = Figure(figsize=(8, 1.2 + 0.22 * len(names)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, rows, text in zip(axes, (weights, slopes), ("weights", "gradients"), strict=True):
        for place, (low, first, middle, third, high) in enumerate(rows):
            axis.plot([low, high], [place, place], color=THIN, linewidth=2)
            axis.plot([first, third], [place, place], color=_COLOURS[0], linewidth=4)
            axis.plot(middle, place, "|", color=INK, ms=7)
        axis.set_xlabel(f"{text}: 1 %, quartiles, 99 %")
        axis.set_yticks(range(len(names)), names)
        tidy(axis, grid="x")
    axes[0].invert_yaxis()
    return figure


def filters_figure(rows: Mapping[str, NDArray[Any]]) -> Figure:
    """Filters of one convolution, one row for each network, one scale of grey for all.

    Args:
        rows: `(filters, I, J)` by name, as `middle_slices` gives them.
    """
    count = min(_MOST_FILTERS, *(len(one) for one in rows.values()))
    figure = Figure(figsize=(0.62 * count + 1.6, 0.85 * len(rows) + 0.3), layout="constrained")
    axes = figure.subplots(len(rows), count, squeeze=False)
    largest = max(float(np.abs(one).max()) for one in rows.values()) or 1.0
    for line, (name, filters) in zip(axes, rows.items(), strict=True):
        for axis, one in zip(line, filters[:count], strict=True):
            axis.imshow(one, cmap="gray", vmin=-largest, vmax=largest)
            axis.set(xticks=[], yticks=[])
            if not one.any():
                # A filter that is gone is not a grey one.
                axis.plot([0, 1], [0, 1], transform=axis.transAxes, color=_COLOURS[1], lw=1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return figure


def _parts(one: Finding) -> Mapping[str, Paired]:
    """Groups of the cases, or classes where there are none."""
    return one.groups or one.classes


def _quantiles(tensor: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = tensor.detach().numpy()
    return np.asarray(np.quantile(values, [0.01, 0.25, 0.5, 0.75, 0.99]))
