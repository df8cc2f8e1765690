"""Images of a folder: which of its files are the images, and what else is in it.

Volumes come first, then DICOM, then pictures: a folder of volumes may hold pictures made of them.
Labels of a DICOM series are often volumes that lie beside it, and are told by their names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg._checks import first_few
from medseg.data.datasets.pairs import LABEL_WORDS
from medseg.data.dicom.input import is_dicom
from medseg.data.images.naming import (
    OTHER_SUFFIXES,
    image_format,
    image_stem,
    is_picture,
    is_volume,
    without_outputs,
)
from medseg.data.walk import Tree
from medseg.errors import DataError

__all__ = ["FolderImages", "left_out", "sort_folder"]

_MORE_LABEL_WORDS = ("segmentation", "segmentations", "masks", "roi", "annotation", "annotations")
# Suffixes that DICOM files may have; a number is a part of a UID.
_DICOM_SUFFIX = re.compile(r"|\.(dcm|dicom|dic|ima|img)|\.[0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class FolderImages:
    """What a folder is read as.

    Attributes:
        kind: `dicom` if its images are DICOM, `either` if they are DICOM if there is any, and
            else pictures.
        files: The volumes, or the pictures; sorted, links to nothing among them.
        labels: Files that were taken for labels of DICOM, by their names.
        beside: Pictures that were left out, since there are volumes.
        others: Images of formats that are not read.
    """

    kind: Literal["volumes", "dicom", "either"]
    files: tuple[Path, ...]
    labels: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()


def sort_folder(folder: Path, tree: Tree, outputs: Sequence[Path] = ()) -> FolderImages:
    """Find out which files of a folder are its images.

    Args:
        folder: The folder, for the error.
        tree: Its files.
        outputs: Those of earlier predictions, which are left out.

    Raises:
        DataError: If there are DICOM files and volumes whose names do not end like a label's.
    """
    written = set(outputs)
    files = [file for file in tree.files if file not in written]
    named = [*files, *tree.missing, *tree.special]
    volumes = tuple(sorted(without_outputs(filter(is_volume, named))))
    pictures = tuple(sorted(without_outputs(filter(is_picture, named))))
    others = tuple(file for file in named if file.name.lower().endswith(OTHER_SUFFIXES))
    if not volumes:
        return FolderImages("either", pictures, others=others)
    if not any(map(_is_dicom, files)):
        return FolderImages("volumes", volumes, beside=pictures, others=others)
    others = [file for file in volumes if not _is_label(file, folder)]
    if others:
        names = first_few((file.name for file in others), 3)
        raise DataError(
            f"{folder}: holds DICOM and {len(others)} other volumes, {names}; give the folder of "
            "the DICOM alone, or the volumes by their names (labels end in _seg, _mask, _label)"
        )
    return FolderImages("dicom", (), volumes)


def left_out(images: FolderImages, kind: str) -> dict[str, int]:
    """Number of files that are no images here though they could be, by reason.

    Args:
        images: Of a folder.
        kind: What was taken: `dicom`, or the folder's `kind`.
    """
    # DICOM needs no suffix, and may have those of other formats.
    others = () if kind == "dicom" else images.others
    ends = {next(end for end in OTHER_SUFFIXES if f.name.lower().endswith(end)) for f in others}
    counts = {
        "volumes that are labels by their names": len(images.labels),
        "pictures, as there are volumes": len(images.beside),
        f"files of formats that are not read ({first_few(sorted(ends))})": len(others),
    }
    return {reason: count for reason, count in counts.items() if count}


def _is_dicom(file: Path) -> bool:
    known = image_format(file) is not None or not _DICOM_SUFFIX.fullmatch(file.suffix)
    return not known and is_dicom(file)


def _is_label(file: Path, folder: Path) -> bool:
    """Whether the name of a file ends like a label's, or that of a folder that it is in."""
    words = {*LABEL_WORDS, *_MORE_LABEL_WORDS}
    parts = (image_stem(file), *file.relative_to(folder).parent.parts)
    return any(re.split(r"[_\-. ]", part)[-1].lower() in words for part in parts)
