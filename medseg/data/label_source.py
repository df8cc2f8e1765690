"""Source of a label from a clinic: a DICOM SEG or RTSTRUCT, its image, and what its names mean.

Neither file says which voxels it labels nor which class a name stands for: contours are filled into
the grid of an image, and the names are a clinic's own. MONAI's readers get a single text, so the
source can be written as one, `PATH#label?...`, and is parsed once by whoever reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode

__all__ = ["LabelSource", "as_label_source", "label_source", "may_be_dicom", "parse_label_source"]

# Between path and the rest; no file of ours is called so, and MONAI's readers leave it as it is.
_MARK = "#label?"
_PREAMBLE = 128


@dataclass(frozen=True)
class LabelSource:
    """Location of a label in DICOM, and what is needed to read it as voxels of classes.

    Attributes:
        path: A SEG or RTSTRUCT file, or a folder that holds one.
        image: File or folder of the image whose grid the label gets; None if it is not known.
        class_names: One for each value, the background's first; empty takes a SEG's numbers.
        rois: Pattern of ROI or segment names and the class that they are, in the order in which
            they are painted; empty compares names with the classes' names.
    """

    path: Path
    image: Path | None = None
    class_names: tuple[str, ...] = ()
    rois: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def text(self) -> str:
        """The source as one text, which `parse_label_source` reads."""
        image = [] if self.image is None else [("image", str(self.image))]
        names = [("class", name) for name in self.class_names]
        rois = [pair for roi, name in self.rois for pair in (("roi", roi), ("is", name))]
        # Slashes are quoted, or a path's own would be made simpler with the text.
        query = urlencode([*image, *names, *rois], safe="")
        return f"{self.path}{_MARK}{query}"


def parse_label_source(text: object) -> LabelSource | None:
    """The source that a text stands for; None for a plain path."""
    path, mark, query = str(text).rpartition(_MARK)
    if not mark:
        return None
    found = parse_qs(query, keep_blank_values=True)
    image = found.get("image")
    return LabelSource(
        path=Path(path),
        image=Path(image[0]) if image else None,
        class_names=tuple(found.get("class", ())),
        rois=tuple(zip(found.get("roi", ()), found.get("is", ()), strict=True)),
    )


def label_source(
    path: Path,
    image: Path | None,
    class_names: Sequence[str],
    rois: Mapping[str, str],
) -> LabelSource | Path:
    """The source of a label that may be DICOM, with what its reader needs; others are their path.

    Args:
        path: The label.
        image: Its image; None if it is not known.
        class_names: One for each value, the background's first.
        rois: By pattern of names, the class.
    """
    if not may_be_dicom(path):
        return path
    return LabelSource(path, image, tuple(class_names), tuple(rois.items()))


def as_label_source(given: LabelSource | str | Path) -> LabelSource | None:
    """The source of what is given for a label; None if it is certainly not DICOM."""
    if isinstance(given, LabelSource):
        return given
    parsed = parse_label_source(given)
    if parsed is not None:
        return parsed
    return LabelSource(Path(given)) if may_be_dicom(Path(given)) else None


def may_be_dicom(path: Path) -> bool:
    """Whether a path is a folder, a `.dcm`, or a file with DICOM's magic."""
    try:
        if path.is_dir():
            return True
        if not path.is_file():  # opening a pipe may never end
            return False
        with path.open("rb") as stream:
            head = stream.read(_PREAMBLE + 4)
    except (OSError, ValueError):
        return False
    return path.suffix.lower() == ".dcm" or head[_PREAMBLE:] == b"DICM"
