"""Choice of one DICOM series among those of a folder, a tree or a zip.

A series is chosen by its UID, or because it is the only one that matches; otherwise the error lists
them.
"""

from collections.abc import Sequence
from dataclasses import replace

from medseg._checks import first_few
from medseg.data.dicom.find import DicomSeries, scan_series
from medseg.data.dicom.input import DicomInput, dicom_error
from medseg.data.problems import InputError
from medseg.data.source import Source
from medseg.data.walk import FETCH

__all__ = [
    "choose_series",
    "find_series",
    "require_modality",
    "unreadable_error",
]

SHOWN = 20
EXPORT = "export the original images, with one grey value per pixel and their geometry"


def find_series(
    wanted: DicomSeries | Source,
    source: DicomInput,
    *,
    series_uid: str | None = None,
    modality: str | None = None,
) -> DicomSeries:
    """Find the requested series in an open input.

    A series found before is not searched for again, unless the input has changed since: headers and
    pixels must be of the same files.

    Raises:
        InputError: See `choose_series`.
    """
    if isinstance(wanted, DicomSeries):
        if wanted.stamp == source.stamp:
            return require_modality(wanted, modality)
        return choose_series(scan_series(source), series_uid=wanted.uid, modality=modality)
    uid = series_uid or wanted.series_uid
    found = scan_series(source)
    chosen = choose_series(found, series_uid=uid, modality=modality)
    return chosen if uid is not None else replace(chosen, singles=_singles(found, chosen))


def _singles(found: Sequence[DicomSeries], chosen: DicomSeries) -> int:
    """Number of series beside the chosen one that are a slice with a place, or unreadable."""
    alike = ("", chosen.modality)
    others = [one for one in found if one is not chosen and one.modality in alike]
    return sum(
        one.kind == "unreadable"
        or (one.slices == 1 and one.kind != "localizer" and one.frames[0].is_placed)
        for one in others
    )


def choose_series(
    found: Sequence[DicomSeries],
    *,
    series_uid: str | None = None,
    modality: str | None = None,
    otherwise: str = "",
) -> DicomSeries:
    """Choose the series of the given UID, or the only one that is a volume of the modality.

    Series of one slice are considered only if there is no larger one.

    Args:
        found: Series of an input.
        series_uid: UID of the series.
        modality: Modality that it must have; None accepts any.
        otherwise: Start of the remedy where several match: what the caller can do besides.

    Raises:
        InputError: If none or several match; it lists them.
    """
    if not found:
        raise dicom_error("there is no DICOM series", "check the path")
    if series_uid is not None:
        named = next((series for series in found if series.uid == series_uid), None)
        if named is None:
            raise dicom_error(
                f"there is no series {series_uid}", f"choose one of: {_listed(found)}"
            )
        return require_modality(_require_volume(named), modality)
    if len(found) == 1:
        return require_modality(_require_volume(found[0]), modality)
    fitting = [one for one in found if one.kind == "volume" and modality in (None, one.modality)]
    fitting = [one for one in fitting if one.slices > 1] or fitting
    if len(fitting) != 1:
        kind = "" if modality is None else f"{modality} "
        what = f"holds {len(fitting) or 'no'} {kind}series that match, but must hold one"
        if not fitting:
            raise dicom_error(what, f"give another input; in this one are: {_listed(found)}")
        raise dicom_error(what, f"{otherwise}choose by series uid: {_listed(fitting)}")
    return fitting[0]


def require_modality(series: DicomSeries, modality: str | None) -> DicomSeries:
    """Check a series' modality against the one that a network was trained on; None accepts any.

    Raises:
        InputError: If the modality differs.
    """
    if modality is not None and series.modality != modality:
        what = f"its modality is {series.modality or 'not stated'}, required is {modality}"
        raise dicom_error(what, f"use a {modality} series", series_uid=series.uid)
    return series


def unreadable_error(series: DicomSeries) -> InputError:
    """The error for a series some of whose files, or all, are missing or cannot be read."""
    total = series.damaged + series.missing + len({frame.file for frame in series.frames})
    if series.missing:
        what = f"{series.missing} of {total} files are links to files that are not there, or pipes"
        return dicom_error(what, FETCH, series_uid=series.uid)
    why = f" ({first_few(series.reasons, mark=';')})" if series.reasons else ""
    what = f"{series.damaged} of {total} files are damaged or not slices of the series{why}"
    remedy = "export the series again, or remove those files from the folder"
    return dicom_error(what, remedy, series_uid=series.uid)


def _require_volume(series: DicomSeries) -> DicomSeries:
    reasons = {
        "no image": f"holds no images ({series.modality or 'modality not stated'})",
        "colour": "holds colours (RGB or a palette)",
        "localizer": "holds localizers (scouts), not slices of a volume",
        "lookup table": "its values pass through a lookup table (ModalityLUTSequence)",
        "no geometry": (
            "its slices do not say where they lie "
            "(ImagePositionPatient, ImageOrientationPatient, PixelSpacing)"
        ),
    }
    if series.kind == "unreadable":
        raise unreadable_error(series)
    if series.kind != "volume":
        raise dicom_error(reasons[series.kind], EXPORT, series_uid=series.uid)
    return series


def _listed(series: Sequence[DicomSeries]) -> str:
    return first_few((one.describe() for one in series), SHOWN, mark=";")
