"""Label overlay montage of a volume: axial and coronal slices in radiological convention.

Scores do not show that a mask is mirrored, shifted or in the wrong organ; a picture does. Axial
slices from head to foot, then a row of coronal slices from front to back, all with the patient's
right on the left. The same input gives the same file, byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medseg._files import write_atomically
from medseg.data.colours import class_colour
from medseg.data.wording import in_words, rounded_ml
from medseg.errors import DataError
from medseg.reports.display_window import DisplayWindow, display_window
from medseg.reports.hanging import Hanging, hang
from medseg.reports.page import COMPRESSION, Entry, Heading, compose
from medseg.reports.panels import Panel

__all__ = ["MontageOptions", "overlay_montage"]

Labels = NDArray[np.integer[Any]]
Box = tuple[slice, slice, slice]

_COLUMNS = 4
_AXIAL_SLICES = 12
# Margin around the labelled region, and the smallest region shown around a small lesion.
_MARGIN_MM = 15.0
_LEAST_MM = (160.0, 160.0, 100.0)
# With more than `_LIST_ALL` classes, the legend omits those that do not occur.
_LIST_ALL, _MOST_ENTRIES = 12, 24
_EMPTY = "The label is empty: no structure was found"
# Of planes turned by more than this the letters are said to be the nearest ones.
_OBLIQUE_DEGREES = 2.0
# Coronal slices of a flatter volume than this are omitted: they would be mere lines.
_LEAST_HEIGHT_TO_WIDTH = 0.1


@dataclass(frozen=True, kw_only=True)
class MontageOptions:
    """What a montage says besides the picture, and its grey-value window.

    Attributes:
        case: The case's identifier, and nothing that names a patient.
        class_names: One for each label value, the background's first.
        window: Image values that become black and white; None chooses by what is labelled.
        modality: Of the image, e.g. `CT`.
        title: The title, if it is not `case`.
        made_by: What made the label, with its version.
        cautions: What a reader has to know, a line each.
        remarks: For a class, by its name, what stands behind its volume.
        image_numbers: Number of each slice along the array's third axis where it has one, as an
            image of a DICOM series; else slices are counted.
    """

    case: str
    class_names: Sequence[str]
    window: tuple[float, float] | None = None
    modality: str = ""
    title: str | None = None
    made_by: str = ""
    cautions: Sequence[str] = ()
    remarks: Mapping[str, str] = field(default_factory=dict[str, str])
    image_numbers: Sequence[int | None] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scene:
    """Cropped arrays to draw, with axes towards left, posterior and superior."""

    grey: NDArray[np.uint8]
    label: Labels
    reference: Labels | None
    spacing_mm: tuple[float, float, float]
    hanging: Hanging
    shape: tuple[int, ...]
    box: Box
    numbers: Sequence[int | None] | None


def overlay_montage(
    image: NDArray[Any],
    label: Labels,
    affine: NDArray[np.float64],
    path: str | Path,
    options: MontageOptions,
    *,
    reference: Labels | None = None,
) -> None:
    """Draw a PNG of axial and coronal slices over the labelled part of a volume.

    The label is drawn as a coloured fill with an outline, the reference as a white line. If nothing
    is labelled, the whole volume is shown.

    Args:
        image: `(I, J, K)`, in any orientation.
        label: `(I, J, K)`, class indices.
        affine: `(4, 4)`, voxel to mm, RAS+; of all three.
        path: Output file; an existing one is replaced.
        options: Title, class names, window.
        reference: `(I, J, K)`, class indices, or None.

    Raises:
        DataError: If the shapes differ or are not those of a volume.
    """
    shapes = {array.shape for array in (image, label, reference) if array is not None}
    if len(shapes) != 1 or image.ndim != 3:
        raise DataError(
            f"{options.case}: image, label and reference must be one volume (I, J, K) each, "
            f"got {sorted(shapes)}"
        )
    _check_values(label, reference, options)
    hanging = hang(image.shape, affine)
    turned = hanging.turn(label)
    turned_reference = None if reference is None else hanging.turn(reference)
    labelled = _labelled(turned, turned_reference)
    box = _shown(labelled, hanging.spacing_mm, turned.shape)
    window = _window(hanging.turn(image)[box], labelled[box], options)
    scene = _Scene(
        grey=_grey(hanging.turn(image)[box], window),
        label=turned[box],
        reference=None if turned_reference is None else turned_reference[box],
        spacing_mm=hanging.spacing_mm,
        hanging=hanging,
        shape=turned.shape,
        box=box,
        numbers=options.image_numbers,
    )
    legend = _legend(scene, options)
    heading = Heading(
        title=options.case if options.title is None else options.title,
        made_by=options.made_by,
        cautions=[*options.cautions, *([] if label.any() else [_EMPTY])],
    )
    note = _note(window, len(legend), hanging, options)
    page = compose(heading, _rows(scene), legend[:_MOST_ENTRIES], note)
    write_atomically(path, partial(page.save, compress_level=COMPRESSION))


def _check_values(label: Labels, reference: Labels | None, options: MontageOptions) -> None:
    for what, values in (("label", label), ("reference", reference)):
        if values is not None and not 0 <= values.min() <= values.max() < len(options.class_names):
            raise DataError(
                f"{options.case}: {what} holds values from {values.min()} to {values.max()}, "
                f"but there are {len(options.class_names)} class names"
            )


def _labelled(label: Labels, reference: Labels | None) -> NDArray[np.bool_]:
    return label > 0 if reference is None else (label > 0) | (reference > 0)


def _shown(labelled: NDArray[np.bool_], spacing_mm: Sequence[float], shape: tuple[int, ...]) -> Box:
    i, j, k = (
        _interval(ends, mm, least, n)
        for ends, mm, least, n in zip(_extent(labelled), spacing_mm, _LEAST_MM, shape, strict=True)
    )
    return i, j, k


def _extent(labelled: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First labelled index and the one after the last, per axis; the whole axis without any."""
    extent: list[tuple[int, int]] = []
    for axis, n in enumerate(labelled.shape):
        others = tuple(other for other in range(labelled.ndim) if other != axis)
        indices = np.flatnonzero(labelled.any(axis=others))
        extent.append((int(indices[0]), int(indices[-1]) + 1) if len(indices) else (0, n))
    return extent


