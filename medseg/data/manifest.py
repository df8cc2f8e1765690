"""Data manifests: the cases of a data set, their source, labels and split.

A manifest is a JSON file that MONAI reads as a Decathlon datalist, plus what users of the data must
know: source, licence, citation, label names, folds. Unknown keys are refused, and no patient may be
in two folds or in both training and test.

Reference:
    Antonelli et al., The Medical Segmentation Decathlon, Nat. Commun. 2022.
    https://doi.org/10.1038/s41467-022-30695-9
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    field_validator,
    model_validator,
)

from medseg._files import write_atomically
from medseg._text import json_bytes
from medseg.data.case_files import Digest, Files, below_the_folder, digest_of, files_of, in_json
from medseg.data.channel import Channel, Modality, Strict
from medseg.data.label_kind import LabelKind
from medseg.data.patterns import name_key
from medseg.errors import ManifestError

__all__ = [
    "Case",
    "Category",
    "Channel",
    "Label",
    "Manifest",
    "Modality",
    "Origin",
    "Part",
    "Split",
    "first_problem",
    "load_manifest",
    "manifest_text",
    "save_manifest",
]

Split = Literal["training", "validation", "test"]
Origin = Literal["images", "phantoms"]
Category = Literal["anatomy", "tissue", "abnormality", "substance", "object"]
Text = Annotated[str, Field(min_length=1)]
# Keys of a case's files.
Part = Literal["image", "label"]

# How the source of phantoms begins, which names the function that makes them.
_PHANTOMS = "medseg.data.phantoms."
# pydantic's own messages for these do not say what to do.
WORDS = {
    "extra_forbidden": "unknown key; correct its spelling or remove it",
    "missing": "missing; add it",
}


class Label(Strict):
    """One label value and its name, with a SNOMED CT code if a concept exists.

    Attributes:
        value: The voxels' value.
        name: Name of the class.
        snomed: SNOMED CT identifier of the concept.
        meaning: What SNOMED CT calls the concept; needed if DICOM does not list it, as
            no one else can say it then.
        category: What kind of thing the class is, for concepts that DICOM does not list and
            classes without one.
        region: SNOMED CT identifier of the structure in which it lies, one that DICOM lists.
    """

    value: Annotated[int, Field(ge=0, le=65535)]
    name: Text
    snomed: str | None = None
    meaning: Annotated[str, Field(pattern=r"^[^\\\\\x00-\x1f]{1,64}$")] | None = None
    category: Category | None = None
    region: str | None = None


class Case(Strict):
    """One image, with its reference if there is one.

    Attributes:
        case: Identifier, unique in the manifest, of letters and digits of any script and `. _ -`;
            outputs are named after it.
        patient: Identifier of the patient; all cases of a patient share a fold.
        image: Path below the data set's folder, with `/`; or a path for each channel, in the order
            of the manifest's `channels`. The label has the grid of the first.
        label: Likewise, or None without a reference.
        fold: Fold of a training case; None for test cases.
        group: Group of the case, such as its tissue class, for scores by group and balanced
            sampling.
        sha256: Digest of the files, under the keys `image` and `label`; of several channels one
            each.
    """

    case: Annotated[str, Field(pattern=r"^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]*$")]
    patient: Text
    image: Annotated[Files, PlainValidator(files_of), PlainSerializer(in_json)]
    label: Text | None = None
    fold: Annotated[int, Field(ge=0)] | None = None
    group: Text | None = None
    sha256: Mapping[
        Part, Annotated[Digest, PlainValidator(digest_of), PlainSerializer(in_json)]
    ] = Field(default={})

    @property
    def images(self) -> tuple[str, ...]:
        """Path of each file of the image, the first channel's first."""
        return (self.image,) if isinstance(self.image, str) else self.image

    @field_validator("label")
    @classmethod
    def _below_the_folder(cls, path: str | None) -> str | None:
        return path if path is None else below_the_folder(path)


