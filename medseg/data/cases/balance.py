"""Balanced sampling weights: rare groups of cases are drawn as often as common ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from medseg.errors import DataError

__all__ = ["balanced_weights"]


def balanced_weights(cases: Sequence[Mapping[str, Any]]) -> list[float]:
    """Inverse frequency of each case's group: all groups are drawn equally often.

    Args:
        cases: As returned by `datalist`, each with its `group`.

    Returns:
        One weight per case, for `RandomDraws`; they sum to the number of groups.

    Raises:
        DataError: If a case has no group.
    """
    ungrouped = next((case for case in cases if "group" not in case), None)
    if ungrouped is not None:
        raise DataError(
            f"{ungrouped.get('case')}: has no group to balance by; add group to every case of the "
            "manifest, or set case_weights to none"
        )
    sizes = Counter(case["group"] for case in cases)
    return [1 / sizes[case["group"]] for case in cases]
