"""Problems of a DICOM series: modality, what was left out of it, what may be missing."""

from collections.abc import Iterator

from medseg.data.dicom.series import DicomFacts
from medseg.data.problems import Problem

__all__ = ["dicom_problems", "series_doubts"]


def dicom_problems(facts: DicomFacts | None, modality: str) -> tuple[Problem, ...]:
    """Problems of a series with respect to its data set.

    Args:
        facts: Of the series; None for other formats, which do not state a modality.
        modality: The data set's.
    """
    if facts is None or facts.modality == modality:
        return ()
    what = f"its modality is {facts.modality or 'not stated'}, the manifest's is {modality}"
    remedy = "use the right series, or correct the manifest"
    return (Problem("error", "image", what, remedy),)


def series_doubts(facts: DicomFacts) -> tuple[Problem, ...]:
    """Warnings about a series, whatever it is used for."""
    return tuple(Problem("warning", "image", what, remedy) for what, remedy in _doubts(facts))


def _doubts(facts: DicomFacts) -> Iterator[tuple[str, str]]:
    if facts.copies_left_out:
        what = f"{facts.copies_left_out} files are duplicate slices and were left out"
        yield what, "nothing, or remove the duplicates"
    if facts.scouts_left_out:
        what = f"{facts.scouts_left_out} scouts (localizers) are among the slices and were left out"
        yield what, "nothing, or remove them"
    found = facts.slices + facts.scouts_left_out
    if facts.stated > found:
        what = f"its headers speak of {facts.stated} slices, and {found} were found"
        yield what, "export the complete series if its first or last slices are missing"
    if facts.uid_origin == "made":
        what = "its SeriesInstanceUID is missing or not a UID, so it has another name here"
        yield what, "nothing, or export the series with its identifiers"
