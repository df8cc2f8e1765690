"""Pairing of predictions with references by file name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from medseg._text import printable, safe_name
from medseg.data.datalists import case_label
from medseg.data.datasets.pairs import PAIRING_RULE, Side, label_files, pair_files, without_words
from medseg.data.images.naming import (
    format_words,
    image_stem,
    images_among,
    is_volume,
    label_suffix,
    path_stem,
)
from medseg.data.label_source import LabelSource, label_source
from medseg.data.manifest import Case, Manifest
from medseg.data.output_names import LABEL
from medseg.data.patterns import expand, name_key, natural_key
from medseg.errors import DataError

__all__ = [
    "PAIRING",
    "EvaluationCase",
    "EvaluationSplit",
    "pairs_by_manifest",
    "pairs_by_name",
    "split_cases",
    "with_names",
]

_DICOM = ".dcm"

EvaluationSplit = Literal["validation", "test", "training", "all"]

PAIRING = (
    "With --manifest, the prediction of a case is the file CASE_seg.nii.gz or CASE.nii.gz, or "
    "a picture, where CASE is the case's identifier, the name of its image, or the UID of its "
    "DICOM series. With --labels: "
    f"{PAIRING_RULE}"
)


@dataclass(frozen=True)
class EvaluationCase:
    """One case: its reference, its prediction or what that should have been called, its group."""

    case: str
    reference: LabelSource | Path
    prediction: LabelSource | Path | None
    expected: str
    group: str | None = None


def pairs_by_manifest(
    manifest: Manifest,
    dataset_dir: Path,
    predictions: Path,
    *,
    split: EvaluationSplit,
    fold: int,
) -> list[EvaluationCase]:
    """The cases of a split that have a reference, each with its prediction.

    Raises:
        DataError: If a folder is missing or empty, or the split has no reference.
    """
    if not dataset_dir.is_dir():
        raise DataError(f"{dataset_dir}: no such folder; use the one that holds {manifest.name}")
    files = _by_stem(_files(predictions))
    images = Counter(name for case in manifest.cases for name in _image_names(case))
    pairs: list[EvaluationCase] = []
    for case in split_cases(manifest, split, fold):
        if case.label is not None:
            # An image's name tells the case only if no other image is called the same.
            names = [case.case, *(name for name in _image_names(case) if images[name] == 1)]
            # A prediction has the image's name as far as every system allows it.
            ways = [way for name in names for way in dict.fromkeys((name, safe_name(name)))]
            wanted = _there(ways, files) or _there(_series(dataset_dir / case.images[0]), files)
            shown = (
                image_stem(case.images[0]) if images[image_stem(case.images[0])] == 1 else case.case
            )
            expected = f"{shown}{LABEL}{label_suffix(case.images[0])}"
            prediction = _prediction(files, wanted, manifest)
            reference = case_label(case, dataset_dir, manifest) or dataset_dir / case.label
            named = printable(case.case)
            pairs.append(EvaluationCase(named, reference, prediction, expected, case.group))
    if not pairs:
        where = (
            f"the {split} split of fold {fold}" if split in ("validation", "training") else split
        )
        raise DataError(
            f"{manifest.name}: no case with a label in {where}; choose another --split or --fold"
        )
    return pairs


def _image_names(case: Case) -> list[str]:
    """Names that `medseg predict` may give a case: its image's, with more and more folders."""
    depth = len(PurePosixPath(case.images[0]).parts)
    return [path_stem(case.images[0], folders) for folders in range(depth)]


def _there(names: Sequence[str], files: Mapping[str, Sequence[Path]]) -> list[str]:
    """Stems of the files that are predictions by these names."""
    return [n for name in names for n in (f"{name}{LABEL}", name) if name_key(n) in files]


def _series(image: Path) -> list[str]:
    """What `medseg predict` calls a DICOM series of a folder: its UID; empty if not one alone."""
    if not image.is_dir():
        return []
    # Imported here: pydicom is slow, and --help does not need it.
    from medseg.data.dicom.find import find_dicom_series

    try:
        found = [series.uid for series in find_dicom_series(image) if series.kind == "volume"]
    except DataError:
        return []
    return found if len(found) == 1 else []


