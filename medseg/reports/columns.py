"""Columns of score tables: choice, headings, rounding, and units.

Pictures have no millimetres: `_mm` of a volume becomes `_px` (pixels) of a picture, and `_ml`
becomes `_kpx` (thousands of pixels).
"""

from collections.abc import Sequence
from typing import Any, Literal, cast

from medseg.errors import UsageError
from medseg.metrics.criteria import Criteria
from medseg.metrics.summary import METRICS, Metric

__all__ = [
    "DEFAULT_METRICS",
    "Unit",
    "cell",
    "chosen_metrics",
    "heading",
    "in_unit",
    "keys_in_unit",
]

Unit = Literal["mm", "px"]

# Shown on request only: accuracy is near 1 for anything small, conformity of a missed structure
# dominates every mean, and lesion scores do not apply to every structure.
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
    """Parse a list of metrics.

    Args:
        names: Separated by commas, or the word `all`.

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


def heading(metric: Metric, criteria: Criteria, unit: Unit = "mm") -> str:
    """Heading of a column."""
    if metric == "nsd":
        return f"NSD {criteria.tolerance_mm:g} {unit}"
    text = _HEADINGS.get(metric, metric)
    return text.replace(" mm", " px").replace(" ml", " kpx") if unit == "px" else text


def in_unit(name: str, unit: Unit) -> str:
    """Name of a column or key, in the unit of the scored images."""
    if unit == "mm":
        return name
    for of_volume, of_picture in (("_mm", "_px"), ("_ml", "_kpx")):
        if name.endswith(of_volume):
            return name.removesuffix(of_volume) + of_picture
    return name


def keys_in_unit(content: Any, unit: Unit) -> Any:
    """Nested dictionaries and lists with their keys named by `in_unit`."""
    if isinstance(content, dict):
        items = cast("dict[str, Any]", content).items()
        return {in_unit(key, unit): keys_in_unit(value, unit) for key, value in items}
    if isinstance(content, list | tuple):
        return [keys_in_unit(value, unit) for value in cast("Sequence[Any]", content)]
    return content


def cell(metric: Metric, value: float, ci95: Sequence[float] = ()) -> str:
    """A rounded value, with its interval if given."""
    digits = _DIGITS.get(metric, 3)
    interval = f" [{', '.join(f'{end:.{digits}f}' for end in ci95)}]" if ci95 else ""
    return f"{value:.{digits}f}{interval}"
