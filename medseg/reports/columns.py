"""The columns of a table of scores: which there are, how they are headed and rounded."""

from collections.abc import Sequence

from medseg.errors import UsageError
from medseg.metrics import METRICS, Criteria, Metric

__all__ = ["DEFAULT_METRICS", "cell", "chosen_metrics", "heading"]

# Accuracy is near 1 for anything small, conformity of a missed structure swamps every mean, and
# not every structure comes in lesions: these are shown when asked for.
DEFAULT_METRICS: tuple[Metric, ...] = (
    "dsc",
    "iou",
    "precision",
    "recall",
    "hd95_mm",
    "nsd",
    "assd_mm",
    "volume_error_percent",
    "pred_ml",
    "label_ml",
)
_HEADINGS: dict[Metric, str] = {
    "dsc": "DSC",
    "iou": "IoU",
    "hd95_mm": "HD95 mm",
    "assd_mm": "ASSD mm",
    "volume_error_percent": "vol. err. %",
    "pred_ml": "pred ml",
    "label_ml": "label ml",
    "lesion_f1": "lesion F1",
}
_DIGITS: dict[Metric, int] = {
    "hd95_mm": 1,
    "assd_mm": 2,
    "volume_error_percent": 1,
    "pred_ml": 1,
    "label_ml": 1,
}


def chosen_metrics(names: str) -> tuple[Metric, ...]:
    """The metrics that a list names.

    Args:
        names: With commas between them, or the word `all`.

    Raises:
        UsageError: If one is unknown, or there is none.
    """
    if names.strip() == "all":
        return METRICS
    asked = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in asked if name not in METRICS]
    if unknown or not asked:
        what = f"unknown metric {unknown[0]!r}" if unknown else "no metric named"
        raise UsageError(f"{what}; there are all, {', '.join(METRICS)}")
    return tuple(metric for metric in METRICS if metric in asked)


def heading(metric: Metric, criteria: Criteria) -> str:
    """What stands above a column."""
    if metric == "nsd":
        return f"NSD {criteria.tolerance_mm:g} mm"
    return _HEADINGS.get(metric, metric)


def cell(metric: Metric, value: float, ci95: Sequence[float] = ()) -> str:
    """A value, and its interval if it has one."""
    digits = _DIGITS.get(metric, 3)
    interval = f" [{', '.join(f'{end:.{digits}f}' for end in ci95)}]" if ci95 else ""
    return f"{value:.{digits}f}{interval}"