def _interval(ends: tuple[int, int], mm: float, least_mm: float, size: int) -> slice:
    start, stop = ends
    grow = max(_MARGIN_MM, (least_mm - (stop - start) * mm) / 2)
    voxels = round(grow / mm)
    return slice(max(0, start - voxels), min(size, stop + voxels))


def _window(
    image: NDArray[Any], labelled: NDArray[np.bool_], options: MontageOptions
) -> DisplayWindow:
    if options.window is None:
        return display_window(image, labelled, options.modality)
    return DisplayWindow(low=options.window[0], high=options.window[1], kind="Window")


def _grey(image: NDArray[Any], window: DisplayWindow) -> NDArray[np.uint8]:
    finite = np.nan_to_num(image.astype(np.float32))
    scaled = (finite - window.low) / max(window.high - window.low, 1e-6)
    return (255 * scaled.clip(0, 1)).round().astype(np.uint8)


def _rows(scene: _Scene) -> list[list[Panel]]:
    labelled = _labelled(scene.label, scene.reference)
    _, front_to_back, foot_to_head = _extent(labelled)
    axial = [_axial(scene, k) for k in reversed(_spread(*foot_to_head, _AXIAL_SLICES))]
    rows = [axial[start : start + _COLUMNS] for start in range(0, len(axial), _COLUMNS)]
    coronal = [_coronal(scene, j) for j in _spread(*front_to_back, _COLUMNS)]
    width_mm, height_mm = coronal[0].size_mm
    return rows if height_mm < _LEAST_HEIGHT_TO_WIDTH * width_mm else [*rows, coronal]


def _spread(start: int, stop: int, most: int) -> list[int]:
    """Up to `most` evenly spaced indices of the interval."""
    parts = min(most, stop - start)
    return [start + int((stop - start) * (i + 0.5) / parts) for i in range(parts)]


