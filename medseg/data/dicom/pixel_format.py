"""Pixel format of a DICOM file: how its words become stored values.

pydicom takes the low bits of each word, whatever HighBit says, and refuses files that lack an
element which has only one sensible value. Here the elements are completed or refused by name
before it decodes, and words are shifted where the value lies higher.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless

from medseg.data.dicom.coded_size import coded_size, offsets
from medseg.data.dicom.tags import ElementError, first_text

__all__ = ["PixelFormat", "complete_format"]

# Two bytes of RLE become at most 128.
MOST_RLE = 64
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
WORDS = (1, 8, 16, 32, 64)


@dataclass(frozen=True)
class PixelFormat:
    """How stored values lie in the words of a file.

    Attributes:
        shift: Unused bits below the value.
        unused: Unused bits above and below the value; 0 if pydicom has removed them.
        padding: Lowest and highest stored value of pixels outside of what was imaged, if stated.
    """

    shift: int = 0
    unused: int = 0
    padding: tuple[int, int] | None = None

    def values(self, words: NDArray[Any]) -> NDArray[Any]:
        """Stored values of decoded words; the words themselves where nothing is to be changed.

        Padding that is brighter than the image, as -2000 becomes in unsigned words, takes the
        lowest value of its slice; darker padding stays.
        """
        if self.shift:
            # To the left until the value's sign is the word's, and back.
            words = (words << (self.unused - self.shift)) >> self.unused
        return words if self.padding is None else _without_bright(words, self.padding)


def complete_format(dataset: Dataset) -> PixelFormat:
    """Check the elements that describe pixels, and add those with only one sensible value.

    Args:
        dataset: With its transfer syntax; it is changed so that pydicom decodes it.

    Raises:
        ElementError: If an element is missing, or says what cannot be.
        ValueError: If there are no pixels, since the file is cut off.
    """
    if not any(keyword in dataset for keyword in PIXELS):
        raise ValueError
    _complete_grey(dataset)
    allocated = _number(dataset, "BitsAllocated", lambda bits: bits in WORDS)
    if "PixelData" not in dataset:
        _require_floats(dataset, allocated)
        return PixelFormat()
    _number(dataset, "PixelRepresentation", lambda sign: sign in (0, 1))
    stored = _number(dataset, "BitsStored", lambda bits: 1 <= bits <= allocated)
    if dataset.get("HighBit") is None:
        dataset.HighBit = stored - 1
    padding = _padding(dataset)
    high = _number(dataset, "HighBit", lambda bit: stored - 1 <= bit < allocated)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_compressed:
        _check_coded(dataset)
    _check_frames(dataset, "PixelData")
    if high == stored - 1:
        return PixelFormat(padding=padding)
    if syntax.is_compressed:
        raise ElementError(f"HighBit is {high} for {stored} bits of compressed pixels")
    dataset.BitsStored = allocated
    return PixelFormat(high - stored + 1, allocated - stored, padding)


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    ends = [dataset.get(key) for key in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    numbers = [end for end in ends if isinstance(end, int)]
    return (min(numbers), max(numbers)) if isinstance(ends[0], int) else None


def _without_bright(words: NDArray[Any], padding: tuple[int, int]) -> NDArray[Any]:
    # Nearly all padding is the darkest value there is.
    if padding[0] <= words.min():
        return words
    outside = (words >= padding[0]) & (words <= padding[1])
    if not outside.any() or outside.all():
        return words
    imaged = words[~outside]
    if padding[0] < imaged.mean():
        return words
    return np.where(outside, imaged.min(), words)


def _complete_grey(dataset: Dataset) -> None:
    photometric = first_text(dataset, "PhotometricInterpretation")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        # It says how bright a value is shown, not what the value is.
        dataset.PhotometricInterpretation = "MONOCHROME2"
    if dataset.get("SamplesPerPixel") is None:
        dataset.SamplesPerPixel = 1


def _number(dataset: Dataset, keyword: str, is_possible: Callable[[int], bool]) -> int:
    value = dataset.get(keyword)
    if value is None:
        raise ElementError(f"{keyword} is missing")
    if not isinstance(value, int) or not is_possible(value):
        shown = value if isinstance(value, int) else "not a number"
        raise ElementError(f"{keyword} is {shown}")
    return value


def _require_floats(dataset: Dataset, allocated: int) -> None:
    bits = 32 if "FloatPixelData" in dataset else 64
    if allocated != bits:
        raise ElementError(f"BitsAllocated is {allocated} for pixels of {bits} bits")
    _check_frames(dataset, "FloatPixelData" if bits == 32 else "DoubleFloatPixelData")


def _check_frames(dataset: Dataset, keyword: str) -> None:
    """Refuse pixels of more frames than are stated: those beyond would be left out silently."""
    content, stated = cast("bytes", dataset[keyword].value), dataset.get("NumberOfFrames") or 1
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        found = offsets(content)
    else:
        voxels = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
        found = len(content) * 8 // (voxels * dataset.BitsAllocated)
        if dataset[keyword].is_undefined_length:
            raise ElementError("TransferSyntaxUID says that compressed pixels are not compressed")
    if found > int(stated):
        raise ElementError(
            f"pixels are of {found} frames, Rows, Columns and NumberOfFrames say {stated}"
        )


def _check_coded(dataset: Dataset) -> None:
    """Refuse compressed pixels that cannot have the header's size: a decoder may take theirs."""
    if dataset.file_meta.TransferSyntaxUID == RLELossless:
        voxels = dataset.Rows * dataset.Columns * int(dataset.get("NumberOfFrames") or 1)
        if voxels * dataset.BitsAllocated // 8 > MOST_RLE * len(cast("bytes", dataset.PixelData)):
            raise ElementError("Rows or Columns is more than the file can hold")
    size = coded_size(cast("bytes", dataset.PixelData))
    if size not in (None, (dataset.Rows, dataset.Columns)):
        raise ElementError("Rows or Columns is not what the compressed pixels say")
