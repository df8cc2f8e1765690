"""Balanced sampling weights: rare groups of cases are drawn as often as common ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from medseg._checks import require_choice
from medseg.errors import DataError

__all__ = ["balanced_weights"]


def balanced_weights(
    cases: Sequence[Mapping[str, Any]], groups: Literal["equal", "root"] = "equal"
) -> list[float]:
    """Inverse frequency of each case's group: all groups are drawn equally often.

    Args:
        cases: As returned by `datalist`, each with its `group`.
        groups: `equal`, or `root`, where a group of four times as many cases is drawn twice as
            often: between drawing all groups and all cases alike, for groups of very unequal size.

    Returns:
        One weight per case, for `RandomDraws`; if `equal`, they sum to the number of groups.

    Raises:
        DataError: If a case has no group.
        UsageError: If `groups` is another word.
    """
    require_choice("balanced_weights: groups", groups, ("equal", "root"))
    ungrouped = next((case for case in cases if "group" not in case), None)
    if ungrouped is not None:
        raise DataError(
            f"{ungrouped.get('case')}: has no group to balance by; add group to every case of the "
            "manifest, or set case_weights to none"
        )
    sizes = Counter(case["group"] for case in cases)
    power = 1.0 if groups == "equal" else 0.5
    return [1 / sizes[case["group"]] ** power for case in cases]
