"""Image formats by suffix: the table that all readers use, and names of outputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.data.output_names import LABEL, OVERLAY, is_output_of

__all__ = [
    "DETACHED_SUFFIXES",
    "FORMATS",
    "OTHER_SUFFIXES",
    "PICTURE_SUFFIXES",
    "VOLUME_SUFFIXES",
    "Format",
    "format_words",
    "image_format",
    "image_stem",
    "images_among",
    "is_nifti",
    "is_picture",
    "is_raster",
    "is_volume",
    "label_path",
    "label_suffix",
    "path_stem",
    "without_outputs",
]

Kind = Literal["volume", "picture"]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of image files.

    Attributes:
        name: Its common name.
        kind: A `volume` has an affine, a `picture` only pixels.
        suffixes: Suffixes of its files, in lower case; files may have upper case.
        label: Suffix of the predicted label of such an image.
        detached: Its suffixes of headers whose voxels are in another file.
    """

    name: str
    kind: Kind
    suffixes: tuple[str, ...]
    label: str
    detached: tuple[str, ...] = ()


# Volumes are read by functions of medseg.data.images.volume, pictures by pillow.
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
# Images that nothing here reads; a folder's are told, or a cohort would lose them without a word.
OTHER_SUFFIXES = (
    *(".hdr", ".img", ".img.gz", ".mgz", ".mgh", ".mnc", ".par", ".vtk", ".vti", ".gipl"),
    *(".gif", ".webp", ".jp2", ".heic", ".svs", ".ndpi", ".mrxs", ".czi", ".lif", ".nd2", ".npy"),
)
DETACHED_SUFFIXES = tuple(end for one in FORMATS for end in one.detached)


def format_words(kind: Kind, *more: str) -> str:
    """The formats of a kind, and more, as text for errors: `NIfTI, NRRD or MetaImage`."""
    *first, last = (*(one.name for one in FORMATS if one.kind == kind), *more)
    return f"{', '.join(first)} or {last}"


def image_format(path: str | Path) -> Format | None:
    """The format of a file by its suffix; None for others, such as DICOM."""
    name = Path(path).name.lower()
    return next((one for one in FORMATS if name.endswith(one.suffixes)), None)


def is_nifti(path: Path) -> bool:
    """Whether a path ends in `.nii` or `.nii.gz`, in any case, and is not hidden."""
    found = _shown_format(path)
    return found is not None and found.name == "NIfTI"


def is_raster(path: str | Path) -> bool:
    """Whether a path has a picture's suffix and is not a folder."""
    return str(path).lower().endswith(PICTURE_SUFFIXES) and not Path(path).is_dir()


def is_volume(path: Path) -> bool:
    """Whether a path has a volume's suffix and is not hidden."""
    found = _shown_format(path)
    return found is not None and found.kind == "volume"


def is_picture(path: Path) -> bool:
    """Whether a path has a picture's suffix, and is not hidden nor an overlay of a prediction."""
    found = _shown_format(path)
    is_one = found is not None and found.kind == "picture"
    return is_one and not image_stem(path).endswith(OVERLAY)


def _shown_format(path: Path) -> Format | None:
    # macOS leaves a `._scan.nii.gz` beside each `scan.nii.gz` it copies to a foreign disk.
    return None if path.name.startswith(".") else image_format(path)


def images_among(files: Iterable[Path]) -> list[Path]:
    """The volumes among files, or if there are none the pictures; in the same order.

    A folder of volumes may hold pictures that were made of them.
    """
    every = list(files)
    return [p for p in every if is_volume(p)] or [p for p in every if is_picture(p)]


def without_outputs(images: Iterable[Path]) -> list[Path]:
    """Images without those that are outputs for another one, by name; in the same order.

    `scan_seg.nii.gz` is left out if there is also a `scan`; alone it may be an image.
    """
    every = list(images)
    stems = {image_stem(path) for path in every}
    return [path for path in every if not is_output_of(image_stem(path), stems)]


def image_stem(image: str | Path) -> str:
    """The file's name without folder and without `.nii.gz`, `.nrrd`, `.png` and the like."""
    name, found = Path(image).name, image_format(image)
    ends = found.suffixes if found else ()
    return name[: len(name) - max((len(e) for e in ends if name.lower().endswith(e)), default=0)]


def path_stem(image: str | Path, folders: int) -> str:
    """The file's stem with its last folders in front: `p01_ct` of `data/p01/ct.nii.gz`, 1."""
    parents = Path(image).parent.parts
    return "_".join([*parents[max(0, len(parents) - folders) :], image_stem(image)])


def label_suffix(image: str | Path) -> str:
    """Suffix of the label of an image, by its format; `.nii.gz` for DICOM."""
    found = image_format(image)
    return ".nii.gz" if found is None else found.label


def label_path(output_dir: str | Path, image: str | Path) -> Path:
    """Path of the predicted label of `image`: `<output_dir>/<stem>_seg`, in its format."""
    return Path(output_dir) / f"{image_stem(image)}{LABEL}{label_suffix(image)}"
