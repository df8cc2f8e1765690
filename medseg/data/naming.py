"""How images are told from other files, and outputs named after the image they are of."""

from pathlib import Path

from medseg.data.itk_file import ITK_SUFFIXES
from medseg.data.nifti import NIFTI_SUFFIXES
from medseg.data.raster import RASTER_SUFFIXES

__all__ = ["image_stem", "is_nifti", "label_path", "overlay_path"]


def is_nifti(path: Path) -> bool:
    """Whether a path is called `.nii` or `.nii.gz`, in any case, and is not hidden.

    macOS leaves a `._scan.nii.gz` beside each `scan.nii.gz` it copies to a foreign disk.
    """
    return path.name.lower().endswith(NIFTI_SUFFIXES) and not path.name.startswith(".")


def image_stem(image: str | Path) -> str:
    """The file's name without folder and without `.nii.gz`, `.nrrd`, `.png` and the like."""
    name = Path(image).name
    endings = NIFTI_SUFFIXES + ITK_SUFFIXES + RASTER_SUFFIXES
    suffix = next((end for end in endings if name.lower().endswith(end)), "")
    return name[: len(name) - len(suffix)]


def label_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the predicted label of `image` goes: `<output_dir>/<stem>_seg.nii.gz`."""
    return Path(output_dir) / f"{image_stem(image)}_seg.nii.gz"


def overlay_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the picture of that label goes: `<output_dir>/<stem>_overlay.png`."""
    return Path(output_dir) / f"{image_stem(image)}_overlay.png"
