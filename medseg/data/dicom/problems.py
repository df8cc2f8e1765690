"""Problems of a DICOM series in a data set: modality, duplicates, scouts."""

from medseg.data.dicom.series import DicomFacts
from medseg.data.problems import Problem

__all__ = ["dicom_problems"]


def dicom_problems(facts: DicomFacts | None, modality: str) -> tuple[Problem, ...]:
    """Problems of a series with respect to its data set.

    Args:
        facts: Of the series; None for other formats, which do not state a modality.
        modality: The data set's.
    """
    if facts is None:
        return ()
    problems: list[Problem] = []
    if facts.modality != modality:
        what = f"its modality is {facts.modality or 'not stated'}, the manifest's is {modality}"
        remedy = "use the right series, or correct the manifest"
        problems.append(Problem("error", "image", what, remedy))
    if facts.copies_left_out:
        what = f"{facts.copies_left_out} files are duplicate slices and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or remove the duplicates"))
    if facts.scouts_left_out:
        what = f"{facts.scouts_left_out} scouts (localizers) are among the slices and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or remove them"))
    return tuple(problems)
