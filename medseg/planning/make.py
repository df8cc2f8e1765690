"""Making of a plan: files are collected, cases read, rules applied, real steps measured, a bundle written."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medseg.bundles.writing.write import bundle_files, bundle_name, require_new, write_bundle
from medseg.data.cases.free_memory import available_bytes
from medseg.data.datasets.collect import collect_manifest, find_files
from medseg.data.known_folders import remember
from medseg.data.manifest import Manifest, load_manifest
from medseg.errors import MachineError, UsageError
from medseg.planning.assemble import Planned, assemble
from medseg.planning.fingerprint.cohort import Cohort, read_cohort
from medseg.planning.fingerprint.set_facts import SetFacts, summarise_set
from medseg.planning.forecast.measure import Forecast
from medseg.planning.forecast.search import Budget, first_size, fit
from medseg.planning.plan_file import PLAN_JSON, PLAN_PAGE, plan_json, plan_page
from medseg.planning.remarks import require_plannable, remarks_of
from medseg.planning.request import PlanRequest
from medseg.planning.rules.training import divided

__all__ = ["Listener", "MadePlan", "make_plan", "save_plan"]

MEMORY_SHARE = 0.7


@dataclass(frozen=True)
class Listener:
    """Whom a plan tells what it does: lines, and the cases that were read of all to be read."""

    tell: Callable[[str], None] = lambda line: None
    reading: Callable[[int, int], None] = lambda done, whole: None


@dataclass(frozen=True, kw_only=True)
class MadePlan:
    """A plan that is not written yet.

    Attributes:
        planned: Its choices and draft.
        facts: Of the data set.
        forecast: Of the training; None if nothing was measured.
        remarks: What the user should look at, a line each.
        dataset: Folder of the data set, absolute.
        read: Cases that were read now; the others were known.
    """

    planned: Planned
    facts: SetFacts
    forecast: Forecast | None
    remarks: tuple[str, ...]
    dataset: Path
    read: int


def make_plan(request: PlanRequest, listener: Listener) -> MadePlan:
    """Plan a bundle; nothing is written but what is known of the cases.

    Args:
        request: The user's.
        listener: Told what is done.

    Raises:
        DataError: If files do not pair, or cases cannot be used.
        UsageError: If options contradict each other or the data.
        MachineError: If no plan fits the budget.
    """
    name = bundle_name(request.folder)
    manifest, dataset = _data(request, name)
    cohort = read_cohort(manifest, dataset, listener.reading)
    require_plannable(manifest, cohort)
    facts = summarise_set(_usable(manifest, cohort), cohort.facts)
    manifest = _usable(manifest, cohort)
    remarks = remarks_of(manifest, cohort, facts)
    planned, known = _fitted(name, manifest, facts, request, dataset, listener)
    return MadePlan(
        planned=planned,
        facts=facts,
        forecast=known,
        remarks=tuple(remarks),
        dataset=dataset,
        read=cohort.read,
    )


def _data(request: PlanRequest, name: str) -> tuple[Manifest, Path]:
    if request.manifest is not None:
        folder = request.dataset_dir or request.manifest.parent
        return load_manifest(request.manifest), folder.absolute()
    if request.images is None or request.labels is None or request.info is None:
        raise UsageError("give --images and --labels with --modality, or --manifest with --dataset-dir")
    info = request.info
    if info.name is None:
        info = dataclasses.replace(info, name=name)
    return collect_manifest(
        find_files(request.images, option="--images"),
        find_files(request.labels, option="--labels"),
        info,
        request.split,
    )


def _usable(manifest: Manifest, cohort: Cohort) -> Manifest:
    """Without the training cases that nothing can be learnt from."""
    known = {case.case for case in cohort.facts}
    kept = tuple(case for case in manifest.training if case.case in known)
    return manifest.model_copy(update={"training": kept})


def _fitted(
    name: str,
    manifest: Manifest,
    facts: SetFacts,
    request: PlanRequest,
    dataset: Path,
    listener: Listener,
) -> tuple[Planned, Forecast | None]:
    device = _device(request.device)
    if request.measured == "nothing":
        size = first_size(facts, device)
        length = divided(2500, 10)
        planned = assemble(
            name, manifest, facts, size, length, told="not measured", pins=request.pins
        )
        return planned, None
    memory = request.memory_gb or (available_bytes() or 8e9) * MEMORY_SHARE / 1e9
    budget = Budget(minutes=request.minutes, memory_gb=memory, device=device)
    fitted = fit(name, manifest, facts, request.pins, dataset, budget, listener.tell)
    return fitted.planned, fitted.forecast


def _device(asked: str) -> str:
    if asked != "auto":
        return asked
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def save_plan(made: MadePlan, request: PlanRequest) -> list[str]:
    """Write the bundle of a plan, and note where its data lie.

    Returns:
        Lines for the user, if something could not be noted.
    """
    require_new(request.folder)
    draft = dataclasses.replace(made.planned.draft, pages=_pages(made, request))
    write_bundle(request.folder, bundle_files(draft))
    return _noted(made, request)


def _pages(made: MadePlan, request: PlanRequest) -> dict[str, str]:
    return {
        PLAN_JSON: plan_json(made.planned, made.facts, made.forecast, request.pins),
        PLAN_PAGE: plan_page(made.planned, made.facts, made.forecast, made.remarks),
    }


def _noted(made: MadePlan, request: PlanRequest) -> list[str]:
    path = request.folder / "configs" / f"{made.planned.draft.manifest.name}.json"
    noted = {"dataset_dir": str(made.dataset)}
    try:
        remember(path, noted)
    except MachineError as error:
        return [f"{error}; give dataset_dir={made.dataset} to each command"]
    return []
