"""Statistics of a data set's intensities, measured where its labels are.

They scale images in units that mean the same everywhere, such as HU: air and table are left
out, and what was learnt about one image holds for the next. Test cases are never looked at.

Reference:
    Isensee et al., nnU-Net, Nat. Methods 2021. https://doi.org/10.1038/s41592-020-01008-z
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.channel import Statistics
from medseg.data.images.picture import read_image
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError

__all__ = [
    "foreground_samples",
    "intensity_statistics",
    "measured_cases",
    "summarise",
    "with_statistics",
]

PERCENTILES = (0.5, 99.5)
# Large organs must not drown small cases; this many tell a percentile to a tenth of one.
VOXELS_PER_CASE = 100_000

Intensities = NDArray[Any]


def measured_cases(manifest: Manifest, fold: int | None = None) -> tuple[Case, ...]:
    """The training cases, without those of one fold if it is to be held out.

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
    """Read case after case and draw voxels that its label marks.

    Args:
        manifest: Says what label values mean and how many channels there are.
        dataset_dir: Where its files are.
        cases: Of the manifest.

    Yields:
        `(N, C)`: at most 100 000 voxels of a case, the same ones each time; N may be 0.

    Raises:
        DataError: If a case cannot be read, has no label or another number of channels, or
            its foreground holds NaN.
    """
    for number, case in enumerate(cases):
        image, label = _read(manifest, Path(dataset_dir), case)
        marked = np.flatnonzero(label)
        if len(marked) > VOXELS_PER_CASE:
            rng = np.random.default_rng(number)
            marked = marked[rng.choice(len(marked), VOXELS_PER_CASE, replace=False)]
        drawn = image.reshape(-1, len(manifest.channels))[marked]
        if not np.isfinite(drawn).all():
            raise DataError(f"{case.case}: its foreground holds NaN or infinity; mend the image")
        yield drawn


def _read(manifest: Manifest, folder: Path, case: Case) -> tuple[Intensities, Intensities]:
    if case.label is None:
        raise DataError(f"{case.case}: no label in {manifest.name}, so no foreground to measure")
    image = read_image(folder / case.image).array
    label = as_classes(read_image(folder / case.label, where="label").array, manifest.label_kind)
    if image.shape[:3] != label.shape[:3]:
        raise DataError(
            f"{case.case}: image {image.shape[:3]} and label {label.shape[:3]} differ in shape; "
            "see medseg data check"
        )
    channels = image.shape[3] if image.ndim == 4 else 1
    if channels != len(manifest.channels):
        raise DataError(
            f"{case.case}: its image has {channels} channels, {manifest.name} names "
            f"{len(manifest.channels)}"
        )
    return image, label


def summarise(samples: Iterable[Intensities]) -> tuple[Statistics, ...]:
    """Measure all samples together.

    Args:
        samples: `(N, C)` each.

    Returns:
        One a channel.

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
            f"channel {number} is {low:g} in nearly all of the foreground; nothing can be scaled "
            "by that"
        )
    return Statistics(low=low, high=high, mean=float(channel.mean()), std=float(channel.std()))


def with_statistics(manifest: Manifest, statistics: Iterable[Statistics]) -> Manifest:
    """The manifest with statistics, one a channel, in place of any that it had."""
    channels = tuple(
        channel.model_copy(update={"statistics": one})
        for channel, one in zip(manifest.channels, statistics, strict=True)
    )
    return manifest.model_copy(update={"channels": channels})


def intensity_statistics(manifest: Manifest) -> dict[str, list[float]]:
    """The manifest's statistics as plain numbers, for a bundle's config and its settings.

    Returns:
        `low`, `high`, `mean` and `std`, each with one number a channel, as
        `medseg.transforms.DatasetZScored` takes them.

    Raises:
        DataError: If a channel has none.
    """
    found = [channel.statistics for channel in manifest.channels]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        name = manifest.channels[found.index(None)].name
        raise DataError(
            f"{manifest.name}: holds no statistics of {name}; measure them by medseg data "
            "statistics, which writes them into the manifest"
        )
    return {key: [getattr(one, key) for one in known] for key in Statistics.model_fields}
