"""Intensity statistics of a data set, in the foreground of the training cases.

They normalise images whose unit means the same everywhere, such as HU: air and table are left out,
and all images are scaled alike. Test cases are never used.

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.channel import Statistics
from medseg.data.datalists import case_label, image_paths
from medseg.data.datasets.expected import expected_by
from medseg.data.datasets.intake import read_pair
from medseg.data.images.channels import on_first_grid
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Case, Manifest
from medseg.data.problems import Problem, warning_lines
from medseg.errors import DataError

__all__ = [
    "foreground_samples",
    "intensity_statistics",
    "measured_cases",
    "summarise",
    "with_statistics",
]

logger = logging.getLogger(__name__)

PERCENTILES = (0.5, 99.5)
# Limits the weight of cases with large organs; enough to estimate a percentile to 0.1 of one.
VOXELS_PER_CASE = 100_000

Intensities = NDArray[Any]


def measured_cases(manifest: Manifest, fold: int | None = None) -> tuple[Case, ...]:
    """The training cases, without those of a held-out fold.

    Raises:
        DataError: If there are none.
    """
    cases = tuple(case for case in manifest.training if fold is None or case.fold != fold)
    if not cases:
        raise DataError(f"{manifest.name}: no training cases to measure; list some under training")
    return cases


def foreground_samples(
    manifest: Manifest, dataset_dir: str | Path, cases: Iterable[Case]
) -> Iterator[Intensities]:
    """Yield random foreground voxels of each case.

    Args:
        manifest: Determines the kind of the labels and the number of channels.
        dataset_dir: Folder of its files.
        cases: Of the manifest.

    Yields:
        `(N, C)`: at most 100 000 voxels per case, the same ones each time; N may be 0.

    Raises:
        DataError: If a case has no label or another number of channels, or a training could not
            use it.
    """
    found: dict[str, tuple[Problem, ...]] = {}
    for number, case in enumerate(cases):
        image, label, found[case.case] = _read(manifest, Path(dataset_dir), case)
        marked = np.flatnonzero(label)
        if len(marked) > VOXELS_PER_CASE:
            rng = np.random.default_rng(number)
            marked = marked[rng.choice(len(marked), VOXELS_PER_CASE, replace=False)]
        yield image.reshape(len(image), -1)[:, marked].T
    for line in warning_lines(found):
        logger.warning(line)


def _read(
    manifest: Manifest, folder: Path, case: Case
) -> tuple[Intensities, Intensities, tuple[Problem, ...]]:
    """Image, channel first, and label of a case, checked as for a training, and the warnings."""
    if case.label is None:
        raise DataError(f"{case.case}: no label in {manifest.name}, so no foreground to measure")
    values = [label.value for label in manifest.labels]
    paths = image_paths(case, folder, len(manifest.channels))
    label = case_label(case, folder, manifest) or folder / case.label
    pair = read_pair(paths, label, values, manifest.label_kind, expected_by(manifest))
    image = on_first_grid(pair.image)
    if len(image) != len(manifest.channels):
        raise DataError(
            f"{case.case}: its image has {len(image)} channels, {manifest.name} names "
            f"{len(manifest.channels)}"
        )
    return image, as_classes(pair.label.array, manifest.label_kind), pair.problems


def summarise(samples: Iterable[Intensities]) -> tuple[Statistics, ...]:
    """Statistics of all samples together.

    Args:
        samples: `(N, C)` each.

    Returns:
        One per channel.

    Raises:
        DataError: If there is no voxel, or a channel has the same intensity in all.
    """
    drawn = np.concatenate(list(samples)).astype(np.float64)
    if len(drawn) == 0:
        raise DataError("no label marks a voxel, so there is no foreground to measure")
    return tuple(_statistics(channel, number) for number, channel in enumerate(drawn.T))


def _statistics(channel: NDArray[np.float64], number: int) -> Statistics:
    low, high = (float(end) for end in np.percentile(channel, PERCENTILES))
    if not low < high:
        raise DataError(
            f"channel {number} is {low:g} in nearly all of the foreground, so it cannot be "
            "normalised; check images and labels"
        )
    return Statistics(low=low, high=high, mean=float(channel.mean()), std=float(channel.std()))


def with_statistics(manifest: Manifest, statistics: Iterable[Statistics]) -> Manifest:
    """The manifest with new statistics, one per channel, replacing any that it had."""
    channels = tuple(
        channel.model_copy(update={"statistics": one})
        for channel, one in zip(manifest.channels, statistics, strict=True)
    )
    return manifest.model_copy(update={"channels": channels})


def intensity_statistics(manifest: Manifest) -> dict[str, list[float]]:
    """The manifest's statistics as plain numbers, for a bundle's config and its settings.

    Returns:
        `low`, `high`, `mean` and `std`, each with one number per channel, as arguments of
        `medseg.transforms.DatasetZScored`.

    Raises:
        DataError: If a channel has none.
    """
    by_channel = [channel.statistics for channel in manifest.channels]
    measured = [one for one in by_channel if one is not None]
    if len(measured) < len(by_channel):
        name = manifest.channels[by_channel.index(None)].name
        raise DataError(
            f"{manifest.name}: holds no statistics of {name}; measure them with medseg data "
            "statistics, which writes them into the manifest"
        )
    return {key: [getattr(one, key) for one in measured] for key in Statistics.model_fields}
