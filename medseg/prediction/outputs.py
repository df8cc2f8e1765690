"""`medseg predict`: the files it writes, and what they are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from medseg.data.dicom.formats import DicomFormat, check_dicom_formats, dicom_output_path
from medseg.data.images.naming import label_suffix
from medseg.data.images.picture import is_raster
from medseg.data.output_names import LABEL, OVERLAY, MapKind, map_ending
from medseg.errors import UsageError
from medseg.prediction.cases import CohortCase

__all__ = [
    "CaseFiles",
    "Formats",
    "case_files",
    "read_formats",
    "refuse_clashes",
]

ImageFormat = Literal["auto", "nifti", "nrrd", "mha", "png", "tiff"]
_SUFFIXES = {"nifti": ".nii.gz", "nrrd": ".nrrd", "mha": ".mha"}
_PICTURES = {"png": ".png", "tiff": ".tif"}


@dataclass(frozen=True, kw_only=True)
class CaseFiles:
    """What a case will have.

    Attributes:
        label: The label as a volume or a picture; none if only DICOM is wanted.
        dicom: DICOM outputs by their format.
        maps: Probabilities and entropy.
        overlay: The picture.
    """

    label: Path | None
    dicom: Mapping[DicomFormat, Path]
    maps: Mapping[MapKind, Path]
    overlay: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them, labels first."""
        label = () if self.label is None else (self.label,)
        return (*label, *self.dicom.values(), *self.maps.values(), self.overlay)


@dataclass(frozen=True)
class Formats:
    """What labels are written as.

    Attributes:
        image: A volume's or a picture's format, `auto` for that of the image; none if only DICOM
            is wanted.
        dicom: DICOM outputs.
        maps: What is written beside them.
    """

    image: ImageFormat | None
    dicom: tuple[DicomFormat, ...]
    maps: tuple[MapKind, ...] = ()


def read_formats(words: Sequence[str], maps: Sequence[str] = ()) -> Formats:
    """Sort out the words of `--format` and `--maps`.

    Raises:
        UsageError: If one is unknown, or they do not go together.
    """
    known = (*get_args(ImageFormat), *get_args(DicomFormat))
    unknown = next((word for word in words if word not in known), None)
    if unknown is not None:
        raise UsageError(f"--format takes {', '.join(known)}, got {unknown!r}")
    unknown = next((word for word in maps if word not in get_args(MapKind)), None)
    if unknown is not None:
        raise UsageError(f"--maps takes {', '.join(get_args(MapKind))}, got {unknown!r}")
    images = [word for word in get_args(ImageFormat) if word in words]
    dicom = tuple(word for word in get_args(DicomFormat) if word in words)
    if len(images) > 1:
        raise UsageError(f"--format takes one of {', '.join(get_args(ImageFormat))}")
    if dicom:
        check_dicom_formats(dicom)
    wanted = tuple(word for word in get_args(MapKind) if word in maps)
    return Formats(images[0] if images else None, dicom, wanted)


def case_files(output: Path, case: CohortCase, formats: Formats) -> CaseFiles:
    """`<name>_seg` as `.nii.gz` and the like or `.dcm`, `<name>_sr.dcm`, maps, and the overlay.

    Raises:
        UsageError: If DICOM is wanted of an image that is none, or of a picture a volume, or the
            reverse.
    """
    if formats.dicom and not case.is_dicom:
        raise UsageError(f"{case.shown}: is no DICOM, so its label cannot be; leave out dicom-seg")
    suffix = _suffix(case, formats.image)
    return CaseFiles(
        label=None if suffix is None else output / f"{case.name}{LABEL}{suffix}",
        dicom={one: dicom_output_path(output, case.name, one) for one in formats.dicom},
        maps={kind: output / f"{case.name}{map_ending(kind)}.nii.gz" for kind in formats.maps},
        overlay=output / f"{case.name}{OVERLAY}.png",
    )


def _suffix(case: CohortCase, wanted: ImageFormat | None) -> str | None:
    if wanted is None:
        return None
    picture = is_raster(case.path)
    if wanted == "auto":
        return label_suffix(case.path)
    if (wanted in _PICTURES) != picture:
        words = ", ".join(_PICTURES if picture else _SUFFIXES)
        what = "a picture" if picture else "a volume"
        raise UsageError(f"{case.shown}: is {what}; its --format is auto, {words}, got {wanted}")
    return {**_SUFFIXES, **_PICTURES}[wanted]


def refuse_clashes(files: Mapping[CohortCase, CaseFiles]) -> None:
    """Refuse two cases with a file of one name.

    Raises:
        UsageError: It names both.
    """
    takers: dict[Path, CohortCase] = {}
    for case, of_case in files.items():
        for path in of_case.paths:
            if path in takers:
                both = f"{case.shown} and {takers[path].shown}"
                raise UsageError(f"{both} would both become {path}; predict them apart")
            takers[path] = case
