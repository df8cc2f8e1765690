"""VolumeReader: NIfTI, NRRD and MetaImage files for MONAI's `LoadImaged`.

MONAI's `NibabelReader` stops before the checksum of a compressed file, so it accepts damaged
voxels, its errors are lost among those of other readers, and large files take 1.5 times as long.
"""

import math
from typing import Any

from monai.data.image_reader import ImageReader
from numpy.typing import NDArray

from medseg.data.images.channel_reading import channels_as_read
from medseg.data.images.geometry import at_right_angles
from medseg.data.images.naming import VOLUME_SUFFIXES
from medseg.data.images.reader_common import (
    Paths,
    PendingRead,
    narrow,
    paths_of,
    place_of,
    whole_if_label,
)
from medseg.data.images.volume import Volume, read_volume
from medseg.data.label_source import parse_label_source
from medseg.errors import UsageError

__all__ = ["VolumeReader"]


class VolumeReader(ImageReader):
    """Reads a volume from one file, as `read_volume` does, or several channels of one image.

    Several files become channels in the grid of the first, see `on_first_grid`.

    In a recipe: `{_target_: LoadImaged, keys: image, reader: medseg.data.VolumeReader}`, or with
    `reader: [medseg.data.DicomSeriesReader, medseg.data.VolumeReader]` for DICOM series as well;
    the last one is tried first.
    """

    def verify_suffix(self, filename: Paths) -> bool:
        """Whether all paths have a volume's suffix, or are a label in DICOM (`LabelSource`)."""
        return all(
            path.lower().endswith(VOLUME_SUFFIXES) or parse_label_source(path) is not None
            for path in paths_of(filename)
        )

    def read(self, data: Paths, **kwargs: object) -> PendingRead:
        """Store the paths for `get_data`.

        Raises:
            UsageError: If one is not a volume, so that `LoadImaged` tries the next reader.
        """
        if not self.verify_suffix(data):
            raise UsageError(f"not a {' '.join(VOLUME_SUFFIXES)} file; use another reader")
        return PendingRead(paths_of(data))

    def get_data(self, img: PendingRead) -> tuple[NDArray[Any], dict[str, Any]]:
        """Read the volume.

        Returns:
            The array `(I, J, K)`, or `(C, I, J, K)` of several files, see `narrow`, and the
            metadata that MONAI's transforms use.

        Raises:
            InputError: See `read_volume` and `read_channels`.
        """
        path, *others = img.paths
        if others:
            return channels_as_read(img.paths)
        volume = _volume(path)
        array = narrow(whole_if_label(volume.array))
        affine = at_right_angles(volume.affine, volume.shape)
        return array, place_of(affine, volume.shape, channel_dim=math.nan)


def _volume(path: str) -> Volume:
    source = parse_label_source(path)
    if source is None:
        return read_volume(path)
    # Imported on first use: pydicom and highdicom are slow, and every bundle has this reader.
    from medseg.data.images.clinic_label import read_clinic_label

    return read_clinic_label(source) or read_volume(source.path, where="label")
