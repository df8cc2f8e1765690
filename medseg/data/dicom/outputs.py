"""DICOM outputs (SEG, SR) of one label, reading the source series once."""

from collections.abc import Sequence
from pathlib import Path

from medseg.data.dicom.formats import DicomFormat, check_dicom_formats, dicom_output_path
from medseg.data.dicom.label import DicomLabel
from medseg.data.dicom.output_common import Overwrite, check_free
from medseg.data.dicom.planes import label_planes
from medseg.data.dicom.seg import write_seg_of
from medseg.data.dicom.source import read_dicom_source
from medseg.data.dicom.sr import write_sr_of

__all__ = ["write_dicom_outputs"]

WRITERS = {"dicom-seg": write_seg_of, "dicom-sr": write_sr_of}


def write_dicom_outputs(
    label: DicomLabel,
    formats: Sequence[DicomFormat],
    output_dir: str | Path,
    *,
    case: str,
    overwrite: Overwrite = "refuse",
) -> list[Path]:
    """Write `<case>_seg.dcm` and `<case>_sr.dcm`.

    Args:
        label: The label and its source series.
        formats: Output formats; a report requires the segmentation that it refers to.
        output_dir: Output folder; created if missing.
        case: Identifier of the case, for the file names.
        overwrite: `refuse` existing files, before any is written, or `replace` them.

    Returns:
        The files, in the order of `formats`.

    Raises:
        UsageError: If a file exists, the formats cannot be combined, or the source is not DICOM.
        InputError: See `write_dicom_seg`.
    """
    check_dicom_formats(formats)
    paths = {one: dicom_output_path(output_dir, case, one) for one in formats}
    for path in paths.values():
        check_free(path, overwrite)
    source = read_dicom_source(label.reference)
    planes = label_planes(label, source)
    # Segmentation first, so that a report never refers to a file that does not exist.
    for one in sorted(paths):
        WRITERS[one](label, source, planes, paths[one])
    return list(paths.values())
