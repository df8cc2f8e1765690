"""Label overlay on a 2-D picture: the image, and next to it the image with the label.

The same input gives the same file, byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg._files import write_atomically
from medseg.data.colours import PALETTE, class_colour
from medseg.data.label_kind import LabelKind, as_classes
from medseg.data.wording import in_words, rounded_percent
from medseg.errors import DataError
from medseg.reports.page import COMPRESSION, Entry, Heading, compose
from medseg.reports.panels import LabelAs, Mark, Panel

__all__ = ["PictureOptions", "overlay_picture"]

# scipy has no complete annotations.
_ndimage = cast("Any", ndimage)
# Two panels, large enough for numbers in cells.
_CELL = 640
_WINDOW_PERCENTILES = (0.5, 99.5)
_MOST_ENTRIES = 24
# Objects have numbers if these can be told apart.
_MOST_NUMBERS, _LEAST_NUMBERED_PX = 200, 18


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """What an overlay says besides the picture.

    Attributes:
        case: The title: the case's identifier.
        class_names: One for each class, the background's first.
        kind: Meaning of the label's values; objects are drawn in seven colours, with numbers.
        made_by: What made the label, with its version.
        cautions: What a reader has to know, a line each.
        remarks: For a class, by its name, what stands behind its area.
    """

    case: str
    class_names: Sequence[str]
    kind: LabelKind = "classes"
    made_by: str = ""
    cautions: Sequence[str] = ()
    remarks: Mapping[str, str] = field(default_factory=dict[str, str])


def overlay_picture(
    image: NDArray[Any],
    label: NDArray[Any],
    path: str | Path,
    options: PictureOptions,
    *,
    reference: NDArray[Any] | None = None,
) -> None:
    """Draw a PNG: the image, and the image with the label.

    On a grey image the label is a light fill with its outline; on one in colours, whose colours
    matter, the outline alone.

    Args:
        image: `(I, J)` grey, or `(I, J, 3)` RGB from 0 to 255.
        label: `(I, J)`, class indices, or object numbers if the kind is `instances`.
        path: Output file; an existing one is replaced.
        options: Title, class names, kind.
        reference: `(I, J)` of the same kind, drawn as a white line; or None.

    Raises:
        DataError: If the shapes differ.
    """
    shapes = [array.shape[:2] for array in (image, label, reference) if array is not None]
    if len(set(shapes)) != 1 or label.ndim != 2:
        raise DataError(f"{options.case}: image and label must be one picture (I, J), got {shapes}")
    pixels, note = (_colours(image), "") if image.ndim == 3 else _grey(image)
    label_as: LabelAs = "framed" if image.ndim == 3 else "filled"
    marks = _numbers(label) if options.kind == "instances" else []
    plain, drawn = (
        Panel(
            grey=pixels,
            label=values,
            reference=line,
            size_mm=(float(label.shape[1]), float(label.shape[0])),
            caption="",
            label_as=label_as,
            sides=None,
            unit="px",
            marks=numbers,
        )
        for values, line, numbers in ((np.zeros_like(label), None, []), (label, reference, marks))
    )
    legend = _legend(label, options)
    if reference is not None:
        legend = [Entry("reference", None), *legend]
    heading = Heading(title=options.case, made_by=options.made_by, cautions=options.cautions)
    page = compose(heading, [[plain, drawn]], legend[:_MOST_ENTRIES], note, cell=_CELL)
    write_atomically(path, partial(page.save, compress_level=COMPRESSION))


def _colours(image: NDArray[Any]) -> NDArray[np.uint8]:
    return image.clip(0, 255).round().astype(np.uint8)


def _grey(image: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    low, high = (float(v) for v in np.percentile(image, _WINDOW_PERCENTILES))
    scaled = (image.astype(np.float32) - low) / max(high - low, 1e-6)
    pixels = (255 * scaled.clip(0, 1)).round().astype(np.uint8)
    return pixels, f"Pixel values {low:.4g} to {high:.4g} from black to white."


def _numbers(label: NDArray[Any]) -> list[Mark]:
    """The number of each object at its centre, if there is room for it."""
    numbers, areas = np.unique(label[label > 0], return_counts=True)
    enlarged = _CELL / max(label.shape)
    roomy = np.sqrt(areas) * enlarged >= _LEAST_NUMBERED_PX
    if len(numbers) > _MOST_NUMBERS or not roomy.any():
        return []
    centres = np.asarray(_ndimage.center_of_mass(label > 0, label, numbers[roomy]))
    places = (centres + 0.5) / label.shape
    return [
        Mark(x=float(x), y=float(y), text=str(number))
        for number, (y, x) in zip(numbers[roomy].tolist(), places, strict=True)
    ]


def _legend(label: NDArray[Any], options: PictureOptions) -> list[Entry]:
    names = options.class_names
    counts = np.bincount(as_classes(label, options.kind).ravel(), minlength=len(names))
    shares = [rounded_percent(100 * int(n) / label.size) for n in counts]
    if options.kind == "instances":
        count = int(np.count_nonzero(np.unique(label)))
        text = f"{in_words(names[1])}: {count}, {shares[1]} % of the picture"
        return [Entry(text + _remark(names[1], options), class_colour(1), PALETTE[1:])]
    return [
        Entry(
            f"{in_words(name)} {shares[value]} % of the picture{_remark(name, options)}",
            class_colour(value),
        )
        for value, name in enumerate(names[1:], start=1)
    ]


def _remark(name: str, options: PictureOptions) -> str:
    return f", {options.remarks[name]}" if name in options.remarks else ""
