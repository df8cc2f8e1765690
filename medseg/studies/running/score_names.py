"""Names of scores that rows can be compared by, as the columns of an evaluation have them."""

import difflib

from medseg.data.label_kind import LabelKind
from medseg.errors import UsageError
from medseg.metrics.summary import METRICS
from medseg.reports.columns import in_unit
from medseg.reports.instances import OBJECT_SCORES

__all__ = ["require_score"]


def require_score(score: str, label_kind: LabelKind) -> None:
    """Refuse a score that no evaluation of such labels has; found out at the end, hours are lost.

    Args:
        score: Of the study file.
        label_kind: Of the data set.

    Raises:
        UsageError: If there is none of that name; it names the nearest.
    """
    of_classes = [in_unit(name, unit) for unit in ("mm", "px") for name in METRICS]
    names = list(dict.fromkeys(of_classes)) + list(
        OBJECT_SCORES if label_kind == "instances" else ()
    )
    if score not in names:
        near = difflib.get_close_matches(score, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it may be {', '.join(names)}"
        raise UsageError(f"score: no evaluation has {score[:40]!r}; {hint}")
