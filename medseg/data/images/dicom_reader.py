"""DicomSeriesReader: DICOM series for MONAI's `LoadImaged`.

MONAI's own readers stack tilted, incomplete and mixed series by guess.
"""

import math
from typing import TYPE_CHECKING, Any

from monai.data.image_reader import ImageReader
from numpy.typing import NDArray

from medseg.data.dicom.allowances import Gaps, Tilt, check_words
from medseg.data.dicom.input import is_dicom
from medseg.data.images.channel_reading import channels_as_read
from medseg.data.images.naming import VOLUME_SUFFIXES
from medseg.data.images.reader_common import Paths, PendingRead, narrow, paths_of, place_of
from medseg.data.source import parse_source
from medseg.errors import UsageError

if TYPE_CHECKING:
    from medseg.data.dicom.series import DicomFacts

__all__ = ["DicomSeriesReader"]


class DicomSeriesReader(ImageReader):
    """Reads a DICOM series from a folder, a tree, a zip, a multi-frame file or `PATH#UID`.

    In a bundle: `reader: medseg.data.DicomSeriesReader`, or, for files as well,
    `reader: [medseg.data.DicomSeriesReader, medseg.data.VolumeReader]`, where the last one is
    tried first. Array and affine are those of `read_dicom_series`. Several paths, of which others
    may be volume files, become channels in the grid of the first, see `on_first_grid`.

    Args:
        modality: Modality that series must have, e.g. `CT`; None accepts any.
        tilt: `refuse` or `resample` a tilted stack.
        gaps: `refuse` or `interpolate` missing slices.

    Raises:
        UsageError: If a word is unknown.
    """

    def __init__(
        self, *, modality: str | None = None, tilt: Tilt = "refuse", gaps: Gaps = "refuse"
    ) -> None:
        check_words(tilt, gaps)
        self.modality = modality
        self.tilt: Tilt = tilt
        self.gaps: Gaps = gaps

    def verify_suffix(self, filename: Paths) -> bool:
        """Whether all paths are folders, zips or DICOM files; of channels, at least one."""
        paths = paths_of(filename)
        of_dicom = [is_dicom(parse_source(path).path) for path in paths]
        volumes = [path.lower().endswith(VOLUME_SUFFIXES) for path in paths]
        either = (dicom or volume for dicom, volume in zip(of_dicom, volumes, strict=True))
        return any(of_dicom) and all(either)

    def read(self, data: Paths, **kwargs: object) -> PendingRead:
        """Store the paths for `get_data`.

        Raises:
            UsageError: If they are not DICOM, so that `LoadImaged` tries the next reader.
        """
        if not self.verify_suffix(data):
            raise UsageError("not a DICOM folder, zip or file; use another reader")
        return PendingRead(paths_of(data))

    def get_data(self, img: PendingRead) -> tuple[NDArray[Any], dict[str, Any]]:
        """Read the series.

        Returns:
            The array `(I, J, K)`, or `(C, I, J, K)` of several paths, see `narrow`, and the
            metadata that MONAI's transforms use, with the changes made to a single series.

        Raises:
            InputError: See `read_dicom_series` and `read_channels`.
        """
        path, *others = img.paths
        if others:
            return channels_as_read(img.paths, tilt=self.tilt, gaps=self.gaps)
        # Imported on first use: pydicom and highdicom are slow, and every bundle has this reader.
        from medseg.data.dicom.series import read_dicom_series

        volume = read_dicom_series(
            parse_source(path), modality=self.modality, tilt=self.tilt, gaps=self.gaps
        )
        place = place_of(volume.affine, volume.array.shape, channel_dim=math.nan)
        return narrow(volume.array), {**place, **_plain(volume.facts)}


def _plain(facts: "DicomFacts") -> dict[str, str | float]:
    """Facts as texts and numbers, which a data loader can collate."""
    return {
        "dicom_series_uid": facts.series_uid,
        "dicom_modality": facts.modality,
        "dicom_tilt_degrees": facts.tilt_degrees,
        "dicom_straightened_mm": facts.straightened_mm,
        "dicom_interpolated": " ".join(map(str, facts.interpolated)),
    }
