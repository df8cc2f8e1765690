"""Datalist: the cases of one split of a manifest, as MONAI takes them."""

from pathlib import Path
from typing import get_args

import numpy as np

from medseg._checks import require_choice, require_whole_number
from medseg.data.label_source import LabelSource, label_source, parse_label_source
from medseg.data.manifest import Case, Manifest, Split
from medseg.errors import DataError

__all__ = ["case_label", "datalist"]


def datalist(
    manifest: Manifest,
    dataset_dir: str | Path,
    *,
    split: Split,
    fold: int = 0,
    most: int | None = None,
    drawn_by: int | None = None,
) -> list[dict[str, str]]:
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
        are absolute.

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
    missing = [path for entry in entries for key, path in entry.items() if _is_absent(key, path)]
    if missing:
        others = f", one of {len(missing)} missing files" if len(missing) > 1 else ""
        raise DataError(
            f"{missing[0]}: not there{others}; set dataset_dir to where {manifest.name} is"
            f"{_how_to_describe(folder, manifest)}"
        )
    return entries


def case_label(case: Case, folder: Path, manifest: Manifest) -> LabelSource | Path | None:
    """Where a case's label is, and for DICOM what is needed to read it; None without a label.

    Args:
        case: Of the manifest.
        folder: Of the data set's files.
        manifest: The data set, which says what the names in a SEG or RTSTRUCT are.
    """
    if case.label is None:
        return None
    image = folder / case.image
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


def _entry(case: Case, folder: Path, manifest: Manifest) -> dict[str, str]:
    entry = {"case": case.case, "image": str(folder / case.image)}
    if case.label is not None:
        label = case_label(case, folder, manifest)
        entry["label"] = label.text if isinstance(label, LabelSource) else str(label)
    if case.group is not None:
        entry["group"] = case.group
    return entry


def _is_absent(key: str, path: str) -> bool:
    try:
        source = parse_label_source(path)
        file = Path(path) if source is None else source.path
        return key in ("image", "label") and not file.exists()
    except OSError:  # of a longer name than files can have
        return True
