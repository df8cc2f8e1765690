"""Label of a DICOM series, with the information that its DICOM outputs state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medseg.data.manifest import Label
from medseg.data.source import Source
from medseg.errors import UsageError

if TYPE_CHECKING:
    from medseg.data.dicom.find import DicomSeries

__all__ = ["Algorithm", "DicomLabel", "Share"]

# DICOM's LO: at most this many characters; a backslash would separate two values.
MAX_CHARACTERS = 64
# A series' description has half of these for the names of the classes.
MAX_BRIEF = 32
SNOMED = re.compile(r"[0-9]{6,18}")


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """The algorithm that made a label.

    Attributes:
        name: Of the bundle; at most 64 characters.
        version: Of the bundle; likewise.
        digest: Of the bundle's files; likewise, so that a hexadecimal SHA-256 fits.
        weights: Digest of the weights' tensors; likewise.
        caution: What a reader of the result has to know of the weights; likewise.
        brief: The same in a few words, for titles; at most 32 characters.

    Raises:
        UsageError: If one of them is empty, too long, or holds a backslash or a line's end.
    """

    name: str
    version: str
    digest: str
    weights: str
    caution: str
    brief: str

    def __post_init__(self) -> None:
        for what in ("name", "version", "digest", "weights", "caution"):
            _check_text(f"the algorithm's {what}", getattr(self, what))
        _check_text("the algorithm's brief caution", self.brief, most=MAX_BRIEF)


@dataclass(frozen=True, kw_only=True)
class Share:
    """A structure's share of the one that contains it.

    Attributes:
        of: Name of the whole, one of the label's classes.
        percent: Share of the whole with all its parts, in [0, 100]; None if that is empty.
    """

    of: str
    percent: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class DicomLabel:
    """A label in the grid of its series, as read by `read_dicom_series`.

    Attributes:
        array: `(I, J, K)`, integers that `labels` name.
        affine: `(4, 4)`, from voxel indices to millimetres, RAS+; the volume's own.
        reference: The source: a path, a path and a UID, or the series that was read.
        labels: Names of the values, counting up from 0, the background; at most 64 characters
            each, with a SNOMED CT identifier as `snomed` if there is one.
        algorithm: The algorithm that made the label.
        shares: For a structure, by its name, its share of the one that contains it.
        body_part: DICOM's term for what the image shows, where the series does not say it.
        warnings: What is remarkable about the image, for the report.
        created: Time of creation. With equal inputs, the outputs are equal to the byte.

    Raises:
        UsageError: If one of them is invalid.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]
    reference: "DicomSeries | Source | str | Path"
    labels: Sequence[Label]
    algorithm: Algorithm
    shares: Mapping[str, Share] = field(default_factory=dict[str, Share])
    body_part: str | None = None
    warnings: Sequence[str] = ()
    created: datetime = field(default_factory=datetime.now)

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or self.array.dtype.kind not in "ui" or self.array.size == 0:
            got = f"{self.array.dtype.name} {self.array.shape}"
            raise UsageError(f"a DICOM label must be whole numbers (I, J, K), got {got}")
        if self.affine.shape != (4, 4) or not _is_invertible(self.affine):
            raise UsageError("a DICOM label needs its image's affine, (4, 4) and invertible")
        _check_labels(self.labels)
        low, high = int(self.array.min()), int(self.array.max())
        if low < 0 or high >= len(self.labels):
            what = f"the label holds {low if low < 0 else high}"
            raise UsageError(
                f"{what}, but labels name 0 to {len(self.labels) - 1}; name all values"
            )

    @property
    def segments(self) -> Sequence[Label]:
        """The labels without the background; the value is the segment's number."""
        return self.labels[1:]


def _is_invertible(affine: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(affine).all() and abs(np.linalg.det(affine)) > 0)


def _check_labels(labels: Sequence[Label]) -> None:
    values = [label.value for label in labels]
    if len(values) < 2 or values != list(range(len(values))):
        raise UsageError(f"labels must count up from 0 (background) to 1 or more, got {values}")
    for label in labels[1:]:
        _check_text(f"the name of label {label.value}", label.name)
        if label.snomed is not None and not SNOMED.fullmatch(label.snomed):
            what = f"snomed of label {label.value} must be 6 to 18 digits, got {label.snomed!r}"
            raise UsageError(f"{what}; look up the concept, or omit it")


def _check_text(what: str, text: str, most: int = MAX_CHARACTERS) -> None:
    if not text.strip() or len(text) > most or "\\" in text or not text.isprintable():
        limit = f"1 to {most} printable characters without a backslash"
        raise UsageError(f"{what} must have {limit} for DICOM, got {text!r}")