def _axial(scene: _Scene, k: int) -> Panel:
    i, j, _ = (n / 2 for n in scene.label.shape)
    _, above_mm = scene.hanging.front_and_top_mm(_in_volume(scene, (i, j, k)))
    width_mm, height_mm, _ = _size_mm(scene)
    return Panel(
        grey=scene.grey[:, :, k].T,
        label=scene.label[:, :, k].T,
        reference=None if scene.reference is None else scene.reference[:, :, k].T,
        size_mm=(width_mm, height_mm),
        caption=f"{'S' if above_mm >= 0 else 'I'} {abs(above_mm):.0f} mm{_number(scene, 2, k)}",
        ends=("A", "P"),
        unit="mm",
    )


def _coronal(scene: _Scene, j: int) -> Panel:
    i, _, k = (n / 2 for n in scene.label.shape)
    before_mm, _ = scene.hanging.front_and_top_mm(_in_volume(scene, (i, j, k)))
    width_mm, _, height_mm = _size_mm(scene)
    # Rows are drawn downwards: reverse the axis to put the head on top.
    return Panel(
        grey=scene.grey[:, j, ::-1].T,
        label=scene.label[:, j, ::-1].T,
        reference=None if scene.reference is None else scene.reference[:, j, ::-1].T,
        size_mm=(width_mm, height_mm),
        caption=f"{'A' if before_mm >= 0 else 'P'} {abs(before_mm):.0f} mm{_number(scene, 1, j)}",
        ends=("S", "I"),
        unit="mm",
    )


def _number(scene: _Scene, axis: int, index: int) -> str:
    """Number of a slice: of its DICOM image, or counted from 1 as in the file."""
    size = scene.shape[axis]
    stored, place = scene.hanging.stored_index(axis, index + scene.box[axis].start, size)
    number = scene.numbers[place] if scene.numbers is not None and stored == 2 else None
    return f", slice {place + 1} of {size}" if number is None else f", image {number}"


def _in_volume(scene: _Scene, voxel: tuple[float, float, float]) -> tuple[float, float, float]:
    i, j, k = (at + part.start for at, part in zip(voxel, scene.box, strict=True))
    return i, j, k


def _size_mm(scene: _Scene) -> tuple[float, float, float]:
    i, j, k = (n * mm for n, mm in zip(scene.label.shape, scene.spacing_mm, strict=True))
    return i, j, k


def _legend(scene: _Scene, options: MontageOptions) -> list[Entry]:
    class_names = options.class_names
    in_label = _volumes_ml(scene.label, scene, len(class_names))
    in_reference = (
        in_label
        if scene.reference is None
        else _volumes_ml(scene.reference, scene, len(class_names))
    )
    entries: list[Entry] = []
    for value, name in enumerate(class_names[1:], start=1):
        if in_label[value] or in_reference[value] or len(class_names) <= _LIST_ALL:
            text = f"{in_words(name)} {rounded_ml(in_label[value])} ml"
            if scene.reference is not None:
                text += f" (reference {rounded_ml(in_reference[value])} ml)"
            if name in options.remarks:
                text += f", {options.remarks[name]}"
            entries.append(Entry(text, class_colour(value)))
    return entries if scene.reference is None else [Entry("reference", None), *entries]


def _volumes_ml(label: Labels, scene: _Scene, classes: int) -> list[float]:
    ml = abs(float(np.linalg.det(scene.hanging.affine[:3, :3]))) / 1000
    return [ml * int(n) for n in np.bincount(label.ravel().astype(np.intp), minlength=classes)]


def _note(window: DisplayWindow, entries: int, hanging: Hanging, options: MontageOptions) -> str:
    more = f" {entries - _MOST_ENTRIES} more classes not listed." if entries > _MOST_ENTRIES else ""
    case = "" if options.title is None else f" {options.case}."
    turned = hanging.oblique_degrees
    oblique = f" Oblique by {turned:.0f} degrees: letters name the nearest side."
    return (
        f"{window.words}. Patient's right on the left. Slices at mm from the scanner's origin."
        f"{oblique if turned > _OBLIQUE_DEGREES else ''}{more}{case}"
    )
