"""Files of a user's data set, however they are named, and the manifest of them.

One door for every command that takes a user's own images: a pattern, a pattern for each channel, or
a folder with a dataset.json.
"""

from dataclasses import dataclass
from pathlib import Path

from medseg.data.channel import Modality
from medseg.data.datasets.channel_files import read_channel_options
from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest
from medseg.data.datasets.collect_channels import channel_modality, collect_channels
from medseg.data.datasets.dataset_json import collect_dataset_json, dataset_json_modality
from medseg.data.datasets.found_files import find_files
from medseg.data.manifest import Manifest
from medseg.errors import UsageError

__all__ = ["DatasetFiles", "collect_files"]

_WAYS = "give --images and --labels, --channel NAME=PATTERN and --labels, or a folder"


@dataclass(frozen=True, kw_only=True)
class DatasetFiles:
    """How a user names the files of a data set.

    Attributes:
        folder: Of a dataset.json.
        images: Pattern of the images.
        channels: `NAME=PATTERN` of each channel, instead.
        labels: Pattern of the labels.

    Raises:
        UsageError: If they are not one of these ways.
    """

    folder: Path | None = None
    images: str | None = None
    channels: tuple[str, ...] = ()
    labels: str | None = None

    def __post_init__(self) -> None:
        ways = (self.folder is not None, self.images is not None, bool(self.channels))
        if sum(ways) > 1 or (self.folder is not None and self.labels is not None):
            raise UsageError(f"{_WAYS} with a dataset.json; one of them")
        if not any(ways):
            raise UsageError(f"no images are named; {_WAYS} with a dataset.json")
        if self.folder is None and self.labels is None:
            raise UsageError("--labels is missing; give the labels as a quoted pattern")
        read_channel_options(self.channels)

    def modality(self, given: Modality | None) -> Modality:
        """The modality that is given, or that the first channel's name tells.

        Raises:
            UsageError: If it is not known, or a channel's name tells none and none is given.
        """
        known = given
        if given is None:
            _require_told(tuple(read_channel_options(self.channels)))
        if known is None and self.folder is not None:
            known = dataset_json_modality(self.folder)
        if known is None and self.channels:
            known = channel_modality(next(iter(read_channel_options(self.channels))))
        if known is None:
            raise UsageError(
                "--modality is missing; add --modality CT (or MR, PT, US, microscopy, histology)"
            )
        return known


def _require_told(channels: tuple[str, ...]) -> None:
    for name in channels:
        if channel_modality(name) is None:
            raise UsageError(
                f"--channel {name}: its name tells no modality; call it after one (ct, pet, mr, "
                "t1, t2, flair, us), or add --modality MR, which is that of every such channel"
            )


def collect_files(files: DatasetFiles, info: DatasetInfo, plan: SplitPlan) -> tuple[Manifest, Path]:
    """The manifest of a user's files, and the folder that its paths are relative to.

    Args:
        files: How they are named.
        info: Description supplied by the user.
        plan: How the cases are split.

    Raises:
        DataError: See `collect_manifest`, `collect_channels` and `collect_dataset_json`.
        UsageError: Likewise.
    """
    if files.folder is not None:
        return collect_dataset_json(files.folder, info, plan)
    if files.channels:
        channels = read_channel_options(files.channels)
        labels = find_files(files.labels or "", option="--labels")
        return collect_channels(channels, labels, info, plan)
    images = find_files(files.images or "", option="--images")
    return collect_manifest(images, find_files(files.labels or "", option="--labels"), info, plan)