class Manifest(Strict):
    """Manifest of one data set; see the module for the rules.

    `label_kind` is the kind of the label files, if they do not hold the values of `labels`:
    numbered `instances`, or a grey `mask`. See `medseg.data.label_kind`. `origin` tells images of
    patients or specimens from `phantoms`, which were made by formula; weights carry it on.
    `rois` says, for labels that are DICOM SEG or RTSTRUCT, which class the names in them are: a
    pattern of names and the class; where they overlap, what is listed later covers what is before.
    `body_part` is DICOM's term for what the images show (PS3.16, annex L), e.g. `CHEST`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    description: str
    source: str
    licence: str
    citation: str
    modality: Modality
    body_part: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_ ]{0,15}$")] | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    labels: Annotated[tuple[Label, ...], Field(min_length=2)]
    label_kind: LabelKind = "classes"
    rois: dict[Text, Text] = Field(default={})
    origin: Origin = "images"
    training: tuple[Case, ...] = ()
    test: tuple[Case, ...] = ()

    @property
    def made_of(self) -> Origin:
        """The origin; also of phantoms whose manifest was written before there was that key."""
        return "phantoms" if self.source.startswith(_PHANTOMS) else self.origin

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
        doubled = next((name for name, n in Counter(self.class_names).items() if n > 1), None)
        if doubled is not None:
            raise ValueError(f"two labels are named {doubled!r}; give each a name of its own")
        return self

    @model_validator(mode="after")
    def _objects_and_masks_are_one_class(self) -> Self:
        if self.label_kind != "classes" and len(self.labels) != 2:
            raise ValueError(
                f"label_kind {self.label_kind} has background and one class, got "
                f"{len(self.labels)} labels; name two, or set label_kind to classes"
            )
        return self

    @model_validator(mode="after")
    def _a_file_for_each_channel(self) -> Self:
        names = [channel.name for channel in self.channels]
        for case in self.cases:
            if len(case.images) not in (1, len(names)):
                raise ValueError(
                    f"case {case.case!r} names {len(case.images)} files as its image, and the "
                    f"channels are {', '.join(names)}; name a file for each, in their order"
                )
        return self

    @model_validator(mode="after")
    def _rois_are_classes(self) -> Self:
        for pattern, name in self.rois.items():
            if name not in self.class_names[1:]:
                raise ValueError(
                    f"rois: {pattern!r} stands for {name!r}, which is no label; use one of "
                    f"{', '.join(self.class_names[1:])}"
                )
        return self

    @model_validator(mode="after")
    def _cases_are_unique(self) -> Self:
        seen: dict[str, str] = {}
        for case in self.cases:
            key = name_key(case.case)
            if key in seen:
                raise ValueError(_twice(seen[key], case.case))
            seen[key] = case.case
        return self

    @model_validator(mode="after")
    def _no_patient_in_two_places(self) -> Self:
        home: dict[str, str] = {}
        for case, place in self._places():
            first = home.setdefault(case.patient, place)
            if first != place:
                raise ValueError(
                    f"patient {case.patient!r} is in {first} and in {place}; "
                    "put all images of a patient in one place"
                )
        return self

    def _places(self) -> Iterator[tuple[Case, str]]:
        for case in self.training:
            yield case, "every fold's training" if case.fold is None else f"fold {case.fold}"
        for case in self.test:
            yield case, "test"


def _twice(first: str, second: str) -> str:
    if first == second:
        return f"case {first!r} is listed twice; give each a name of its own"
    return (
        f"cases {first!r} and {second!r} differ in case or accents alone, which Windows and macOS "
        "do not tell apart; give each a name of its own"
    )


def load_manifest(path: str | Path) -> Manifest:
    """Read and validate a manifest.

    Raises:
        ManifestError: If the file is missing, is not JSON or breaks a rule; one line.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # reading a pipe may never end
        raise ManifestError(f"{path}: cannot read the manifest (not a regular file)")
    try:
        return Manifest.model_validate_json(json_bytes(path.read_bytes()))
    except OSError as error:
        raise ManifestError(f"{path}: cannot read the manifest ({error.strerror})") from error
    except ValidationError as error:
        raise ManifestError(f"{path}: {first_problem(error)}") from error


def save_manifest(manifest: Manifest, path: str | Path) -> None:
    """Write a manifest as indented JSON, without empty keys.

    An existing file is replaced; the caller asks the user first.
    """
    text = manifest_text(manifest)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def manifest_text(manifest: Manifest) -> str:
    """A manifest as indented JSON, without empty keys."""
    content = manifest.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def first_problem(error: ValidationError) -> str:
    """The first broken rule in one line: the key, what is wrong, the value."""
    first, *others = error.errors()
    # An invalid item is also reported as missing from the list that contains it.
    more = [other for other in others if other["loc"] != first["loc"][: len(other["loc"])]]
    where = ".".join(str(part)[:60] for part in first["loc"])
    what = WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] not in {"value_error", *WORDS} and isinstance(
        first["input"], str | int | float
    ):
        what += f", got {first['input']!r:.80}"
    return f"{where + ': ' if where else ''}{what}{f' (and {len(more)} more)' if more else ''}"