def pairs_by_name(labels: Path, predictions: Path) -> list[EvaluationCase]:
    """Every reference of a folder with its prediction, by name; see `PAIRING`.

    Raises:
        DataError: If a folder is missing or empty, or two files are the same case.
    """
    remedy = "keep one of them in the folder"
    references = Side(label_files(_files(labels)), "references", remedy)
    found = pair_files(
        references, Side(_files(predictions), "predictions", remedy), without_partner="keep"
    )
    plain = Counter(without_words(pair.case) for pair in found)
    cases: list[EvaluationCase] = []
    for pair in found:
        short = without_words(pair.case)
        case = short if plain[short] == 1 else pair.case
        expected = f"{case}{LABEL}{label_suffix(pair.path)}"
        cases.append(EvaluationCase(printable(case), pair.path, pair.partner, expected))
    return sorted(cases, key=lambda one: natural_key(one.case))


def with_names(
    pairs: Sequence[EvaluationCase],
    class_names: Sequence[str],
    rois: Mapping[str, str],
    images: Mapping[str, Path],
) -> list[EvaluationCase]:
    """Pairs whose labels in DICOM know their classes and, where it is given, their image.

    Args:
        pairs: Of two folders.
        class_names: One for each value; empty takes a SEG's numbers.
        rois: By pattern of names, the class.
        images: Image of each case, as far as it is known.
    """
    # A prediction may have the classes' own names, whatever the references are called.
    named = {name: name for name in class_names[1:]} if rois else {}
    return [
        replace(
            pair,
            reference=label_source(
                Path(str(pair.reference)), images.get(pair.case), class_names, rois
            ),
            prediction=None
            if pair.prediction is None
            else label_source(Path(str(pair.prediction)), None, class_names, {**rois, **named}),
        )
        for pair in pairs
    ]


def _files(folder: Path) -> list[Path]:
    """The label files of a folder, or those that a pattern matches."""
    found = expand(folder)
    if len(found) == 1 and found[0].is_dir():
        found = sorted(found[0].iterdir(), key=lambda path: natural_key(path.name))
    elif not found or found == [folder]:
        raise DataError(f"{folder}: no such folder; give one that holds label files")
    # Imported here: pydicom and highdicom are slow, and --help needs neither.
    from medseg.data.images.clinic_label import clinic_labels_among

    files = images_among(found)
    if not any(map(is_volume, files)):
        # A SEG beside a volume of the same name is the same label once more.
        files = clinic_labels_among(found) or files
    else:
        stems = {image_stem(path) for path in files}
        files += [path for path in clinic_labels_among(found) if _stem(path) not in stems]
    if not files:
        what = f"no {format_words('volume', 'DICOM SEG')} file in it, and no picture"
        raise DataError(f"{folder}: {what}; give the folder that holds them")
    return files


def split_cases(manifest: Manifest, split: EvaluationSplit, fold: int) -> Sequence[Case]:
    """The cases of a split; of a fold's validation and training, those held out and the others."""
    if split == "all":
        return manifest.cases
    if split == "test":
        return manifest.test
    return [case for case in manifest.training if (case.fold == fold) == (split == "validation")]


def _by_stem(paths: Sequence[Path]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    for path in paths:
        files.setdefault(name_key(_stem(path)), []).append(path)
    return files


def _stem(path: Path) -> str:
    """The name without suffix, `.dcm` included."""
    stem = image_stem(path)
    return stem[: -len(_DICOM)] if stem.lower().endswith(_DICOM) else stem


def _prediction(
    files: dict[str, list[Path]], wanted: Sequence[str], manifest: Manifest
) -> LabelSource | Path | None:
    if not wanted:
        return None
    # medseg's own SEG has the classes' names; those of others may be the references'.
    named = {name: name for name in manifest.class_names[1:]} if manifest.rois else {}
    path = _only(files[name_key(wanted[0])])
    return label_source(path, None, manifest.class_names, {**manifest.rois, **named})


def _only(paths: Sequence[Path]) -> Path:
    if len(paths) > 1:
        raise DataError(
            f"{paths[0]}: {paths[1].name} is of the same case; keep one of them in the folder"
        )
    return paths[0]
