"""File names: recognise images by suffix, and name outputs after their image."""

from collections.abc import Iterable
from pathlib import Path

from medseg.data.images.itk_file import ITK_SUFFIXES
from medseg.data.images.nifti import NIFTI_SUFFIXES
from medseg.data.images.raster import RASTER_SUFFIXES

__all__ = [
    "image_stem",
    "is_nifti",
    "is_picture",
    "label_path",
    "label_suffix",
    "nifti_or_pictures",
    "overlay_path",
]

_TIFF = (".tif", ".tiff")
_OVERLAY = "_overlay"


def is_nifti(path: Path) -> bool:
    """Whether a path is called `.nii` or `.nii.gz`, in any case, and is not hidden.

    macOS leaves a `._scan.nii.gz` beside each `scan.nii.gz` it copies to a foreign disk.
    """
    return path.name.lower().endswith(NIFTI_SUFFIXES) and not path.name.startswith(".")


def is_picture(path: Path) -> bool:
    """Whether a path is called as a 2-D image is, is not hidden, and no overlay of a prediction."""
    named = path.name.lower().endswith(RASTER_SUFFIXES) and not path.name.startswith(".")
    return named and not image_stem(path).endswith(_OVERLAY)


def nifti_or_pictures(files: Iterable[Path]) -> list[Path]:
    """The NIfTI files among them, or, where there are none, the pictures: in the same order.

    A folder of volumes may hold pictures that were made of them.
    """
    every = list(files)
    return [p for p in every if is_nifti(p)] or [p for p in every if is_picture(p)]


def image_stem(image: str | Path) -> str:
    """The file's name without folder and without `.nii.gz`, `.nrrd`, `.png` and the like."""
    name = Path(image).name
    endings = NIFTI_SUFFIXES + ITK_SUFFIXES + RASTER_SUFFIXES
    suffix = next((end for end in endings if name.lower().endswith(end)), "")
    return name[: len(name) - len(suffix)]


def label_suffix(image: str | Path) -> str:
    """How the label of an image ends: `.tif` of a TIFF, `.png` of another picture, `.nii.gz`."""
    suffix = Path(image).suffix.lower()
    if suffix in _TIFF:
        return ".tif"
    return ".png" if suffix in RASTER_SUFFIXES else ".nii.gz"


def label_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the predicted label of `image` goes: `<output_dir>/<stem>_seg.nii.gz`, or a picture."""
    return Path(output_dir) / f"{image_stem(image)}_seg{label_suffix(image)}"


def overlay_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the picture of that label goes: `<output_dir>/<stem>_overlay.png`."""
    return Path(output_dir) / f"{image_stem(image)}{_OVERLAY}.png"
