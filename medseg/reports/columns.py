"""The columns of a table of scores: which there are, how they are headed and rounded.

A picture has no millimetres. What is `_mm` of a volume is `_px` of a picture, pixels, and what is
`_ml` is `_kpx`, thousands of pixels.
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


def heading(metric: Metric, criteria: Criteria, unit: Unit = "mm") -> str:
    """What stands above a column."""
    if metric == "nsd":
        return f"NSD {criteria.tolerance_mm:g} {unit}"
    text = _HEADINGS.get(metric, metric)
    return text.replace(" mm", " px").replace(" ml", " kpx") if unit == "px" else text


def in_unit(name: str, unit: Unit) -> str:
    """The name of a column or a key in the unit of what was scored."""
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
    """A value, and its interval if it has one."""
    digits = _DIGITS.get(metric, 3)
    interval = f" [{', '.join(f'{end:.{digits}f}' for end in ci95)}]" if ci95 else ""
    return f"{value:.{digits}f}{interval}"
