"""How often each case is drawn, so that rare kinds of cases are seen as often as common ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from medseg.errors import DataError

__all__ = ["balanced_weights"]


def balanced_weights(cases: Sequence[Mapping[str, Any]]) -> list[float]:
    """1 / number of cases of the case's group: each group is drawn as often as any other.

    Args:
        cases: As `datalist` gives them, each with its `group`.

    Returns:
        One weight a case, for `RandomDraws`; they add up to the number of groups.

    Raises:
        DataError: If a case has no group.
    """
    lonely = next((case for case in cases if "group" not in case), None)
    if lonely is not None:
        raise DataError(
            f"{lonely.get('case')}: has no group to balance by; add group to every case of the "
            "manifest, or set case_weights to none"
        )
    sizes = Counter(case["group"] for case in cases)
    return [1 / sizes[case["group"]] for case in cases]
