"""Input checks of a training, before it starts: manifest, classes, window, usable cases.

Bad input would otherwise show late: after minutes of caching, deep in a transform, as a shape
error without a file name.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from medseg.data.datasets.intake import check_pair
from medseg.data.images.naming import label_path, nifti_or_pictures
from medseg.data.manifest import Manifest
from medseg.errors import DataError

__all__ = ["find_manifest", "intensity_window", "list_images", "require_classes", "require_usable"]

logger = logging.getLogger(__name__)

MANIFEST_NAME = "manifest.json"


def find_manifest(dataset_dir: str | Path, otherwise: str | Path) -> str:
    """The manifest in the data set's folder if there is one, else `otherwise`."""
    own = Path(dataset_dir) / MANIFEST_NAME
    return str(own if own.is_file() else otherwise)


def list_images(folder: str | Path) -> list[str]:
    """All NIfTI files below a folder, or if there are none all pictures; absolute and sorted.

    A `scan_seg.nii.gz` is left out if there is also a `scan`: it is the label of an earlier
    prediction.

    Raises:
        DataError: If the folder is missing or has no images.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder; set dataset_dir to where the images are")
    images = nifti_or_pictures(p for p in Path(folder).resolve().rglob("*") if p.is_file())
    if not images:
        raise DataError(f"{folder}: no .nii or .nii.gz files, and no pictures, in this folder")
    labels = {label_path("", path).name for path in images}
    return sorted(str(path) for path in images if path.name not in labels)


def intensity_window(manifest: Manifest, otherwise_hu: tuple[float, float]) -> tuple[float, float]:
    """The window of intensities that becomes [0, 1]: the manifest's, or a default for HU.

    Args:
        manifest: The data set; its first channel is used.
        otherwise_hu: Default for images in Hounsfield units, which mean the same on any scanner.

    Raises:
        DataError: If the manifest names none and its unit differs from image to image.
    """
    channel = manifest.channels[0]
    if channel.window is None and channel.unit != "HU":
        raise DataError(
            f"{manifest.name}: has no window for {channel.name} in {channel.unit} units; "
            "set window to [low, high], or add it to the manifest"
        )
    return channel.window or (otherwise_hu[0], otherwise_hu[1])


def require_classes(manifest: Manifest, class_names: Sequence[str]) -> None:
    """Check that a data set has the classes of the network.

    Args:
        manifest: The data set.
        class_names: The network's, background first.

    Raises:
        DataError: If names or their order differ.
    """
    if manifest.class_names != list(class_names):
        raise DataError(
            f"{manifest.name}: its labels are {manifest.class_names}, the config's class_names "
            f"{list(class_names)}; set class_names, or use a manifest that matches"
        )


def require_usable(
    cases: Sequence[Mapping[str, str]], manifest: Manifest, class_names: Sequence[str]
) -> None:
    """Read every case once, and refuse the first that a training cannot use.

    Args:
        cases: As returned by `datalist`; each must have a label.
        manifest: Defines the allowed label values.
        class_names: Classes of the network, background first.

    Raises:
        DataError: If the manifest has other classes than the network, or a case is unreadable,
            mis-shaped, unlabelled, holds NaN or a label value of no class.
    """
    require_classes(manifest, class_names)
    values = [label.value for label in manifest.labels]
    for case in cases:
        if "label" not in case:
            raise DataError(f"{case['case']}: no label in {manifest.name}; training needs one")
        kind = manifest.label_kind
        for warning in check_pair(case["image"], case["label"], values, kind):
            logger.warning("%s: %s; %s", case["case"], warning.what, warning.remedy)
    logger.info("%s: %d cases read, all usable", manifest.name, len(cases))
