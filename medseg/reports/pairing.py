"""Pairing of predictions with references by file name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.data.images.itk_file import ITK_SUFFIXES
from medseg.data.images.naming import image_stem, is_nifti, label_suffix, nifti_or_pictures
from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError

__all__ = ["PAIRING", "EvaluationSplit", "Pair", "pairs_by_manifest", "pairs_by_name"]

EvaluationSplit = Literal["validation", "test", "training", "all"]

_LABEL_ENDINGS = ("_seg", "_pred", "_labels", "_label", "_mask", "_gt")
_IMAGE_ENDINGS = ("_ct", "_mr", "_image", "_0000")
_ENDINGS = _LABEL_ENDINGS + _IMAGE_ENDINGS

PAIRING = (
    "With --manifest, the prediction of a case is the file CASE_seg.nii.gz or CASE.nii.gz, or "
    "a picture, where CASE is the case's identifier or the name of its image. With --labels, two "
    "files are one case if their names are equal once these endings are off: "
    f"{', '.join(_ENDINGS)}; if any name in the labels' folder ends like a label, the others "
    "there are taken for images."
)


@dataclass(frozen=True)
class Pair:
    """One case: its reference, its prediction or what that should have been called, its group."""

    case: str
    reference: Path
    prediction: Path | None
    expected: str
    group: str | None = None


def pairs_by_manifest(
    manifest: Manifest,
    dataset_dir: Path,
    predictions: Path,
    *,
    split: EvaluationSplit,
    fold: int,
) -> list[Pair]:
    """The cases of a split that have a reference, each with its prediction.

    Raises:
        DataError: If a folder is missing or empty, or the split has no reference.
    """
    if not dataset_dir.is_dir():
        raise DataError(f"{dataset_dir}: no such folder; give the one that holds {manifest.name}")
    files = _by_stem(_files(predictions))
    images = Counter(image_stem(case.image) for case in manifest.cases)
    pairs: list[Pair] = []
    for case in _cases(manifest, split, fold):
        if case.label is not None:
            # The image's name tells the case only if no other image is called the same.
            image = image_stem(case.image)
            names = [case.case, image] if images[image] == 1 else [case.case]
            wanted = [n for name in names for n in (f"{name}_seg", name) if n in files]
            expected = f"{names[-1]}_seg{label_suffix(case.image)}"
            prediction = _only(files[wanted[0]]) if wanted else None
            reference = dataset_dir / case.label
            pairs.append(Pair(case.case, reference, prediction, expected, case.group))
    if not pairs:
        where = (
            f"the {split} split of fold {fold}" if split in ("validation", "training") else split
        )
        raise DataError(
            f"{manifest.name}: no case with a label in {where}; choose another --split or --fold"
        )
    return pairs


def pairs_by_name(labels: Path, predictions: Path) -> list[Pair]:
    """Every reference of a folder with its prediction, by name; see `PAIRING`.

    Raises:
        DataError: If a folder is missing or empty, or two files are the same case.
    """
    references = _files(labels)
    like_labels = [path for path in references if image_stem(path).endswith(_LABEL_ENDINGS)]
    by_case = _unique(like_labels or references)
    found = _unique(_files(predictions))
    return [
        Pair(case, reference, found.get(case), f"{case}_seg{label_suffix(reference)}")
        for case, reference in sorted(by_case.items())
    ]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one that holds label files")
    files = _volumes_or_pictures(sorted(folder.iterdir()))
    if not files:
        what = "no .nii or .nii.gz file in it, nor .nrrd, .mha or a picture"
        raise DataError(f"{folder}: {what}; give the folder that holds them")
    return files


def _volumes_or_pictures(files: Sequence[Path]) -> list[Path]:
    """NIfTI, NRRD and MetaImage files; where there are none, pictures."""
    itk = [p for p in files if p.name.lower().endswith(ITK_SUFFIXES) and p.name[0] != "."]
    volumes = [p for p in files if is_nifti(p) or p in itk]
    return volumes or nifti_or_pictures(files)


def _cases(manifest: Manifest, split: EvaluationSplit, fold: int) -> Sequence[Case]:
    if split == "all":
        return manifest.cases
    if split == "test":
        return manifest.test
    return [case for case in manifest.training if (case.fold == fold) == (split == "validation")]


def _by_stem(paths: Sequence[Path]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for path in paths:
        files.setdefault(image_stem(path), []).append(path)
    return files


def _only(paths: Sequence[Path]) -> Path:
    if len(paths) > 1:
        raise DataError(
            f"{paths[0]}: {paths[1].name} is of the same case; keep one of them in the folder"
        )
    return paths[0]


def _unique(paths: Sequence[Path]) -> dict[str, Path]:
    cases: dict[str, Path] = {}
    for path in paths:
        case = _case(image_stem(path))
        if case in cases:
            raise DataError(
                f"{path}: is case {case!r}, and so is {cases[case].name}; "
                "keep one of them in the folder"
            )
        cases[case] = path
    return cases


def _case(stem: str) -> str:
    for ending in _ENDINGS:
        if stem.endswith(ending) and stem != ending:
            return _case(stem.removesuffix(ending))
    return stem
