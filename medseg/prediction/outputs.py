"""Output files of `medseg predict`: their formats and names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from medseg.data.dicom.formats import DicomFormat, check_dicom_formats, dicom_output_path
from medseg.data.images.naming import is_raster, label_suffix
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
    """Output files of a case.

    Attributes:
        label: The label as a volume or a picture; None if only DICOM is requested.
        dicom: DICOM outputs by format.
        maps: Maps of probabilities and entropy by kind.
        overlay: Picture of the label over the image.
    """

    label: Path | None
    dicom: Mapping[DicomFormat, Path]
    maps: Mapping[MapKind, Path]
    overlay: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, labels first."""
        label = () if self.label is None else (self.label,)
        return (*label, *self.dicom.values(), *self.maps.values(), self.overlay)


@dataclass(frozen=True)
class Formats:
    """Requested output formats.

    Attributes:
        image: Format of a volume or a picture, `auto` for that of the image; None if only DICOM
            is requested.
        dicom: DICOM formats.
        maps: Kinds of maps that are written too.
    """

    image: ImageFormat | None
    dicom: tuple[DicomFormat, ...]
    maps: tuple[MapKind, ...] = ()


def read_formats(words: Sequence[str], maps: Sequence[str] = ()) -> Formats:
    """Parse the words of `--format` and `--maps`.

    Raises:
        UsageError: If a word is unknown, or the words cannot be combined.
    """
    allowed = (*get_args(ImageFormat), *get_args(DicomFormat))
    unknown = next((word for word in words if word not in allowed), None)
    if unknown is not None:
        raise UsageError(f"--format takes {', '.join(allowed)}, got {unknown!r}")
    unknown = next((word for word in maps if word not in get_args(MapKind)), None)
    if unknown is not None:
        raise UsageError(f"--maps takes {', '.join(get_args(MapKind))}, got {unknown!r}")
    images = [word for word in get_args(ImageFormat) if word in words]
    dicom = tuple(word for word in get_args(DicomFormat) if word in words)
    if len(images) > 1:
        raise UsageError(f"--format takes one of {', '.join(get_args(ImageFormat))}")
    if dicom:
        check_dicom_formats(dicom)
    kinds = tuple(word for word in get_args(MapKind) if word in maps)
    return Formats(images[0] if images else None, dicom, kinds)


def case_files(output: Path, case: CohortCase, formats: Formats) -> CaseFiles:
    """Name a case's files: `<name>_seg.nii.gz` or `.dcm`, `<name>_sr.dcm`, maps, the overlay.

    Raises:
        UsageError: If DICOM is requested for an image that is not, or a volume format for a
            picture, or the reverse.
    """
    if formats.dicom and not case.is_dicom:
        raise UsageError(
            f"{case.shown}: is not DICOM, so no DICOM label can refer to it; remove "
            f"{' and '.join(formats.dicom)} from --format"
        )
    suffix = _suffix(case, formats.image)
    of_map = ".tif" if is_raster(case.path) else ".nii.gz"
    return CaseFiles(
        label=None if suffix is None else output / f"{case.name}{LABEL}{suffix}",
        dicom={one: dicom_output_path(output, case.name, one) for one in formats.dicom},
        maps={kind: output / f"{case.name}{map_ending(kind)}{of_map}" for kind in formats.maps},
        overlay=output / f"{case.name}{OVERLAY}.png",
    )


def _suffix(case: CohortCase, image_format: ImageFormat | None) -> str | None:
    if image_format is None:
        return None
    picture = is_raster(case.path)
    if image_format == "auto":
        return label_suffix(case.path)
    if (image_format in _PICTURES) != picture:
        words = ", ".join(_PICTURES if picture else _SUFFIXES)
        what = "a picture" if picture else "a volume"
        raise UsageError(
            f"{case.shown}: is {what}; --format must be auto or one of {words}, got {image_format}"
        )
    return {**_SUFFIXES, **_PICTURES}[image_format]


def refuse_clashes(files: Mapping[CohortCase, CaseFiles]) -> None:
    """Refuse two cases whose output files have the same name, but for upper and lower case.

    Raises:
        UsageError: For the first such pair; it names both.
    """
    takers: dict[str, CohortCase] = {}
    for case, of_case in files.items():
        for path in of_case.paths:
            # Windows and macOS take a.nii and A.nii for one file.
            name = path.name.casefold()
            if name in takers:
                both = f"{case.shown} and {takers[name].shown}"
                raise UsageError(f"{both} would both become {path}; use a separate -o for each")
            takers[name] = case
