"""Reading of one case for a plan: its facts, and its report as `medseg data check` gives it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from medseg.data.datalists import case_label, image_paths
from medseg.data.datasets.expected import expected_by
from medseg.data.datasets.facts import CaseReport, image_facts, label_facts
from medseg.data.datasets.intake import image_problems, judge_label
from medseg.data.datasets.neighbours import sketch_of
from medseg.data.images.channels import on_first_grid, read_channels
from medseg.data.images.picture import Picture, read_label
from medseg.data.images.volume import Volume
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Case, Manifest
from medseg.data.problems import InputError
from medseg.planning.fingerprint.case_facts import CaseFacts, ChannelFacts, ClassFacts
from medseg.planning.fingerprint.structures import (
    class_facts,
    hole_sizes,
    object_facts,
    quantiles,
    touching_share,
)

__all__ = ["ReadCase", "read_case"]

# Enough for a percentile to 0.1 of one.
SAMPLE = 200_000
# Channels of a grey picture that was saved in colour differ by rounding alone.
_GREY_WITHIN = 3.0
_DARK = 0.1

_nibabel = cast("Any", nib)


@dataclass(frozen=True)
class ReadCase:
    """Facts of a case, None if it cannot be used, and its report."""

    facts: CaseFacts | None
    report: CaseReport


def read_case(case: Case, manifest: Manifest, folder: Path) -> ReadCase:
    """Read image and label of a case, check both and measure them; never raises for bad input.

    Args:
        case: Of the manifest.
        manifest: The data set.
        folder: Of its files.
    """
    place = "test" if case.fold is None else f"fold {case.fold}"
    empty = CaseReport(
        case=case.case, patient=case.patient, place=place, image=None, labels=(), problems=()
    )
    try:
        image = read_channels(image_paths(case, folder, len(manifest.channels)))
        source = case_label(case, folder, manifest)
        label = None if source is None else read_label(source)
    except InputError as error:
        return ReadCase(None, replace(empty, problems=(error.problem,)))
    report = replace(
        empty,
        image=image_facts(image),
        problems=image_problems(image, expected_by(manifest)),
        sketch=sketch_of(image.array),
    )
    if label is None:
        return ReadCase(None, report)
    values = [one.value for one in manifest.labels]
    judged = judge_label(label, image, values, manifest.label_kind)
    report = replace(
        report,
        labels=label_facts(judged.counts, manifest.labels, label.spacing_mm),
        problems=(*report.problems, *judged.problems),
    )
    if any(problem.severity == "error" for problem in report.problems):
        return ReadCase(None, report)
    return ReadCase(_facts(case.case, image, label, manifest), report)


def _facts(
    name: str, image: Volume | Picture, label: Volume | Picture, manifest: Manifest
) -> CaseFacts:
    order = _axes(image)
    pixels, stored = _turned(image.array, order), _turned(label.array, order)
    classes = as_classes(stored, manifest.label_kind)
    spacing = (1.0, 1.0) if image.spacing_mm is None else tuple(image.spacing_mm[a] for a in order)
    grey = pixels if pixels.ndim == classes.ndim else pixels.mean(axis=-1)
    marked = classes > 0
    first = _intensities(grey, marked)
    numbered = manifest.label_kind == "instances"
    return CaseFacts(
        case=name,
        kind="picture" if isinstance(image, Picture) else "volume",
        shape=tuple(int(size) for size in classes.shape),
        spacing=tuple(float(one) for one in spacing),
        orientation=image.orientation,
        colour=_colour(pixels, classes.ndim),
        inside=first.inside,
        outside=first.outside,
        zeros=first.zeros,
        dark=first.dark,
        box=_box_shape(marked),
        classes=_classes(classes, stored, manifest, spacing),
        touching=touching_share(stored) if numbered else 0.0,
        holes=quantiles(hole_sizes(marked)) if numbered else (),
        others=tuple(_intensities(other, marked) for other in _others_of(image, order)),
    )


def _others_of(image: Volume | Picture, order: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Yield the other channels of a volume, in the grid of the first."""
    if isinstance(image, Volume) and image.others:
        for other in on_first_grid(image)[1:]:
            yield _turned(other, order)


def _intensities(grey: NDArray[Any], marked: NDArray[np.bool_]) -> ChannelFacts:
    whole = _sample(grey)
    low, high = (float(end) for end in np.percentile(whole, (0.5, 99.5)))
    return ChannelFacts(
        inside=quantiles(_sample(grey[marked])),
        outside=quantiles(_sample(grey[~marked])),
        zeros=float((whole == 0).mean()),
        dark=float((whole < low + _DARK * (high - low)).mean()),
    )


def _axes(image: Volume | Picture) -> tuple[int, ...]:
    """The array axis along R-L, A-P and S-I, as a recipe turns it; of a picture row and column."""
    if isinstance(image, Picture):
        return (0, 1)
    along = _nibabel.io_orientation(image.affine)[:, 0]
    return tuple(int(axis) for axis in np.argsort(along))


def _turned(array: NDArray[Any], order: Sequence[int]) -> NDArray[Any]:
    if len(order) == 2:
        return array[:, :, 0]
    return array.transpose(order) if array.ndim == 3 else array.transpose((*order, 3))


def _classes(
    classes: NDArray[Any], stored: NDArray[Any], manifest: Manifest, spacing: Sequence[float]
) -> tuple[ClassFacts, ...]:
    if manifest.label_kind == "instances":
        return (object_facts(stored, spacing),)
    return tuple(
        class_facts(label.value, classes == label.value, spacing) for label in manifest.labels[1:]
    )


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // SAMPLE)].astype(np.float64)


def _colour(pixels: NDArray[Any], axes: int) -> str:
    if pixels.ndim == axes:
        return "grey"
    spread = pixels.max(axis=-1).astype(np.float64) - pixels.min(axis=-1)
    return "rgb" if float(np.percentile(spread, 99)) > _GREY_WITHIN else "grey"


def _box_shape(marked: NDArray[np.bool_]) -> tuple[int, ...]:
    lines = [
        np.flatnonzero(marked.any(axis=_across(axis, marked.ndim))) for axis in range(marked.ndim)
    ]
    return tuple(int(line[-1] - line[0]) + 1 if line.size else 0 for line in lines)


def _across(axis: int, axes: int) -> tuple[int, ...]:
    return tuple(other for other in range(axes) if other != axis)
