"""Datalist: the cases of one split of a manifest, as MONAI takes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from medseg._checks import require_choice, require_whole_number
from medseg.data.images.naming import is_raster
from medseg.data.label_source import LabelSource, label_source, parse_label_source
from medseg.data.manifest import Case, Manifest, Split
from medseg.errors import DataError

__all__ = ["case_label", "datalist", "image_paths"]


def datalist(
    manifest: Manifest,
    dataset_dir: str | Path,
    *,
    split: Split,
    fold: int = 0,
    most: int | None = None,
    drawn_by: int | None = None,
) -> list[dict[str, Any]]:
    """The cases of one split as a MONAI datalist.

    Args:
        manifest: The data set.
        dataset_dir: Folder of its files.
        split: `validation` is the given fold, `training` all other folds.
        fold: The fold held out.
        most: Largest number of cases, evenly spaced over the list or drawn; None takes all.
        drawn_by: Seed that draws them; a larger number with the same seed has the same cases and
            further ones. None spaces them evenly.

    Returns:
        One dictionary per case with `case`, `image` and, if present, `label` and `group`; paths
        are absolute. Of several channels `image` is a list of one path each; a volume that holds
        them all is listed as often.

    Raises:
        DataError: If the folder or a file is missing, or the split is empty.
        UsageError: If there is no such split.
    """
    require_choice("split", split, get_args(Split))
    folder = Path(dataset_dir).resolve()
    if not folder.is_dir():
        raise DataError(
            f"{dataset_dir}: no such folder; set dataset_dir to where {manifest.name} is"
        )
    cases = _split(manifest, split, fold)
    if not cases:
        raise DataError(f"{manifest.name}: {_why_empty(manifest, split, fold)}")
    if most is not None:
        cases = _fewer(cases, require_whole_number("most", most, at_least=1), drawn_by)
    entries = [_entry(case, folder, manifest) for case in cases]
    _require_channels(cases, entries, manifest)
    missing = [path for entry in entries for path in _paths(entry) if _is_absent(path)]
    if missing:
        others = f", one of {len(missing)} missing files" if len(missing) > 1 else ""
        raise DataError(
            f"{missing[0]}: not there{others}; set dataset_dir to where {manifest.name} is"
            f"{_how_to_describe(folder, manifest)}"
        )
    return entries


def image_paths(case: Case, folder: Path, channels: int) -> list[Path]:
    """Paths of a case's image as readers take them: one, or one for each channel.

    Args:
        case: The case.
        folder: Folder of the data set.
        channels: Of the manifest. A volume that holds them all is listed as often.
    """
    paths = [folder / path for path in case.images]
    # A picture holds its colours; of a volume, the reader has to know how many it holds.
    if len(paths) == 1 < channels and not is_raster(paths[0]):
        paths *= channels
    return paths


def case_label(case: Case, folder: Path, manifest: Manifest) -> LabelSource | Path | None:
    """Where a case's label is, and for DICOM what is needed to read it; None without a label.

    Args:
        case: Of the manifest.
        folder: Of the data set's files.
        manifest: The data set, which says what the names in a SEG or RTSTRUCT are.
    """
    if case.label is None:
        return None
    image = folder / case.images[0]
    return label_source(folder / case.label, image, manifest.class_names, manifest.rois)


def _how_to_describe(folder: Path, manifest: Manifest) -> str:
    """How a user's own images get a manifest, for a folder without one."""
    if (folder / "manifest.json").is_file():
        return ""
    return (
        f", or describe your own images: medseg data manifest --images '{folder}/images/*' "
        f"--labels '{folder}/labels/*' --modality {manifest.modality} --out {folder}/manifest.json"
    )


def _split(manifest: Manifest, split: Split, fold: int) -> list[Case]:
    if split == "test":
        return list(manifest.test)
    held_out = split == "validation"
    return [case for case in manifest.training if (case.fold == fold) == held_out]


def _fewer(cases: list[Case], most: int, drawn_by: int | None) -> list[Case]:
    if drawn_by is None:
        return cases[:: max(1, len(cases) // most)][:most]
    order = np.random.default_rng(drawn_by).permutation(len(cases))
    return [cases[place] for place in sorted(order[:most])]


def _why_empty(manifest: Manifest, split: Split, fold: int) -> str:
    if split == "test":
        return "has no test cases; list some under test, or use the validation split"
    if not manifest.cases:
        return (
            "lists no cases, as in a packed bundle; write a manifest.json of your data set "
            "(medseg data manifest)"
        )
    folds = sorted({case.fold for case in manifest.training if case.fold is not None})
    return f"the {split} split of fold {fold} has no cases; folds are {folds}"


def _entry(case: Case, folder: Path, manifest: Manifest) -> dict[str, Any]:
    images = [str(path) for path in image_paths(case, folder, len(manifest.channels))]
    entry: dict[str, Any] = {"case": case.case, "image": images if len(images) > 1 else images[0]}
    if case.label is not None:
        label = case_label(case, folder, manifest)
        entry["label"] = label.text if isinstance(label, LabelSource) else str(label)
    if case.group is not None:
        entry["group"] = case.group
    return entry


def _paths(entry: Mapping[str, Any]) -> list[str]:
    image, label = entry["image"], entry.get("label")
    images: list[str] = [image] if isinstance(image, str) else list(image)
    return [*images, *([label] if isinstance(label, str) else [])]


def _require_channels(
    cases: Sequence[Case], entries: Sequence[Mapping[str, Any]], manifest: Manifest
) -> None:
    """Name the case and the channel of a file that is missing while others of the case are there.

    Raises:
        DataError: For the first one.
    """
    for case, entry in zip(cases, entries, strict=True):
        absent = [_is_absent(str(path)) for path in _paths(entry)[: len(case.images)]]
        if len(case.images) > 1 and any(absent) and not all(absent):
            number = absent.index(True)
            name, path = manifest.channels[number].name, case.images[number]
            raise DataError(
                f"case {case.case}: its channel {name} is missing, {path} is not there; fetch it, "
                "or leave the case out of the manifest"
            )


def _is_absent(path: str) -> bool:
    try:
        source = parse_label_source(path)
        return not (Path(path) if source is None else source.path).exists()
    except OSError:  # of a longer name than files can have
        return True
