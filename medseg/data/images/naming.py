"""Image formats by suffix: the table that all readers use, and names of outputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.data.output_names import LABEL, OVERLAY, is_output_of

__all__ = [
    "DETACHED_SUFFIXES",
    "FORMATS",
    "PICTURE_SUFFIXES",
    "VOLUME_SUFFIXES",
    "Format",
    "format_words",
    "image_format",
    "image_stem",
    "images_among",
    "is_nifti",
    "is_picture",
    "is_volume",
    "label_path",
    "label_suffix",
    "without_outputs",
]

Kind = Literal["volume", "picture"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of image files.

    Attributes:
        name: What people call it.
        kind: What it holds: a `volume` has a place in space, a `picture` pixels only.
        suffixes: How its files end, in any case.
        label: How the predicted label of such an image ends.
        detached: Those of its suffixes whose voxels are in a file beside.
    """

    name: str
    kind: Kind
    suffixes: tuple[str, ...]
    label: str
    detached: tuple[str, ...] = ()


# Which function reads a volume: medseg.data.images.volume. Pictures are read by pillow.
FORMATS = (
    Format(name="NIfTI", kind="volume", suffixes=(".nii", ".nii.gz"), label=".nii.gz"),
    Format(
        name="NRRD",
        kind="volume",
        suffixes=(".nrrd", ".nhdr"),
        label=".nrrd",
        detached=(".nhdr",),
    ),
    Format(
        name="MetaImage",
        kind="volume",
        suffixes=(".mha", ".mhd"),
        label=".mha",
        detached=(".mhd",),
    ),
    Format(name="PNG", kind="picture", suffixes=(".png",), label=".png"),
    Format(name="TIFF", kind="picture", suffixes=(".tif", ".tiff"), label=".tif"),
    Format(name="JPEG", kind="picture", suffixes=(".jpg", ".jpeg"), label=".png"),
    Format(name="BMP", kind="picture", suffixes=(".bmp",), label=".png"),
)


def _suffixes(kind: Kind) -> tuple[str, ...]:
    return tuple(end for one in FORMATS if one.kind == kind for end in one.suffixes)


VOLUME_SUFFIXES, PICTURE_SUFFIXES = _suffixes("volume"), _suffixes("picture")
DETACHED_SUFFIXES = tuple(end for one in FORMATS for end in one.detached)


def format_words(kind: Kind, *more: str) -> str:
    """The formats of a kind, and more, as an error lists them: `NIfTI, NRRD or MetaImage`."""
    *first, last = (*(one.name for one in FORMATS if one.kind == kind), *more)
    return f"{', '.join(first)} or {last}"


def image_format(path: str | Path) -> Format | None:
    """The format that a file's name ends like; None for others, such as DICOM."""
    name = Path(path).name.lower()
    return next((one for one in FORMATS if name.endswith(one.suffixes)), None)


def is_nifti(path: Path) -> bool:
    """Whether a path is called `.nii` or `.nii.gz`, in any case, and is not hidden."""
    found = _shown_format(path)
    return found is not None and found.name == "NIfTI"


def is_volume(path: Path) -> bool:
    """Whether a path is called as a volume file is, and is not hidden."""
    found = _shown_format(path)
    return found is not None and found.kind == "volume"


def is_picture(path: Path) -> bool:
    """Whether a path is called as a 2-D image is, is not hidden, and no overlay of a prediction."""
    found = _shown_format(path)
    is_one = found is not None and found.kind == "picture"
    return is_one and not image_stem(path).endswith(OVERLAY)


def _shown_format(path: Path) -> Format | None:
    # macOS leaves a `._scan.nii.gz` beside each `scan.nii.gz` it copies to a foreign disk.
    return None if path.name.startswith(".") else image_format(path)


def images_among(files: Iterable[Path]) -> list[Path]:
    """The volumes among files, or, where there are none, the pictures: in the same order.

    A folder of volumes may hold pictures that were made of them.
    """
    every = list(files)
    return [p for p in every if is_volume(p)] or [p for p in every if is_picture(p)]


def without_outputs(images: Iterable[Path]) -> list[Path]:
    """Images without those that a prediction made of another one, by name: in the same order.

    `scan_seg.nii.gz` is left out if there is a `scan` too; alone it may be an image.
    """
    every = list(images)
    stems = {image_stem(path) for path in every}
    return [path for path in every if not is_output_of(image_stem(path), stems)]


def image_stem(image: str | Path) -> str:
    """The file's name without folder and without `.nii.gz`, `.nrrd`, `.png` and the like."""
    name, found = Path(image).name, image_format(image)
    ends = found.suffixes if found else ()
    return name[: len(name) - max((len(e) for e in ends if name.lower().endswith(e)), default=0)]


def label_suffix(image: str | Path) -> str:
    """How the label of an image ends: as its format says, `.nii.gz` of DICOM."""
    found = image_format(image)
    return ".nii.gz" if found is None else found.label


def label_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the predicted label of `image` goes: `<output_dir>/<stem>_seg`, in its format."""
    return Path(output_dir) / f"{image_stem(image)}{LABEL}{label_suffix(image)}"
