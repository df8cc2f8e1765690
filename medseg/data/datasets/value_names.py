"""Names of the values that labels hold: those given, held against what was found, or generated."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from medseg.data.datasets.intake import refuse_errors
from medseg.data.datasets.label_values import count_values, label_problems
from medseg.data.images.picture import read_label
from medseg.data.label_kind import MASK_THRESHOLD, LabelKind, as_classes
from medseg.data.label_source import LabelSource
from medseg.errors import DataError, UsageError

__all__ = ["value_names"]


def value_names(
    labels: Sequence[LabelSource | Path], given: tuple[str, ...], kind: LabelKind
) -> tuple[str, ...]:
    """One name per value, 0 first; generated if none are given.

    Args:
        labels: All labels of the data set, which are read.
        given: Names given by the user, the background's first; empty if none are.
        kind: Kind of the label files.

    Raises:
        DataError: If a label cannot be used, or the values leave a gap that only names could close.
        UsageError: If there are fewer names than values.
    """
    holder = _holders(labels, kind)
    highest = max(holder)
    odd = min(holder) if min(holder) < 0 else highest
    marked = [value for value in holder if value > 0]
    is_mask = len(given) in (0, 2) and min(marked, default=0) > MASK_THRESHOLD
    if odd < 0 or is_mask:
        named = range(max(highest, 1) + 1) if odd < 0 else range(2)
        refuse_errors(holder[odd], label_problems(dict.fromkeys(holder, 1), named))
    if given and len(given) <= highest:
        raise UsageError(
            f"--label-names: {len(given)} names, but {holder[highest]} holds {highest}; "
            f"name every value from 0, the background, up{_instead(given, highest)}"
        )
    gap = next((value for value in range(highest) if value not in holder), None)
    if gap is not None and not given:
        raise DataError(
            f"labels: none holds {gap}, but {holder[highest]} holds {highest}; "
            "renumber them, name all values from 0 up with --label-names, or use --label-kind "
            "instances if they number objects"
        )
    if highest == 0 and not given:
        raise DataError("labels: all are background; check --labels, or use --label-names")
    return given or ("background", *(f"label_{value}" for value in range(1, highest + 1)))


def _instead(given: Sequence[str], highest: int) -> str:
    """The option to paste if only the background's name is missing, or if there are no classes."""
    if len(given) == highest and "background" not in given:
        return f": --label-names {shlex.quote(','.join(['background', *given]))}"
    mend = "; or use --label-values mend, and then medseg data check --fix"
    if len(given) == 2:
        return f", or use --label-kind mask (grey pictures) or instances (numbered objects){mend}"
    return mend


def _holders(
    labels: Sequence[LabelSource | Path], kind: LabelKind
) -> dict[int, LabelSource | Path]:
    """The first label file with each value that occurs."""
    holder: dict[int, LabelSource | Path] = {}
    for source in labels:
        counts = count_values(as_classes(read_label(source).array, kind))
        own = [int(value) for value in counts if math.isfinite(value)]
        refuse_errors(source, label_problems(counts, own))
        for value in counts:
            holder.setdefault(int(value), source)
    return holder
