"""Making of a plan: cases are read, rules applied, real steps measured, a bundle written."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medseg._checks import first_few
from medseg.bundles.writing.write import bundle_files, bundle_name, write_bundle
from medseg.data.cases.free_memory import available_bytes
from medseg.data.datasets.collected import collect_files
from medseg.data.datasets.split import owner_words
from medseg.data.known_folders import remember
from medseg.data.manifest import Manifest, load_manifest
from medseg.errors import MachineError, UsageError
from medseg.planning.assemble import Planned, assemble
from medseg.planning.fingerprint.cohort import Cohort, read_cohort
from medseg.planning.fingerprint.set_facts import SetFacts, summarise_set
from medseg.planning.forecast.measure import Forecast
from medseg.planning.forecast.search import Budget, first_size, fit
from medseg.planning.plan_file import (
    LOOK_AT,
    PLAN_JSON,
    PLAN_PAGE,
    changed_values,
    plan_json,
    plan_page,
)
from medseg.planning.remarks import remarks_of, require_plannable
from medseg.planning.request import PlanRequest
from medseg.planning.rules.training import divided
from medseg.planning.update import (
    digests,
    edited_files,
    info_of,
    kept_folds,
    noted_files,
    read_earlier,
    replace_files,
    same_question,
    told_again,
)

__all__ = ["Listener", "MadePlan", "make_plan", "remake_plan", "save_plan"]

MINUTES = 60.0

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
        request: What was asked, with what was said before.
        changes: What an earlier plan said otherwise, a line each; None without an earlier one.
    """

    planned: Planned
    facts: SetFacts
    forecast: Forecast | None
    remarks: tuple[str, ...]
    dataset: Path
    read: int
    request: PlanRequest
    changes: tuple[str, ...] | None = None


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
    return _made(name, manifest, dataset, request, listener)


def remake_plan(request: PlanRequest, listener: Listener) -> MadePlan | None:
    """Plan an existing bundle anew.

    Args:
        request: The user's; what it leaves open is as before.
        listener: Told what is done.

    Returns:
        None if nothing has changed: neither cases nor pins nor budget.

    Raises:
        UsageError: If the folder has no plan, or nobody knows where its images are.
    """
    name = bundle_name(request.folder)
    earlier = read_earlier(request.folder)
    info = request.info or info_of(earlier.manifest)
    request = dataclasses.replace(told_again(request, earlier), info=info)
    manifest, dataset = _data(request, name)
    manifest = kept_folds(manifest, earlier.manifest)
    if same_question(earlier, request, manifest):
        return None
    made = _made(name, manifest, dataset, request, listener)
    return dataclasses.replace(
        made, changes=tuple(changed_values(earlier.plan, made.planned)), request=request
    )


def _made(
    name: str, manifest: Manifest, dataset: Path, request: PlanRequest, listener: Listener
) -> MadePlan:
    cohort = read_cohort(manifest, dataset, listener.reading)
    require_plannable(manifest, cohort)
    usable = _usable(manifest, cohort)
    # Of the cases that are trained on: what is set aside for testing must not choose a number.
    training = {case.case for case in usable.training}
    facts = summarise_set(usable, [case for case in cohort.facts if case.case in training])
    remarks = remarks_of(usable, cohort, facts)
    planned, known = _fitted(name, usable, facts, request, dataset, listener)
    return MadePlan(
        planned=planned,
        facts=facts,
        forecast=known,
        remarks=tuple(remarks),
        dataset=dataset,
        read=cohort.read,
        request=request,
    )


def _data(request: PlanRequest, name: str) -> tuple[Manifest, Path]:
    if request.manifest is not None:
        folder = request.dataset_dir or request.manifest.parent
        return load_manifest(request.manifest), folder.absolute()
    if request.files is None or request.info is None:
        raise UsageError(
            "give --images and --labels with --modality, --channel NAME=PATTERN for each channel "
            "and --labels, --dataset FOLDER, or --manifest with --dataset-dir"
        )
    info = request.info
    if info.name is None:
        info = dataclasses.replace(info, name=name)
    return collect_files(request.files, info, request.split)


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
    budget = Budget(minutes=request.minutes or MINUTES, memory_gb=memory, device=device)
    fitted = fit(name, manifest, facts, request.pins, dataset, budget, listener.tell)
    return fitted.planned, fitted.forecast


def _device(asked: str) -> str:
    if asked != "auto":
        return asked
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def save_plan(made: MadePlan, overwrite: Literal["refuse", "replace"] = "refuse") -> list[str]:
    """Write the bundle of a plan, or what it decides of an existing one; note where its data lie.

    Args:
        made: The plan.
        overwrite: Whether configs that were edited by hand since the earlier plan are replaced.

    Returns:
        Lines for the user, if something could not be noted.

    Raises:
        UsageError: If the folder holds something else, or configs were edited.
    """
    folder = made.request.folder
    plain = bundle_files(made.planned.draft)
    draft = dataclasses.replace(made.planned.draft, pages=_pages(made, digests(plain)))
    files = bundle_files(draft)
    if made.changes is None:
        write_bundle(folder, files)
        return _noted(made)
    edited = edited_files(folder, read_earlier(folder).plan)
    if edited and overwrite == "refuse":
        raise UsageError(
            f"{folder}: {first_few(edited, 3)} was edited since it was planned; use "
            "--overwrite to replace it, "
            "or --set to pin what you changed"
        )
    replace_files(folder, files)
    return _noted(made)


def _pages(made: MadePlan, written: dict[str, str]) -> dict[str, str]:
    asked = {"minutes": made.request.minutes, "memory_gb": made.request.memory_gb}
    # A key of a JSON file with # in it could be a config's, so that the bundle would ask for trust.
    pins = [{"key": key, "value": value} for key, value in made.request.pins.items()]
    more: dict[str, Any] = {"pins": pins, "asked": asked, "written": written}
    return {
        PLAN_JSON: plan_json(made.planned, made.facts, made.forecast, more),
        PLAN_PAGE: plan_page(made.planned, made.facts, made.forecast),
        LOOK_AT: "".join(f"{remark}\n" for remark in made.remarks),
    }


def _noted(made: MadePlan) -> list[str]:
    request = made.request
    path = request.folder / "configs" / f"{made.planned.draft.manifest.name}.json"
    noted: dict[str, Any] = {
        "dataset_dir": str(made.dataset),
        "bundle": str(request.folder.absolute()),
    }
    if request.manifest is not None:
        noted["manifest"] = str(request.manifest.absolute())
    elif request.files is not None:
        noted["files"] = noted_files(request.files)
        noted |= owner_words(request.split)
    try:
        remember(path, noted)
    except MachineError as error:
        return [f"{error}; give dataset_dir={made.dataset} to each command"]
    return []
