"""Data manifests: which cases a data set has, where they come from, how they are split.

A manifest is a JSON file that MONAI reads as a Decathlon datalist, plus what a reader
must know before using the data: source, licence, citation, label names, folds. Unknown
keys are refused, and no patient may be in two folds or in both training and test.

Reference:
    Antonelli et al., The Medical Segmentation Decathlon, Nat. Commun. 2022.
    https://doi.org/10.1038/s41467-022-30695-9
"""

import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from medseg.errors import DataError, ManifestError

__all__ = [
    "Case",
    "Channel",
    "Label",
    "Manifest",
    "Split",
    "datalist",
    "load_manifest",
    "save_manifest",
]

Split = Literal["training", "validation", "test"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Channel(_Strict):
    """One image channel.

    Attributes:
        name: What was measured, e.g. `CT` or `T1`.
        unit: Unit of the stored values, e.g. `HU`.
        window: Stored values that a windowing recipe maps to 0 and 1; none where the
            scale differs from image to image, as in most MRI.
    """

    name: str
    unit: str
    window: tuple[float, float] | None = None

    @field_validator("window")
    @classmethod
    def _rising(cls, window: tuple[float, float] | None) -> tuple[float, float] | None:
        if window is not None and not window[0] < window[1]:
            raise ValueError(f"window must rise, got {window}")
        return window


class Label(_Strict):
    """One label value and what it stands for; `snomed` where a concept exists."""

    value: Annotated[int, Field(ge=0, le=65535)]
    name: str
    snomed: str | None = None


class Case(_Strict):
    """One image, with its reference where there is one.

    Attributes:
        case: Identifier, unique in the manifest; names the outputs.
        patient: Whose image it is; all cases of a patient share a fold.
        image: Path below the data set's folder, with `/`.
        label: Likewise, or none where there is no reference.
        fold: Which fold of the training cases it belongs to; none for test cases.
        sha256: Digest of the files, under the keys `image` and `label`.
    """

    case: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    patient: str
    image: str
    label: str | None = None
    fold: Annotated[int, Field(ge=0)] | None = None
    sha256: dict[Literal["image", "label"], Sha256] = {}

    @field_validator("image", "label")
    @classmethod
    def _below_the_folder(cls, path: str | None) -> str | None:
        if path is not None and (PurePosixPath(path).is_absolute() or ".." in path.split("/")):
            raise ValueError(f"must be a path below the data set's folder, got {path!r}")
        return path


class Manifest(_Strict):
    """One data set; see the module for the rules."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    description: str
    source: str
    licence: str
    citation: str
    modality: Literal["CT", "MR", "PT", "US", "microscopy", "histology"]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    labels: Annotated[tuple[Label, ...], Field(min_length=2)]
    training: tuple[Case, ...] = ()
    test: tuple[Case, ...] = ()

    @property
    def class_names(self) -> list[str]:
        """Names in the order of the network's channels, background first."""
        return [label.name for label in self.labels]

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases, training first."""
        return self.training + self.test

    @model_validator(mode="after")
    def _labels_count_up_from_background(self) -> Self:
        values = [label.value for label in self.labels]
        if values != list(range(len(values))):
            raise ValueError(f"labels must count up from 0 (background), got {values}")
        return self

    @model_validator(mode="after")
    def _cases_are_unique(self) -> Self:
        seen: set[str] = set()
        for case in self.cases:
            if case.case in seen:
                raise ValueError(f"case {case.case!r} is listed twice; give each a name of its own")
            seen.add(case.case)
        return self

    @model_validator(mode="after")
    def _no_patient_in_two_places(self) -> Self:
        home: dict[str, str] = {}
        for case in self.cases:
            place = f"fold {case.fold}" if case in self.training else "test"
            first = home.setdefault(case.patient, place)
            if first != place:
                raise ValueError(
                    f"patient {case.patient!r} is in {first} and in {place}; "
                    "put all images of a patient in one place"
                )
        return self


def load_manifest(path: str | Path) -> Manifest:
    """Read a manifest and hold it to its rules.

    Raises:
        ManifestError: If the file is missing, is no JSON or breaks a rule; one line.
    """
    path = Path(path)
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ManifestError(f"{path}: cannot read the manifest ({error.strerror})") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {_first_problem(error)}") from error


def save_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write a manifest as indented JSON, without the keys that hold nothing."""
    content = manifest.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    Path(path).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def datalist(
    manifest: Manifest, dataset_dir: str | Path, *, split: Split, fold: int = 0
) -> list[dict[str, str]]:
    """The cases of one split, as MONAI's data sets want them.

    Args:
        manifest: The data set.
        dataset_dir: Where its files are.
        split: `validation` is the given fold, `training` are all the others.
        fold: Which fold is held out.

    Returns:
        A dictionary a case with `case`, `image` and, where there is one, `label`;
        paths are absolute.

    Raises:
        DataError: If the folder or a file is missing, or the split is empty.
    """
    folder = Path(dataset_dir).resolve()
    if not folder.is_dir():
        raise DataError(
            f"{dataset_dir}: no such folder; set dataset_dir to where {manifest.name} is"
        )
    cases = _split(manifest, split, fold)
    if not cases:
        folds = sorted({case.fold for case in manifest.training if case.fold is not None})
        raise DataError(
            f"{manifest.name}: the {split} split of fold {fold} has no cases; folds are {folds}"
        )
    entries = [_entry(case, folder) for case in cases]
    missing = [path for entry in entries for key, path in entry.items() if _is_absent(key, path)]
    if missing:
        raise DataError(
            f"{missing[0]}: not there, and {len(missing) - 1} other files of {manifest.name}; "
            "is dataset_dir right?"
        )
    return entries


def _split(manifest: Manifest, split: Split, fold: int) -> list[Case]:
    if split == "test":
        return list(manifest.test)
    held_out = split == "validation"
    return [case for case in manifest.training if (case.fold == fold) == held_out]


def _entry(case: Case, folder: Path) -> dict[str, str]:
    entry = {"case": case.case, "image": str(folder / case.image)}
    if case.label is not None:
        entry["label"] = str(folder / case.label)
    return entry


def _is_absent(key: str, path: str) -> bool:
    return key != "case" and not Path(path).exists()


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    what = problem["msg"].removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{where + ': ' if where else ''}{what}{more}"
