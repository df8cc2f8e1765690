"""What `medseg data check` says of an image that came from DICOM."""

from medseg.data.dicom.series import DicomFacts
from medseg.data.problems import Problem

__all__ = ["dicom_problems"]


def dicom_problems(facts: DicomFacts | None, modality: str) -> tuple[Problem, ...]:
    """Hold a series against its data set.

    Args:
        facts: Of the series; none for other formats, which do not say what made them.
        modality: The data set's.
    """
    if facts is None:
        return ()
    problems: list[Problem] = []
    if facts.modality != modality:
        what = f"its modality is {facts.modality or 'not stated'}, the manifest's is {modality}"
        remedy = "take the right series, or mend the manifest"
        problems.append(Problem("error", "image", what, remedy))
    if facts.copies_left_out:
        what = f"{facts.copies_left_out} files are second copies of a slice and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or take the copies away"))
    if facts.scouts_left_out:
        what = f"{facts.scouts_left_out} scouts (localizers) lie among the slices and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or take them away"))
    return tuple(problems)
