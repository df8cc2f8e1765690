"""Choice of one DICOM series among those of a folder, a tree or a zip.

A series is chosen by its UID, or because it is the only one that matches; otherwise the error lists
them. `dicom_reference` joins path and UID to one text, `PATH#UID`, which readers accept wherever
they accept a path.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from medseg.data.dicom.find import DicomSeries, find_dicom_series
from medseg.data.dicom.input import is_dicom, refuse
from medseg.errors import UsageError

__all__ = ["choose_series", "dicom_reference", "pick_input", "require_modality", "split_reference"]

SHOWN = 20
UID = re.compile(r"[0-9]+(\.[0-9]+)+")
EXPORT = "export the original images, with one grey value per pixel and their geometry"


def pick_input(
    path: str | Path, *, series_uid: str | None = None, modality: str | None = None
) -> str:
    """Resolve one input of a prediction to a file or to one DICOM series.

    Args:
        path: A volume's file, a DICOM file, a folder tree or a zip with DICOM series.
        series_uid: UID of the series; required if several match.
        modality: Modality that the series must have, e.g. `CT`; None accepts any.

    Returns:
        The path itself for a volume's file, `PATH#UID` for DICOM. `read_volume` and
        `DicomSeriesReader` accept both.

    Raises:
        UsageError: If a UID is given for a file that is not DICOM.
        InputError: If no series or several match; it lists them.
    """
    path, uid_in_path = split_reference(path)
    uid = series_uid or uid_in_path
    if path.exists() and not is_dicom(path):
        if uid is not None:
            raise UsageError(f"{path}: is not DICOM, so it has no series; omit the series uid")
        return str(path)
    chosen = choose_series(find_dicom_series(path), series_uid=uid, modality=modality)
    return dicom_reference(path, chosen.uid)


def dicom_reference(path: str | Path, series_uid: str) -> str:
    """Join a path and a series UID to a reference, `PATH#UID`."""
    return f"{path}#{series_uid}"


def split_reference(text: str | Path) -> tuple[Path, str | None]:
    """Split a reference into path and series UID; for a plain path, the UID is None."""
    path, mark, uid = str(text).rpartition("#")
    if not mark or not UID.fullmatch(uid) or Path(text).exists():
        return Path(text), None
    return Path(path), uid


def choose_series(
    found: Sequence[DicomSeries], *, series_uid: str | None = None, modality: str | None = None
) -> DicomSeries:
    """Choose the series of the given UID, or the only one that is a volume of the modality.

    Series of one slice are considered only if there is no larger one.

    Raises:
        InputError: If none or several match; it lists them.
    """
    if not found:
        raise refuse("there is no DICOM series", "check the path")
    if series_uid is not None:
        named = next((series for series in found if series.uid == series_uid), None)
        if named is None:
            raise refuse(f"there is no series {series_uid}", f"choose one of: {_listed(found)}")
        return require_modality(_require_volume(named), modality)
    if len(found) == 1:
        return require_modality(_require_volume(found[0]), modality)
    fitting = [one for one in found if one.kind == "volume" and modality in (None, one.modality)]
    fitting = [one for one in fitting if one.slices > 1] or fitting
    if len(fitting) != 1:
        kind = "" if modality is None else f"{modality} "
        what = f"holds {len(fitting) or 'no'} {kind}series that match, but must hold one"
        raise refuse(what, f"choose by series uid: {_listed(fitting or found)}")
    return fitting[0]


def require_modality(series: DicomSeries, modality: str | None) -> DicomSeries:
    """Check a series' modality against the one that a network was trained on; None accepts any.

    Raises:
        InputError: If the modality differs.
    """
    if modality is not None and series.modality != modality:
        what = f"its modality is {series.modality or 'not stated'}, required is {modality}"
        raise refuse(what, f"use a {modality} series", series_uid=series.uid)
    return series


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
    if series.kind != "volume":
        raise refuse(reasons[series.kind], EXPORT, series_uid=series.uid)
    return series


def _listed(series: Sequence[DicomSeries]) -> str:
    more = f"; and {len(series) - SHOWN} more" if len(series) > SHOWN else ""
    return "; ".join(one.describe() for one in series[:SHOWN]) + more
