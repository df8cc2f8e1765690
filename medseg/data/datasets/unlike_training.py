"""Warning that an image is unlike those that a network was trained on.

A network labels whatever it is given: a hippocampus in a spleen, lungs in an arm. Tolerances are
wide, as the warning is to be believed: cases of the training's own data set that were held out are
inside of them, images of another part of the body are not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from medseg.data.datasets.fingerprint import AXES, Fingerprint, Span
from medseg.data.problems import Problem

__all__ = ["Trained", "unlike_training"]

# Modalities that DICOM knows, too.
_OF_DICOM = ("CT", "MR", "PT", "US")
# Tolerances, as factors of the training's lowest and highest. A recipe that resamples loses nothing
# of finer voxels; lengths along a patient vary, and a network walks over a larger image.
_FINER, _COARSER = 4.0, 2.0
_SMALLER, _LARGER = 1.6, 2.0
_PIXELS = 4.0
# Of an intensity: the width of its own span, or this share of all intensities.
_NARROW = 0.2
# Resampling rings a little below 0.
_NEGATIVE = 0.1


class Trained(Protocol):
    """Fingerprint of the images of a training: the span of each number over the images."""

    @property
    def count(self) -> int:
        """Number of images."""
        ...

    @property
    def modality(self) -> str:
        """E.g. `CT`."""
        ...

    @property
    def spacing_mm(self) -> tuple[Span, ...] | None:
        """Along R-L, A-P and S-I; None of pictures."""
        ...

    @property
    def extent_mm(self) -> tuple[Span, ...]:
        """Along the same axes; height and width of pictures in pixels."""
        ...

    @property
    def percentiles(self) -> Mapping[str, Span]:
        """By percentile, its number as text."""
        ...

    @property
    def foreground(self) -> Mapping[str, Span]:
        """Likewise, of the foreground."""
        ...

    @property
    def others(self) -> "Sequence[Trained]":
        """Of the other channels."""
        ...


def unlike_training(found: Fingerprint, trained: Trained) -> tuple[Problem, ...]:
    """One warning if an image lies outside of those that the weights were trained on.

    Tolerances are wide: other cases of the training's data set are inside, another organ is not.

    Args:
        found: Of the image.
        trained: Of the images of the training.
    """
    of_kind = {
        "modality": list(_modality_reasons(found, trained)),
        "spacing": list(_spacing_reasons(found, trained)),
        "field of view": list(_extent_reasons(found, trained)),
        "intensities": list(_intensity_reasons(found, trained)),
    }
    kinds = [kind for kind, reasons in of_kind.items() if reasons]
    if not kinds:
        return ()
    unlike = "is unlike the images that the weights were trained on"
    what = f"{unlike}: {', '.join(reason for kind in kinds for reason in of_kind[kind])}"
    remedy = "check that this bundle is for such images; its label may mean nothing"
    return (Problem("warning", "image", what, remedy, f"{unlike}, by its {', '.join(kinds)}"),)


def _modality_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if found.modality and trained.modality in _OF_DICOM and found.modality != trained.modality:
        yield f"its modality is {found.modality} (there {trained.modality})"


def _spacing_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if found.spacing_mm is None or trained.spacing_mm is None:
        if found.spacing_mm != trained.spacing_mm:
            yield "it is a picture" if found.spacing_mm is None else "it is a volume"
        return
    thick = _single_slices(trained)
    yield from _worst(
        (
            _excess(value, there, _FINER, _COARSER),
            f"spacing along {axis} {value:.3g} mm (there {_words(there)})",
        )
        for axis, value, there in zip(AXES, found.spacing_mm, trained.spacing_mm, strict=True)
        if axis not in thick
    )


def _extent_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    if len(found.extent_mm) != len(trained.extent_mm):
        return
    picture = trained.spacing_mm is None
    axes, unit = (("down", "across"), "pixels") if picture else (AXES, "mm")
    smaller, larger = (_PIXELS, _PIXELS) if picture else (_SMALLER, _LARGER)
    thick = _single_slices(trained)
    yield from _worst(
        (
            _excess(value, there, smaller, larger),
            f"field of view {axis if picture else 'along ' + axis} {value:.4g} {unit} "
            f"(there {_words(there)})",
        )
        for axis, value, there in zip(axes, found.extent_mm, trained.extent_mm, strict=True)
        if axis not in thick
    )


def _single_slices(trained: Trained) -> tuple[str, ...]:
    """The axis across, if the training's images are single slices; it says nothing then."""
    rows = zip(AXES, trained.spacing_mm or (), trained.extent_mm, strict=False)
    return tuple(axis for axis, spacing, extent in rows if spacing == extent)


def _intensity_reasons(found: Fingerprint, trained: Trained) -> Iterator[str]:
    """One reason: values of another sign, another range, or another mixture of tissues."""
    common = [key for key in trained.percentiles if key in found.percentiles]
    if not common:
        return
    values = [found.percentiles[key] for key in common]
    lowest = min(trained.percentiles[key][0] for key in common)
    if lowest >= 0 and values[0] < -_NEGATIVE * (values[-1] - values[0]):
        yield f"values down to {values[0]:.4g} (there from {lowest:.4g} on)"
        return
    # Every MR scanner has its own scale.
    rated = [] if trained.modality == "MR" else list(_rated_percentiles(found, trained, common))
    yield from _worst([*rated, *_rated_foreground(found, trained)])


def _rated_percentiles(
    found: Fingerprint, trained: Trained, common: Sequence[str]
) -> Iterator[tuple[float, str]]:
    spans = [trained.percentiles[key] for key in common]
    all_of_them = max(high for _, high in spans) - min(low for low, _ in spans)
    for key, (low, high) in zip(common, spans, strict=True):
        value = found.percentiles[key]
        tolerance = max(_share(trained) * all_of_them, high - low, 1e-9)
        yield (
            max(low - value, value - high) / tolerance,
            f"{_name(key)} {value:.4g} (there {_words((low, high))})",
        )


def _rated_foreground(found: Fingerprint, trained: Trained) -> Iterator[tuple[float, str]]:
    for key, (low, high) in trained.foreground.items():
        if key in found.foreground:
            value = found.foreground[key]
            yield (
                max(low - value, value - high) / _share(trained),
                f"other tissues ({float(key):g} % of the foreground darker than "
                f"{100 * value:.0f} % of the range, there {100 * low:.0f} to {100 * high:.0f} %)",
            )


def _share(trained: Trained) -> float:
    """Tolerance of an intensity, as share of the range: two images show less than twenty."""
    return _NARROW * (1 + 2 / max(1, trained.count))


def _worst(rated: Iterable[tuple[float, str]]) -> Iterator[str]:
    """The reason of the largest excess, if any is above 1."""
    excess, reason = max(rated, default=(0.0, ""))
    if excess > 1:
        yield reason


def _excess(value: float, there: Span, smaller: float, larger: float) -> float:
    """How far a length lies outside, 1 at the tolerance."""
    return max(there[0] / (value * smaller), value / (there[1] * larger))


def _words(there: Span) -> str:
    low, high = (f"{value:.4g}" for value in there)
    return low if low == high else f"{low} to {high}"


def _name(percentile: str) -> str:
    if float(percentile) == 50:
        return "median intensity"
    return f"intensity at {float(percentile):g} % of the voxels"
