"""Names of predicted cases: the file's name, with folders where that alone is not unique."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from medseg._text import safe_name
from medseg.data.images.naming import path_stem
from medseg.data.patterns import name_key
from medseg.prediction.cases import CohortCase

__all__ = ["distinct_names"]


def distinct_names(cases: Sequence[CohortCase]) -> list[CohortCase]:
    """Name files of one name by as many of their folders as tell them apart.

    `p01/ct.nii.gz` and `p02/ct.nii.gz` become `p01_ct` and `p02_ct`, as in `medseg data manifest`.
    Files that folders do not tell apart, such as `a.png` and `a.tif`, keep their names.

    Args:
        cases: As found, in any order; DICOM series have names of their own.
    """
    same: defaultdict[str, list[CohortCase]] = defaultdict(list)
    for case in cases:
        same[name_key(case.name)].append(case)
    renamed = {case: name for group in same.values() for case, name in _named(group)}
    return [replace(case, name=renamed[case]) for case in cases]


def _named(group: list[CohortCase]) -> list[tuple[CohortCase, str]]:
    plain = [(case, case.name) for case in group]
    if len(group) == 1 or any(case.is_dicom for case in group):
        return plain
    for folders in range(1, max(len(case.path.parts) for case in group)):
        names = [safe_name(path_stem(case.path, folders)) for case in group]
        if len({name_key(name) for name in names}) == len(group):
            return list(zip(group, names, strict=True))
    return plain
