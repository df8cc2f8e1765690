"""Label overlay on a 2-D picture: the image, and next to it the image with the label.

The same input gives the same file, byte for byte.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._files import write_atomically
from medseg.data.label_kind import LabelKind, as_classes
from medseg.errors import DataError
from medseg.reports.panels import COMPRESSION, Entry, Panel, class_colour, compose

__all__ = ["overlay_picture"]

_WINDOW_PERCENTILES = (0.5, 99.5)
_MOST_ENTRIES = 24


def overlay_picture(  # noqa: PLR0913 - one argument for each thing that is drawn or named
    image: NDArray[Any],
    label: NDArray[Any],
    path: str | Path,
    *,
    case: str,
    class_names: Sequence[str],
    kind: LabelKind = "classes",
    reference: NDArray[Any] | None = None,
) -> None:
    """Draw a PNG: the image, and the image with the label's outlines and fills.

    Args:
        image: `(I, J)` grey, or `(I, J, 3)` RGB from 0 to 255.
        label: `(I, J)`, class indices, or object numbers if `kind` is `instances`.
        path: Output file; an existing one is replaced.
        case: The title.
        class_names: One for each class, the background's first.
        kind: Meaning of the label's values; objects are drawn in seven colours.
        reference: `(I, J)` of the same kind, drawn as a white line; or None.

    Raises:
        DataError: If the shapes differ.
    """
    shapes = [array.shape[:2] for array in (image, label, reference) if array is not None]
    if len(set(shapes)) != 1 or label.ndim != 2:
        raise DataError(f"{case}: image and label must be one picture (I, J), got {shapes}")
    pixels, note = (_colours(image), "") if image.ndim == 3 else _grey(image)
    size_mm = (float(label.shape[1]), float(label.shape[0]))
    plain, drawn = (
        Panel(grey=pixels, label=values, reference=line, size_mm=size_mm, caption="", sides=None)
        for values, line in ((np.zeros_like(label), None), (label, reference))
    )
    legend = _legend(label, class_names, kind)
    if reference is not None:
        legend = [Entry("reference", None), *legend]
    page = compose(case, [[plain, drawn]], legend[:_MOST_ENTRIES], note)
    write_atomically(path, partial(page.save, compress_level=COMPRESSION))


def _colours(image: NDArray[Any]) -> NDArray[np.uint8]:
    return image.clip(0, 255).round().astype(np.uint8)


def _grey(image: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    low, high = (float(v) for v in np.percentile(image, _WINDOW_PERCENTILES))
    scaled = (image.astype(np.float32) - low) / max(high - low, 1e-6)
    grey = (255 * scaled.clip(0, 1)).round().astype(np.uint8)
    return grey, f"Grey values {low:.4g} to {high:.4g}."


def _legend(label: NDArray[Any], class_names: Sequence[str], kind: LabelKind) -> list[Entry]:
    counts = np.bincount(as_classes(label, kind).ravel(), minlength=len(class_names))
    shares = 100 * counts / label.size
    if kind == "instances":
        count = int(np.count_nonzero(np.unique(label)))
        return [Entry(f"{class_names[1]}: {count}, {shares[1]:.1f} %", class_colour(1))]
    return [
        Entry(f"{name} {share:.1f} %", class_colour(value))
        for value, (name, share) in enumerate(
            zip(class_names[1:], shares[1:], strict=True), start=1
        )
    ]
