"""Smaller network study: contestants trained, scored and timed side by side."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medseg._files import write_atomically
from medseg.networks.macs import parameters
from medseg.networks.unet import UNet
from medseg.networks.weights_file import DIGEST, read_weights_header
from medseg.studies.pages.figures import plain
from medseg.studies.pages.plot_style import plot_files
from medseg.studies.pruning.contestants import Contestant, Recipe, train_contestants
from medseg.studies.pruning.judged import Judged, Smaller, named
from medseg.studies.pruning.latency import measure_latency
from medseg.studies.pruning.macs import unet_macs
from medseg.studies.pruning.scores import Paired, case_means, compare, score_cases
from medseg.studies.pruning.smaller_bundle import write_smaller_bundle
from medseg.studies.pruning.smaller_page import cost_figure, smaller_texts
from medseg.studies.pruning.subject import Subject, with_network
from medseg.studies.results import CaseScore

__all__ = ["run_smaller"]


def run_smaller(
    subject: Subject,
    recipe: Recipe,
    folder: Path,
    *,
    repeats: int,
    command: str,
    told: Callable[[str], None],
) -> Path:
    """Make the smaller network and its controls, compare them, and write the smaller bundle.

    What is trained already is not trained again; scores and times are measured anew.

    Args:
        subject: The bundle.
        recipe: How.
        folder: For trainings, page and tables; `bundle` in it is the smaller bundle.
        repeats: Turns of the timing.
        command: That asked for it, for the page.
        told: Called with what is done next.

    Returns:
        The page.
    """
    told("training")
    contestants = train_contestants(subject, recipe, folder / "contestants")
    told("scoring")
    judged = _judge(subject, contestants)
    told("timing")
    latency = measure_latency(
        subject,
        {one.name: one.network for one in contestants},
        repeats=repeats,
        cache_dir=folder / "engines",
    )
    means = {one.name: case_means(one.cases) for one in judged}
    content = Smaller(
        subject=subject,
        recipe=recipe,
        judged=judged,
        pruned_to_flat=compare(means["flat"], means["pruned"], _groups(judged[0].cases)),
        latency=latency,
        command=command,
    )
    out = folder / "bundle" / subject.predictor.name
    if not out.exists():
        weights = next(one.weights for one in contestants if one.name == "pruned")
        write_smaller_bundle(
            subject.bundle,
            out,
            weights=weights,
            scores=_bundle_scores(content),
            note=_note(content),
        )
    files = {name: text.encode() for name, text in smaller_texts(content).items()}
    page = files.pop("prune.md")
    files |= plot_files("cost", cost_figure(content))
    for name, data in {**files, "prune.md": page}.items():
        write_atomically(folder / name, lambda path, data=data: path.write_bytes(data))
    return folder / "prune.md"


def _judge(subject: Subject, contestants: Sequence[Contestant]) -> list[Judged]:
    found: list[Judged] = []
    base: Mapping[str, float] = {}
    for one in contestants:
        cases = score_cases(with_network(subject, one.network))
        means = case_means(cases)
        groups = _groups(cases)
        base = base or means
        found.append(
            Judged(
                name=one.name,
                iterations=one.iterations,
                before=_before(subject, one.before, base, groups),
                after=compare(base, means, groups),
                parameters=parameters(one.network),
                macs=unet_macs(one.network, subject.window),
                widths=_widths(one.network),
                weights_sha256=read_weights_header(one.weights).texts.get(
                    DIGEST, subject.predictor.provenance.tensors_sha256
                ),
                cases=tuple(cases),
            )
        )
    return found


def _before(
    subject: Subject,
    network: UNet | None,
    base: Mapping[str, float],
    groups: Mapping[str, str | None],
) -> Paired | None:
    if network is None:
        return None
    return compare(base, case_means(score_cases(with_network(subject, network))), groups)


def _groups(cases: Sequence[CaseScore]) -> dict[str, str | None]:
    return {one.case: one.group for one in cases}


def _widths(network: UNet) -> Any:
    return network.describe()["widths"] or list(network.levels.widths)


def _note(content: Smaller) -> str:
    pruned, recipe = named(content, "pruned"), content.recipe
    original = named(content, "original")
    return (
        f"pruned: {pruned.macs / original.macs:.0%} of the multiplications and "
        f"{pruned.parameters / original.parameters:.0%} of the parameters, fine-tuned for "
        f"{recipe.iterations} batches; DSC {plain(pruned.after.dsc, 3)} beside "
        f"{plain(original.after.dsc, 3)} ({content.subject.split})"
    )


def _bundle_scores(content: Smaller) -> dict[str, Any]:
    pruned = named(content, "pruned")
    rows = [("mean", pruned.after)]
    names = list(dict.fromkeys(case.class_name for case in pruned.cases))
    for name in names if len(names) > 1 else ():
        own = case_means([case for case in pruned.cases if case.class_name == name])
        rows.append((name, compare(own, own, _groups(pruned.cases))))
    return {
        "data": content.subject.split,
        "cases": len(content.subject.cases),
        "weights_sha256": pruned.weights_sha256,
        "rows": [
            {
                "of": name,
                "metric": "dsc",
                "value": round(one.dsc, 4),
                "interval": [round(end, 4) for end in one.dsc_ci95],
            }
            for name, one in rows
        ],
    }
