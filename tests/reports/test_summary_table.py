"""What the summary for spreadsheets promises."""

import csv
import dataclasses

from medseg.metrics import METRICS, POOLED_METRICS, absent_scores, summarise
from medseg.reports.summary_table import summary_csv


def test_a_row_for_each_class_and_metric_and_for_their_means(tmp_path):
    cases = {
        case: [dataclasses.replace(absent_scores(name, 10), dsc=dsc) for name in ("lung", "fat")]
        for case, dsc in (("a", 0.9), ("b", 0.7))
    }
    (tmp_path / "summary.csv").write_text(summary_csv(summarise(cases)))
    with (tmp_path / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["metric"]) for row in rows] == [
        (name, metric) for name in ("lung", "fat", "mean of the classes") for metric in METRICS
    ]
    first, last = rows[0], rows[2 * len(METRICS)]
    ends = ("mean", "mean_low", "mean_high")
    assert [round(float(first[column]), 6) for column in ends] == [0.8, 0.7, 0.9]
    assert [round(float(last[column]), 6) for column in ends] == [0.8, 0.7, 0.9]
    assert (first["pooled"], last["sd"]) == ("1.0", "")
    assert {row["metric"] for row in rows if row["pooled"]} == set(POOLED_METRICS)
