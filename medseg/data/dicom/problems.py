"""Problems of a DICOM series: modality, what was left out of it, what may be missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from medseg.data.problems import Problem

# pydicom takes a while to import, and most images are not DICOM.
if TYPE_CHECKING:
    from medseg.data.dicom.series import DicomFacts

__all__ = ["dicom_problems", "series_doubts"]


def dicom_problems(facts: "DicomFacts | None", modality: str | None) -> tuple[Problem, ...]:
    """Problems of a series with respect to its data set or bundle.

    Args:
        facts: Of the series; None for other formats, which do not state a modality.
        modality: The data set's or the bundle's; None allows any.
    """
    if facts is None or modality in (None, facts.modality):
        return ()
    what = f"its modality is {facts.modality or 'not stated'}, not {modality}"
    remedy = "use the right series, or correct the manifest"
    return (Problem("error", "image", what, remedy),)


def series_doubts(facts: "DicomFacts") -> tuple[Problem, ...]:
    """Warnings about a series, whatever it is used for."""
    doubts = (*_left_out(facts), *_contradictions(facts))
    return tuple(Problem("warning", "image", what, remedy) for what, remedy in doubts)


def _left_out(facts: "DicomFacts") -> Iterator[tuple[str, str]]:
    if facts.copies_left_out:
        what = f"{facts.copies_left_out} files are duplicate slices and were left out"
        yield what, "no action is needed, or remove the duplicates"
    if facts.scouts_left_out:
        what = f"{facts.scouts_left_out} scouts (localizers) are among the slices and were left out"
        yield what, "no action is needed, or remove them"
    if facts.singles_left_out:
        what = f"beside it are {facts.singles_left_out} series of one slice, which were left out"
        yield what, "check that they are not slices of it under another SeriesInstanceUID"
    found = facts.slices + facts.scouts_left_out
    if facts.stated > found:
        what = f"its headers speak of {facts.stated} slices, and {found} were found"
        yield what, "export the complete series if its first or last slices are missing"


def _contradictions(facts: "DicomFacts") -> Iterator[tuple[str, str]]:
    if facts.numbering == "mixed":
        what = "its slices are not numbered (InstanceNumber) in the order in which they lie"
        yield what, "check that they are of one reconstruction and one time point"
    if facts.frames_of_reference > 1:
        what = (
            f"its slices have {facts.frames_of_reference} frames of reference "
            "(FrameOfReferenceUID), so their positions may not fit together"
        )
        yield what, "check that it is one scan, or export it again"
    if facts.patients > 1:
        what = f"its slices state {facts.patients} patients (PatientID), as if several were mixed"
        yield what, "check that it is one scan of one patient, or export it again"
    if facts.uid_origin == "made":
        what = "its SeriesInstanceUID is missing or not a UID, so it has another name here"
        yield what, "no action is needed, or export the series with its identifiers"
