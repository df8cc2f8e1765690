"""Update of a plan: the same question asked again, with new cases, another budget or other pins.

Folds stay: a patient who was held out once is held out for ever, and new ones go where fewest are.
A config that was edited by hand is not replaced without being told to.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medseg._files import write_atomically
from medseg.data.datasets.channel_files import read_channel_options
from medseg.data.datasets.collect import DatasetInfo
from medseg.data.datasets.collected import DatasetFiles
from medseg.data.datasets.folds import shuffled_patients
from medseg.data.datasets.split import told_owners
from medseg.data.known_folders import recall
from medseg.data.manifest import Case, Manifest, load_manifest
from medseg.errors import UsageError
from medseg.planning.plan_file import read_plan
from medseg.planning.request import PlanRequest

__all__ = [
    "Earlier",
    "digests",
    "edited_files",
    "info_of",
    "kept_folds",
    "noted_files",
    "read_earlier",
    "replace_files",
    "same_question",
    "told_again",
]

_REPLACED = ("configs/", "docs/plan.", "eval/look_at")


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An earlier plan: its file, its manifest, and what was noted of where its data lie."""

    plan: Mapping[str, Any]
    manifest: Manifest
    noted: Mapping[str, Any]


def read_earlier(folder: Path) -> Earlier:
    """The plan of a bundle.

    Raises:
        UsageError: If there is none.
    """
    plan = read_plan(folder)
    if not plan:
        raise UsageError(
            f"{folder}: has no docs/plan.json, so there is nothing to update; plan a new bundle"
        )
    path = folder / "configs" / f"{plan.get('manifest')}.json"
    return Earlier(plan=plan, manifest=load_manifest(path), noted=recall(path))


def info_of(manifest: Manifest) -> DatasetInfo:
    """What a user said of a data set, from its manifest."""
    return DatasetInfo(
        name=manifest.name,
        modality=manifest.modality,
        label_names=tuple(manifest.class_names),
        label_kind=manifest.label_kind,
        rois=manifest.rois,
        description=manifest.description,
        source=manifest.source,
        licence=manifest.licence,
        citation=manifest.citation,
    )


def told_again(request: PlanRequest, earlier: Earlier) -> PlanRequest:
    """The request with what the user said before, where he says nothing now.

    Raises:
        UsageError: If nobody knows where the images are.
    """
    asked, noted = earlier.plan.get("asked", {}), earlier.noted
    pins = {**_pins(earlier.plan), **request.pins}
    request = dataclasses.replace(
        request,
        pins=pins,
        minutes=request.minutes or asked.get("minutes"),
        memory_gb=request.memory_gb or asked.get("memory_gb"),
    )
    if request.files is not None or request.manifest is not None:
        return request
    if not any(noted.get(key) for key in ("files", "manifest")):
        raise UsageError(
            f"{request.folder}: where its images are is not known here; name them again, as for "
            "a new plan"
        )
    return dataclasses.replace(
        request,
        files=_files_again(noted["files"]) if noted.get("files") else None,
        split=told_owners(request.split, noted),
        manifest=Path(noted["manifest"]) if noted.get("manifest") else None,
        dataset_dir=Path(noted["dataset_dir"]) if noted.get("manifest") else None,
    )


def noted_files(files: DatasetFiles) -> dict[str, Any]:
    """How a user's files are named, wherever a later command is started."""
    channels = read_channel_options(files.channels)
    return {
        "folder": _absolute(files.folder),
        "images": _absolute(files.images),
        "channels": [f"{name}={_absolute(pattern)}" for name, pattern in channels.items()],
        "labels": _absolute(files.labels),
    }


def _absolute(path: str | Path | None) -> str | None:
    return None if path is None else str(Path.cwd() / Path(path).expanduser())


def _files_again(noted: Mapping[str, Any]) -> DatasetFiles:
    folder = noted.get("folder")
    return DatasetFiles(
        folder=None if folder is None else Path(folder),
        images=noted.get("images"),
        channels=tuple(noted.get("channels", ())),
        labels=noted.get("labels"),
    )


def kept_folds(manifest: Manifest, earlier: Manifest) -> Manifest:
    """The manifest with patients where they were; new ones in the folds that have fewest.

    A single patient, who was in no fold, is dealt anew with the others.
    """
    home = {case.patient: case.fold for case in earlier.training if case.fold is not None}
    tested = {case.patient for case in earlier.test}
    if not home:
        return manifest
    counts = Counter(home.values())
    fresh = {case.patient for case in manifest.cases} - home.keys() - tested
    for patient in shuffled_patients(fresh):
        home[patient] = min(counts, key=lambda fold: (counts[fold], fold))
        counts[home[patient]] += 1
    cases = [_placed(case, home) for case in manifest.cases if case.patient not in tested]
    test = [
        case.model_copy(update={"fold": None}) for case in manifest.cases if case.patient in tested
    ]
    return manifest.model_copy(update={"training": tuple(cases), "test": tuple(test)})


def _placed(case: Case, home: Mapping[str, int]) -> Case:
    return case.model_copy(update={"fold": home[case.patient]})


def same_question(earlier: Earlier, request: PlanRequest, manifest: Manifest) -> bool:
    """Whether cases, pins and budget are those of the earlier plan, so that its answer stands."""
    asked = earlier.plan.get("asked", {})
    budget = {"minutes": request.minutes, "memory_gb": request.memory_gb}
    return (
        manifest == earlier.manifest
        and request.pins == _pins(earlier.plan)
        and budget == {key: asked.get(key) for key in budget}
    )


def _pins(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {pin["key"]: pin["value"] for pin in plan.get("pins", [])}


def edited_files(folder: Path, plan: Mapping[str, Any]) -> list[str]:
    """Files of a bundle that were changed since the plan wrote them."""
    written = plan.get("written", {})
    return [
        path
        for path, digest in sorted(written.items())
        if (folder / path).is_file()
        and _digest((folder / path).read_text(encoding="utf-8")) != digest
    ]


def digests(files: Mapping[str, str]) -> dict[str, str]:
    """Digests of the configs that a plan writes, to see later whether they were edited."""
    return {path: _digest(text) for path, text in files.items() if path.endswith(".yaml")}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def replace_files(folder: Path, files: Mapping[str, str]) -> None:
    """Replace what a plan decides: configs, manifest and pages; card, licence and weights stay."""
    for path, text in files.items():
        if path == "configs/metadata.json":
            text = _metadata(folder / path, text)
        elif not path.startswith(_REPLACED) or path == "configs/logging.conf":
            continue
        write_atomically(
            folder / path, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8")
        )


def _metadata(path: Path, fresh: str) -> str:
    """The user's metadata with the network's new inputs and outputs."""
    try:
        own: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return fresh
    own["network_data_format"] = json.loads(fresh)["network_data_format"]
    return json.dumps(own, indent=4, ensure_ascii=False) + "\n"
