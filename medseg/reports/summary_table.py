"""Summary of an evaluation as CSV: one row per class and metric."""

from collections.abc import Iterator, Mapping

from medseg._csv import csv_text
from medseg.metrics.summary import METRICS, Estimate, Metric, Summary
from medseg.reports.columns import Unit, in_unit

__all__ = ["summary_csv"]

_COLUMNS: list[str] = [
    "name",
    "metric",
    "mean",
    "mean_low",
    "mean_high",
    "median",
    "sd",
    "min",
    "max",
    "pooled",
    "pooled_low",
    "pooled_high",
]


def summary_csv(summary: Summary, unit: Unit = "mm") -> str:
    """Means and pooled scores, each with its 95 % interval.

    In the rows named `mean of the classes`, the last columns are pooled over all classes.
    """
    named = ({**row, "metric": in_unit(str(row["metric"]), unit)} for row in _rows(summary))
    return csv_text(_COLUMNS, ([row.get(column, "") for column in _COLUMNS] for row in named))


def _rows(summary: Summary) -> Iterator[dict[str, str | float]]:
    for one in summary.classes:
        for metric in METRICS:
            spread = one.metrics[metric]
            low, high = spread.ci95
            yield {
                "name": one.name,
                "metric": metric,
                **{"mean": spread.mean, "mean_low": low, "mean_high": high},
                **{"median": spread.median, "sd": spread.sd, "min": spread.min, "max": spread.max},
                **_pooled(metric, one.micro),
            }
    for metric in METRICS:
        low, high = summary.macro_ci95[metric]
        yield {
            "name": "mean of the classes",
            "metric": metric,
            **{"mean": summary.macro[metric], "mean_low": low, "mean_high": high},
            **_pooled(metric, summary.micro),
        }


def _pooled(metric: Metric, micro: Mapping[Metric, Estimate]) -> dict[str, float]:
    if metric not in micro:
        return {}
    low, high = micro[metric].ci95
    return {"pooled": micro[metric].value, "pooled_low": low, "pooled_high": high}
