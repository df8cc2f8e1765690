"""Page of a sensitivity study: `prune.md`, tables and plots."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medseg._csv import csv_text
from medseg.networks.unet import UNet
from medseg.studies.pages.figures import interval, percent, plain, signed, signed_interval
from medseg.studies.pages.markdown_text import code, escaped, table
from medseg.studies.pruning.claims import claim_lines
from medseg.studies.pruning.findings import Finding, verdict
from medseg.studies.pruning.methods import METHODS
from medseg.studies.pruning.scores import Paired
from medseg.studies.pruning.sensitivity import ScoredAblation
from medseg.studies.pruning.subject import Subject
from medseg.studies.pruning.wiring import wiring

__all__ = ["Sensitivity", "sensitivity_texts"]


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """All that the page says.

    Attributes:
        subject: What was pruned.
        scored: Scores of each ablation, the unpruned network first.
        found: Likewise, compared with it.
        beside: Findings of the smaller network; empty if there is none.
        beside_name: File of its weights.
        distances: Movement of each convolution in training; None if the initial weights are not
            known.
        gradients: Norm of the gradient of each convolution.
        command: That repeats it.
    """

    subject: Subject
    scored: Sequence[ScoredAblation]
    found: Sequence[Finding]
    beside: Sequence[Finding]
    beside_name: str
    distances: Mapping[str, float] | None
    gradients: Mapping[str, float]
    command: str


def sensitivity_texts(content: Sensitivity, plots: Sequence[str]) -> dict[str, str]:
    """Texts by file name.

    Args:
        content: What was found.
        plots: Names of the plots that are there.
    """
    return {
        "prune.md": _page(content, plots),
        "ablations.csv": _ablations_csv(content.found),
        "sparsity.csv": _sparsity_csv(content.scored),
        "modules.csv": csv_text(_MODULE_COLUMNS, _modules(content)),
        "prune.json": json.dumps(_json(content), indent=1) + "\n",
    }


_TITLES = {
    "amounts": "DSC over the share of zeros, by method",
    "groups": "Loss by group",
    "modules": "Each convolution alone",
    "distances": "Distance of the weights before and after training",
    "distributions": "Distributions of weights and gradients",
    "filters": "Filters before and after; what is crossed out is zero",
    "predictions": "Predictions of the ablated network",
}
_MODULE_COLUMNS = ("module", "part", "level", "weights", "moved_l2", "gradient_l2")


def _page(content: Sensitivity, plots: Sequence[str]) -> str:
    subject, base = content.subject, content.found[0].overall
    predictor = subject.predictor
    used = dict.fromkeys(one.ablation.method for one in content.found if one.ablation)
    moved = (
        "From the initial weights, rebuilt from the seed or given."
        if content.distances
        else "The initial weights are not known: they were not kept, and the seed of the config "
        "does not give them."
    )
    parts = [
        f"# Pruning: {escaped(predictor.name)} {predictor.version}",
        f"Weights {code(predictor.provenance.tensors_sha256[:12])}, "
        f"{sum(one.numel() for one in subject.network.parameters()):,} parameters; "
        f"{escaped(subject.split)}. Unpruned DSC {plain(base.dsc)} {interval(base.dsc_ci95)}: mean "
        f"over {'the groups' if content.found[0].groups else 'cases'}, with 95 % bootstrap "
        "intervals over cases; differences are paired. Weights are set to zero and nothing is "
        "trained anew; biases and norms stay.",
        "## What was asked",
        "\n".join(f"- {line}" for line in claim_lines(content.found, content.beside)),
        "## The whole network",
        "\n".join(f"- {code(method)}: {METHODS[method]}" for method in used),
        _table([one for one in content.found if _is(one, "all")], content.found[0]),
        *(_beside(content)),
        "## Parts of it",
        _table(_parts(content.found), content.found[0]),
        "## Each convolution alone",
        _table([one for one in content.found if _is(one, "module ")], content.found[0]),
        "## Weights and gradients",
        f"Distance is the L2 norm of the difference of the weights after and before training. "
        f"{moved} Gradients: mean L2 norm over batches of training cases.",
        table(_MODULE_COLUMNS, _cells(_modules(content)), words=2),
        "## Plots",
        *(f"{_TITLES[name]}:\n\n![{_TITLES[name]}](plots/{name}.png)" for name in plots),
        "## Repeat",
        f"{code(content.command)}\n\n`ablations.csv` has every class and group, `sparsity.csv` the "
        "zeros of every convolution.",
    ]
    if subject.failed:
        failed = "\n".join(f"- {escaped(reason)}" for reason in subject.failed.values())
        parts.append(f"## Cases that could not be read\n\n{failed}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _beside(content: Sensitivity) -> list[str]:
    if not content.beside:
        return []
    base = content.beside[0].overall
    return [
        f"The smaller network, {code(content.beside_name)}: unpruned DSC {plain(base.dsc)} "
        f"{interval(base.dsc_ci95)}.",
        _table([one for one in content.beside if _is(one, "all")], content.beside[0]),
    ]


def _is(one: Finding, selection: str) -> bool:
    return one.ablation is not None and one.ablation.selection.startswith(selection)


def _parts(found: Sequence[Finding]) -> list[Finding]:
    return [one for one in found if one.ablation and not (_is(one, "all") or _is(one, "module "))]


def _table(rows: Sequence[Finding], base: Finding) -> str:
    if not rows:
        return "None was asked for."
    details = list(base.groups or base.classes)
    details = details if len(details) > 1 else []
    columns = ["selection", "method", "amount", "zeros", "DSC", "difference", "95 %", "verdict"]
    cells = [
        [
            escaped(one.ablation.selection.removeprefix("module ")),
            escaped(one.ablation.method),
            percent(one.ablation.amount),
            percent(one.zeros),
            plain(one.overall.dsc),
            signed(one.overall.difference),
            signed_interval(one.overall.difference_ci95),
            verdict(one.overall),
            *(signed((one.groups or one.classes)[name].difference, 3) for name in details),
        ]
        for one in rows
        if one.ablation
    ]
    return table([*columns, *map(escaped, details)], cells, words=2)


def _cells(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    return [
        [escaped(str(one[0])), one[1], str(one[2]), f"{one[3]:,}", plain(one[4]), plain(one[5])]
        for one in rows
    ]


def _modules(content: Sensitivity) -> list[tuple[Any, ...]]:
    network: UNet = content.subject.network
    distances = content.distances or {}
    return [
        (
            one.name,
            one.part,
            one.level,
            network.get_submodule(one.name).get_parameter("weight").numel(),
            distances.get(one.name),
            content.gradients[one.name],
        )
        for one in wiring(network)
    ]


def _ablations_csv(found: Sequence[Finding]) -> str:
    columns = ("selection", "method", "amount", "zeros", "of", "name")
    scores = ("dsc", "dsc_low", "dsc_high", "difference", "difference_low", "difference_high")
    rows: list[list[Any]] = []
    for one in found:
        named = (
            (one.ablation.selection, one.ablation.method, one.ablation.amount)
            if one.ablation
            else ("none", "none", 0.0)
        )
        parts: list[tuple[str, str, Paired]] = [("all", "all", one.overall)]
        parts += [("class", name, paired) for name, paired in one.classes.items()]
        parts += [("group", name, paired) for name, paired in one.groups.items()]
        rows += [
            [*named, one.zeros, of, name, p.dsc, *p.dsc_ci95, p.difference, *p.difference_ci95]
            for of, name, p in parts
        ]
    return csv_text((*columns, *scores), rows)


def _sparsity_csv(scored: Sequence[ScoredAblation]) -> str:
    columns = ("selection", "method", "amount", "mod_name", "num_zeros", "num_elements", "sparsity")
    return csv_text(
        columns,
        (
            (
                *(one.ablation.selection, one.ablation.method, one.ablation.amount),
                *(own.module, own.zeros, own.elements, own.share),
            )
            for one in scored
            if one.ablation
            for own in one.sparsity
        ),
    )


def _json(content: Sensitivity) -> dict[str, Any]:
    predictor = content.subject.predictor
    return {
        "bundle": predictor.name,
        "version": predictor.version,
        "weights_sha256": predictor.provenance.tensors_sha256,
        "cases": content.subject.split,
        "failed": dict(content.subject.failed),
        "claims": claim_lines(content.found, content.beside),
        "distances": content.distances and dict(content.distances),
        "gradients": dict(content.gradients),
        "ablations": [asdict(one) for one in content.found],
        "beside": [asdict(one) for one in content.beside],
    }
