"""DICOM series for MONAI's `LoadImaged`, by class path.

`LoadImaged` tries MONAI's own readers as soon as `read` of the one it was given raises, and those
place tilted, incomplete and mixed series by guess. So `read` only notes what is to be read, and
all refusals come from `get_data`, after which nothing else is tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from monai.data.image_reader import ImageReader
from monai.utils.enums import MetaKeys, SpaceKeys
from numpy.typing import NDArray

from medseg.data.dicom_choice import split_reference
from medseg.data.dicom_input import is_dicom, refuse
from medseg.data.dicom_series import DicomFacts, Gaps, Tilt, check_words, read_dicom_series
from medseg.errors import UsageError

__all__ = ["DicomSeriesReader", "PendingSeries"]

Paths = Sequence[PathLike[str] | str] | PathLike[str] | str


@dataclass(frozen=True)
class PendingSeries:
    """What `get_data` is to read."""

    paths: tuple[str, ...]


class DicomSeriesReader(ImageReader):
    """Reads a DICOM series from a folder, a tree, a zip, a multi-frame file or `PATH#UID`.

    In a bundle: `reader: medseg.data.DicomSeriesReader`, or, for NIfTI files as well,
    `reader: [NibabelReader, medseg.data.DicomSeriesReader]`, which asks the last one first. Array
    and affine are those of `read_dicom_series`.

    Args:
        modality: Series must have, e.g. `CT`; None takes any.
        tilt: `refuse` or `resample` a tilted stack.
        gaps: `refuse` or `interpolate` missing slices.

    Raises:
        ValueError: If a word is unknown.
    """

    def __init__(
        self, *, modality: str | None = None, tilt: Tilt = "refuse", gaps: Gaps = "refuse"
    ) -> None:
        check_words(tilt, gaps)
        self.modality = modality
        self.tilt: Tilt = tilt
        self.gaps: Gaps = gaps

    def verify_suffix(self, filename: Paths) -> bool:
        """Whether all paths are folders, zips or DICOM files."""
        return all(is_dicom(split_reference(path)[0]) for path in _paths(filename))

    def read(self, data: Paths, **kwargs: object) -> PendingSeries:
        """Note what to read.

        Raises:
            UsageError: If it is no DICOM, so that `LoadImaged` goes on to the next reader.
        """
        if not self.verify_suffix(data):
            raise UsageError("no DICOM folder, zip or file; give it to another reader")
        return PendingSeries(_paths(data))

    def get_data(self, img: PendingSeries) -> tuple[NDArray[Any], dict[str, Any]]:
        """Read it.

        Returns:
            The array `(I, J, K)`, and the metadata that MONAI's transforms use, with what
            was done to the series.

        Raises:
            InputError: See `read_dicom_series`.
        """
        if len(img.paths) != 1:
            what = f"{len(img.paths)} paths were given for one image"
            raise refuse(what, "give the folder, the zip or the multi-frame file of one series")
        volume = read_dicom_series(
            img.paths[0], modality=self.modality, tilt=self.tilt, gaps=self.gaps
        )
        meta: dict[str, Any] = {
            MetaKeys.AFFINE: volume.affine.copy(),
            MetaKeys.ORIGINAL_AFFINE: volume.affine.copy(),
            MetaKeys.SPATIAL_SHAPE: np.asarray(volume.array.shape),
            MetaKeys.SPACE: SpaceKeys.RAS,
            MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),
        }
        return volume.array, {**meta, **_plain(volume.facts)}


def _paths(data: Paths) -> tuple[str, ...]:
    alone = isinstance(data, str | PathLike)
    return (str(Path(data)),) if alone else tuple(str(path) for path in data)


def _plain(facts: DicomFacts) -> dict[str, str | float]:
    """Facts that a data loader can put into a batch: texts and numbers only."""
    return {
        "dicom_series_uid": facts.series_uid,
        "dicom_modality": facts.modality,
        "dicom_tilt_degrees": facts.tilt_degrees,
        "dicom_straightened_mm": facts.straightened_mm,
        "dicom_interpolated": " ".join(map(str, facts.interpolated)),
    }
