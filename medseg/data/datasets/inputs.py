"""Input checks of a training, before it starts: manifest, classes, window, usable cases.

Bad input would otherwise show late: after minutes of caching, deep in a transform, as a shape
error without a file name.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medseg.data.datasets.channel_files import channels_in
from medseg.data.datasets.expected import expected_by
from medseg.data.datasets.fingerprint import Fingerprint, fingerprint
from medseg.data.datasets.folder_images import left_out, sort_folder
from medseg.data.datasets.intake import read_pair
from medseg.data.dicom.choice import choose_series
from medseg.data.dicom.find import find_dicom_series
from medseg.data.images.naming import format_words, image_stem
from medseg.data.manifest import Manifest, load_manifest
from medseg.data.output_names import ENDINGS, LEDGER
from medseg.data.problems import Problem, warning_lines
from medseg.data.source import Source
from medseg.data.walk import FETCH, walk_tree
from medseg.errors import DataError

__all__ = ["find_manifest", "intensity_window", "list_images", "require_classes", "require_usable"]

logger = logging.getLogger(__name__)

MANIFEST_NAME = "manifest.json"


def find_manifest(dataset_dir: str | Path, otherwise: str | Path) -> str:
    """The manifest in the data set's folder if there is one, else `otherwise`."""
    own = Path(dataset_dir) / MANIFEST_NAME
    return str(own if own.is_file() else otherwise)


def list_images(folder: str | Path, manifest: str | Path | None = None) -> list[Any]:
    """All volume files below a folder, or if there are none its DICOM series, or else all pictures.

    A `scan_seg.nii.gz` is left out if there is also a `scan`, or the ledger of a prediction: it is
    the label of an earlier prediction.

    Args:
        folder: The folder.
        manifest: Whose channels name the files, where an image has one for each; else all files
            are images of their own.

    Returns:
        A list of one path for each channel; without channels, absolute paths, sorted, files by
        their own names; for DICOM one `PATH#UID`.

    Raises:
        DataError: If the folder is missing or has no images, if an image is a link to nothing, or
            if it has DICOM and volumes that are not its labels.
        InputError: If it has DICOM files, but not exactly one series that could be a volume.
    """
    if not Path(folder).is_dir():
        raise DataError(f"{folder}: no such folder; set dataset_dir to where the images are")
    root = Path(folder).resolve()
    if manifest is not None and len(channels := load_manifest(manifest).channels) > 1:
        return [list(map(str, case.paths)) for case in channels_in(root, channels)]
    tree = walk_tree(root)
    images = sort_folder(root, tree, list(filter(_is_output, tree.files)))
    if images.kind != "volumes" and tree.files:
        series = find_dicom_series(root)
        if series:
            return [str(Source(root, choose_series(series).uid))]
    lost = [path for path in images.files if path in tree.missing]
    if lost or (tree.missing and not images.files):
        what = f"{len(lost or tree.missing)} links in it lead to files that are not there"
        raise DataError(f"{folder}: {what}, e.g. {(lost or tree.missing)[0].name}; {FETCH}")
    for reason, count in left_out(images, images.kind).items():
        logger.warning("%s: left out: %d %s", folder, count, reason)
    if not images.files:
        what = f"no {format_words('volume', 'DICOM')} files, and no pictures, in this folder"
        raise DataError(f"{folder}: {what}")
    return [str(path) for path in images.files if path not in tree.special]


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
            f"{list(class_names)}; set class_names={_as_override(manifest)} (the first is the "
            "background), or use a manifest that matches"
        )


def _as_override(manifest: Manifest) -> str:
    """The classes as the value of an override on a command line."""
    return f"[{','.join(manifest.class_names)}]"


def require_usable(
    cases: Sequence[Mapping[str, Any]], manifest: Manifest, class_names: Sequence[str]
) -> tuple[Fingerprint, ...]:
    """Read every case once, and refuse the first that a training cannot use.

    Args:
        cases: As returned by `datalist`; each must have a label.
        manifest: Defines the allowed label values.
        class_names: Classes of the network, background first.

    Returns:
        The fingerprint of each image.

    Raises:
        DataError: If the manifest has other classes than the network, or a case is unreadable,
            mis-shaped, unlabelled, holds NaN or a label value of no class.
    """
    require_classes(manifest, class_names)
    values = [label.value for label in manifest.labels]
    expected = expected_by(manifest)
    seen: list[Fingerprint] = []

    def check(case: Mapping[str, Any]) -> tuple[Problem, ...]:
        pair = read_pair(case["image"], case["label"], values, manifest.label_kind, expected)
        seen.append(fingerprint(pair.image))
        return pair.problems

    found: dict[str, tuple[Problem, ...]] = {}
    for case in cases:
        if "label" not in case:
            raise DataError(f"{case['case']}: no label in {manifest.name}; training needs one")
        found[case["case"]] = check(case)
    for line in warning_lines(found):
        logger.warning(line)
    logger.info("%s: %d cases read, all usable", manifest.name, len(cases))
    return tuple(seen)
