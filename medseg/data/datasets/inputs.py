"""Input checks of a training, before it starts: manifest, classes, window, usable cases.

Bad input would otherwise show late: after minutes of caching, deep in a transform, as a shape
error without a file name.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from medseg.data.datasets.intake import check_pair
from medseg.data.dicom.choice import choose_series
from medseg.data.dicom.find import find_dicom_series
from medseg.data.images.naming import (
    format_words,
    image_stem,
    images_among,
    is_volume,
    without_outputs,
)
from medseg.data.manifest import Manifest
from medseg.data.output_names import ENDINGS, LEDGER
from medseg.data.source import Source
from medseg.errors import DataError

__all__ = ["find_manifest", "intensity_window", "list_images", "require_classes", "require_usable"]

logger = logging.getLogger(__name__)

MANIFEST_NAME = "manifest.json"


def find_manifest(dataset_dir: str | Path, otherwise: str | Path) -> str:
    """The manifest in the data set's folder if there is one, else `otherwise`."""
    own = Path(dataset_dir) / MANIFEST_NAME
    return str(own if own.is_file() else otherwise)


def list_images(folder: str | Path) -> list[str]:
    """All volume files below a folder, or if there are none its DICOM series, or else all pictures.

    A `scan_seg.nii.gz` is left out if there is also a `scan`, or the ledger of a prediction: it is
    the label of an earlier prediction.

    Returns:
        Absolute paths, sorted, files by their own names; for DICOM one `PATH#UID`.

    Raises:
        DataError: If the folder is missing or has no images.
        InputError: If it has DICOM files, but not exactly one series that could be a volume.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder; set dataset_dir to where the images are")
    root = Path(folder).resolve()
    files = [path for path in root.rglob("*") if path.is_file() and not _is_output(path)]
    images = images_among(files)
    if files and not any(map(is_volume, images)):
        series = find_dicom_series(root)
        if series:
            return [str(Source(root, choose_series(series).uid))]
    if not images:
        what = f"no {format_words('volume', 'DICOM')} files, and no pictures, in this folder"
        raise DataError(f"{folder}: {what}")
    return sorted(map(str, without_outputs(images)))


def _is_output(path: Path) -> bool:
    """Whether `medseg predict` wrote a file, by its name and the ledger next to it."""
    return image_stem(path).endswith(ENDINGS) and (path.parent / LEDGER).is_file()


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
            "write window=[LOW,HIGH], or add it to the manifest; medseg data statistics prints "
            "percentiles to choose from"
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
            f"{list(class_names)}; write class_names=[{','.join(manifest.class_names)}], or use a "
            "manifest that matches"
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
