"""Problems of a DICOM series in a data set: modality, duplicates, scouts."""

from typing import TYPE_CHECKING

from medseg.data.problems import Problem

# pydicom takes a while to import, and most images are not DICOM.
if TYPE_CHECKING:
    from medseg.data.dicom.series import DicomFacts

__all__ = ["dicom_problems"]


def dicom_problems(facts: "DicomFacts | None", modality: str | None) -> tuple[Problem, ...]:
    """Problems of a series with respect to its data set or bundle.

    Args:
        facts: Of the series; None for other formats, which do not state a modality.
        modality: The data set's or the bundle's; None allows any.
    """
    if facts is None:
        return ()
    problems: list[Problem] = []
    if modality is not None and facts.modality != modality:
        what = f"its modality is {facts.modality or 'not stated'}, not {modality}"
        remedy = "use the right series, or correct the manifest"
        problems.append(Problem("error", "image", what, remedy))
    if facts.copies_left_out:
        what = f"{facts.copies_left_out} files are duplicate slices and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or remove the duplicates"))
    if facts.scouts_left_out:
        what = f"{facts.scouts_left_out} scouts (localizers) are among the slices and were left out"
        problems.append(Problem("warning", "image", what, "nothing, or remove them"))
    return tuple(problems)
