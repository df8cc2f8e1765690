"""Sensitivity study of a bundle: gradients, movement, ablations, and the folder with its page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from medseg._files import write_atomically
from medseg.errors import DataError
from medseg.networks.unet import UNet
from medseg.networks.weights import load_weights
from medseg.studies.pages.plot_style import plot_files
from medseg.studies.pruning.ablation import Ablation, ablated
from medseg.studies.pruning.findings import findings
from medseg.studies.pruning.movement import (
    gradient_norms,
    initial_state,
    saliency,
    weight_distances,
)
from medseg.studies.pruning.pictures import middle_slices, predictions_figure, shown_cases
from medseg.studies.pruning.plots import (
    amounts_figure,
    bars_figure,
    distributions_figure,
    filters_figure,
    groups_figure,
    modules_figure,
)
from medseg.studies.pruning.selection import named_module, ranked_thirds, selections
from medseg.studies.pruning.sensitivity import (
    Plan,
    ScoredAblation,
    planned_ablations,
    score_ablations,
)
from medseg.studies.pruning.sensitivity_page import Sensitivity, sensitivity_texts
from medseg.studies.pruning.subject import Subject, batch_gradients, with_network

__all__ = ["Question", "run_sensitivity"]

Told = Callable[[int, int], None]
# Filters and predictions are shown at these amounts of this method.
_SHOWN, _SHOWN_AMOUNTS = "l1_structured", (0.25, 0.5, 0.75)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a network.

    Attributes:
        plan: Methods and amounts.
        batches: Training batches for the gradients.
        initial: File of the initial weights; None rebuilds them from the seed where it is theirs.
        beside: Weights of a smaller network for the same images; None for none.
        module: One convolution that is pruned alone, instead of each; None for each.
        command: That asked it, for the page.
    """

    plan: Plan
    batches: int
    initial: Path | None
    beside: Path | None
    module: str | None
    command: str


def run_sensitivity(subject: Subject, question: Question, folder: Path, told: Told) -> Path:
    """Run the study, or what is missing of it, and write its page.

    Args:
        subject: The bundle.
        question: What is asked.
        folder: For scores, tables, plots and the page.
        told: Called with the number of ablations done and of all.

    Returns:
        The page.

    Raises:
        UsageError: If there is no such module.
    """
    gradients = batch_gradients(subject, question.batches)
    before = initial_state(subject, question.initial)
    norms = gradient_norms(subject.network, gradients)
    distances = None if before is None else weight_distances(subject.network, before)
    chosen = selections(subject.network)
    chosen |= ranked_thirds(norms, most="largest gradients", least="smallest gradients")
    if distances is not None:
        chosen |= ranked_thirds(distances, most="moved most", least="moved least")
    alone = None if question.module is None else named_module(subject.network, question.module)
    ablations = [
        one
        for one in planned_ablations(question.plan, chosen)
        if alone is None or one.selection in ("all", f"module {alone}")
    ]
    scored = _scored(subject, question, ablations, gradients, folder, told)
    beside = _beside(subject, question, folder, told)
    content = Sensitivity(
        subject=subject,
        scored=scored,
        found=findings(scored),
        beside=findings(beside) if beside else [],
        beside_name="" if question.beside is None else question.beside.name,
        distances=distances,
        gradients=norms,
        command=question.command,
    )
    return _write(content, gradients, question.plan.seed, folder)


def _scored(
    subject: Subject,
    question: Question,
    ablations: list[Ablation],
    gradients: list[dict[str, Tensor]],
    folder: Path,
    told: Told,
) -> list[ScoredAblation]:
    return score_ablations(
        subject,
        ablations,
        saliency(subject.network, gradients),
        seed=question.plan.seed,
        folder=folder / "scores",
        told=told,
    )


def _beside(subject: Subject, question: Question, folder: Path, told: Told) -> list[ScoredAblation]:
    """The same ablations of the whole smaller network."""
    if question.beside is None:
        return []
    other = beside_subject(subject, question.beside)
    gradients = batch_gradients(other, question.batches)
    whole = {"all": selections(other.network)["all"]}
    plan = replace(question.plan, part_methods=())
    return _scored(other, question, planned_ablations(plan, whole), gradients, folder, told)


def beside_subject(subject: Subject, weights: Path) -> Subject:
    """The same bundle and cases with other weights, of another width perhaps.

    Raises:
        DataError: If they are of another kind of image.
    """
    from medseg.networks.weights import trained_network
    from medseg.networks.weights_file import DIGEST, read_weights_header

    network = trained_network(weights, subject.network.describe())
    if not isinstance(network, UNet):
        raise DataError(f"{weights}: is no U-Net of medseg's; give weights of one")
    load_weights(network, weights)
    provenance = replace(
        subject.predictor.provenance, tensors_sha256=read_weights_header(weights).texts[DIGEST]
    )
    other = with_network(subject, network)
    return replace(
        other,
        weights=weights,
        predictor=replace(other.predictor, provenance=provenance),
        training={**subject.training, "network_def": network.describe()},
    )


def _write(
    content: Sensitivity, gradients: list[dict[str, Tensor]], seed: int, folder: Path
) -> Path:
    figures = {
        name: figure
        for name, figure in _figures(content, gradients, seed).items()
        if figure is not None
    }
    files: dict[str, bytes] = {}
    for name, figure in figures.items():
        files |= plot_files(name, figure)
    texts = sensitivity_texts(content, list(figures))
    # The page last, so that it never shows what is not there.
    page = texts.pop("prune.md")
    files |= {name: text.encode() for name, text in texts.items()}
    for name, data in {**files, "prune.md": page.encode()}.items():
        write_atomically(folder / name, lambda path, data=data: path.write_bytes(data))
    return folder / "prune.md"


def _figures(
    content: Sensitivity, gradients: list[dict[str, Tensor]], seed: int
) -> Mapping[str, Any]:
    subject = content.subject
    pruned = {
        f"{_SHOWN} {amount:.0%}": _shown(subject.network, amount, seed) for amount in _SHOWN_AMOUNTS
    }
    networks = {"unpruned": subject.network, **pruned}
    return {
        "amounts": amounts_figure(content.found, content.beside),
        "groups": groups_figure(content.found, _SHOWN),
        "modules": modules_figure(content.found),
        "distances": None
        if content.distances is None
        else bars_figure(content.distances, "L2 distance of the weights before and after training"),
        "distributions": distributions_figure(subject.network, gradients),
        "filters": filters_figure(
            {name: middle_slices(network, "stem.0") for name, network in networks.items()}
        ),
        "predictions": predictions_figure(subject, shown_cases(subject.cases), networks),
    }


def _shown(network: UNet, amount: float, seed: int) -> UNet:
    modules = selections(network)["all"]
    one = Ablation(method=_SHOWN, selection="all", modules=modules, amount=amount)
    return ablated(network, one, {}, seed=seed)[0]
