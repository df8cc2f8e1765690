"""Cases among the DICOM series of an input: one of them, or all that the bundle can take.

What is left out is counted by reason, so that nobody takes a folder for done that is not.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from medseg.data.dicom.choice import choose_series, find_series, unreadable_error
from medseg.data.dicom.find import DicomSeries
from medseg.data.dicom.input import dicom_error, open_input
from medseg.data.problems import InputError
from medseg.data.source import Source

__all__ = ["Taken", "series_identity", "series_sha256", "take_all", "take_one"]

# Fewer slices are a test image or a scan of one place, not a volume.
LEAST_SLICES = 3
REASONS = {
    "no image": "no images",
    "colour": "colour images",
    "localizer": "localizers",
    "lookup table": "series with a lookup table",
    "no geometry": "images that do not say where they lie",
}
ALL = "add --all-series to predict each, or "
SMALL = "series of one slice"


@dataclass(frozen=True)
class Taken:
    """Series to predict, what was left out by reason, and what fits and is broken."""

    series: tuple[DicomSeries, ...]
    left_out: dict[str, int]
    broken: tuple[InputError, ...] = ()


def take_one(found: Sequence[DicomSeries], uid: str | None, modality: str | None) -> Taken:
    """Take the series of the given UID, or the only one that fits.

    Raises:
        InputError: If none or several match; it lists them.
    """
    chosen = choose_series(found, series_uid=uid, modality=modality, otherwise=ALL)
    others = [] if uid is not None else [one for one in found if one is not chosen]
    return Taken((chosen,), _counts([_reason(one, modality) or SMALL for one in others]))


def take_all(found: Sequence[DicomSeries], modality: str | None) -> Taken:
    """Take every series that can be a volume of the modality.

    Computed images (MPR, MIP, captures) are taken only where their study has no original.

    Raises:
        InputError: If there is none.
    """
    reasons = {one.uid: _reason(one, modality) for one in found}
    fitting = [one for one in found if not reasons[one.uid]]
    volumes = [one for one in fitting if one.kind == "volume"]
    originals = {one.study_uid for one in volumes if not one.is_derived}
    derived = [one for one in volumes if one.is_derived and one.study_uid in originals]
    taken = sorted((one for one in volumes if one not in derived), key=lambda one: one.uid)
    counts = _counts([*reasons.values(), *("derived series" for _ in derived)])
    if not fitting:
        # The error for one series lists what there is.
        return take_one(found, None, modality)
    broken = tuple(unreadable_error(one) for one in fitting if one.kind == "unreadable")
    return Taken(tuple(taken), counts, broken)


def _reason(series: DicomSeries, modality: str | None) -> str:
    """Why a series cannot be predicted; empty if it can, or if it should be and is broken."""
    if modality is not None and series.modality != modality:
        return f"{series.modality} series" if series.modality else "series without a modality"
    if series.kind in REASONS:
        return REASONS[series.kind]
    if series.kind == "volume" and len({frame.position for frame in series.frames}) < LEAST_SLICES:
        return f"series of fewer than {LEAST_SLICES} places"
    return ""


def _counts(reasons: Sequence[str]) -> dict[str, int]:
    return dict(Counter(reason for reason in reasons if reason).most_common())


def series_identity(series: DicomSeries) -> str:
    """Digest of the UIDs and places of a series' slices: equal for copies of it anywhere."""
    # Slices without a UID are known by their files.
    slices = {(one.sop_uid or one.file, one.index, one.position) for one in series.frames}
    return hashlib.sha256(repr(sorted(map(repr, slices))).encode()).hexdigest()


def series_sha256(wanted: DicomSeries | Source) -> str:
    """Digest of the contents of a series' files, whatever they are called and wherever they lie.

    Raises:
        OSError: If a file cannot be read.
        InputError: If the series is not there any more.
    """
    with open_input(wanted.path) as source:
        series = find_series(wanted, source)
        digests: set[str] = set()
        for name in {frame.file for frame in series.frames}:
            with source.open(name) as stream:
                digests.add(hashlib.file_digest(cast("Any", stream), "sha256").hexdigest())
    if not digests:
        raise dicom_error("holds no slices", "check the path", series_uid=series.uid)
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()
