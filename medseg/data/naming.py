"""How outputs are named after the image they were made from."""

from pathlib import Path

__all__ = ["image_stem", "label_path", "overlay_path"]


def image_stem(image: str | Path) -> str:
    """The file's name without folder and without `.nii` or `.nii.gz`."""
    name = Path(image).name
    for suffix in (".nii.gz", ".nii"):
        name = name.removesuffix(suffix)
    return name


def label_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the predicted label of `image` goes: `<output_dir>/<stem>_seg.nii.gz`."""
    return Path(output_dir) / f"{image_stem(image)}_seg.nii.gz"


def overlay_path(output_dir: str | Path, image: str | Path) -> Path:
    """Where the picture of that label goes: `<output_dir>/<stem>_overlay.png`."""
    return Path(output_dir) / f"{image_stem(image)}_overlay.png"
