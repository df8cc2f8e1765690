"""The folder of a study: what stands in its page and tables, and what never does."""

import csv
import dataclasses
import io
import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medseg.studies.pages import Repeats, write_study
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.csv_tables import averages_csv, cases_csv
from medseg.studies.pages.head import noise_section
from medseg.studies.pages.study_json import study_json
from medseg.studies.pages.worst_cases import worst_pictures
from medseg.studies.results import CaseScore, Cost, RunResult, StudyResults
from medseg.studies.statistics import summarise_study
from medseg.studies.statistics_types import StudySummary
from tests.studies.pages.example import ROWS, STUDY, SUMMARY, results

REPEATS = Repeats(
    preparation="repeat_row() { :; }",
    commands={row: f"repeat_row '{row}'" for row in ROWS},
    configs=dict.fromkeys(ROWS, "manifest_file: /home/somebody/set/manifest.json\n"),
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return results(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("whole")
    write_study(runs, SUMMARY, folder, study=STUDY, repeats=REPEATS)
    return folder


@pytest.fixture(scope="module")
def page(whole):
    return (whole / "study.md").read_text(encoding="utf-8")


def contents_of(found, summary):
    return Contents(study=STUDY, results=found, summary=summary, repeats=Repeats())


def read(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_the_noise_stands_above_every_table(page):
    noise = page.index("## Noise")
    assert noise < page.index("\n| ")
    assert "under 2 seeds: mean DSC 0.8650, standard deviation between seeds **0.0071**" in page
    assert "smallest difference that this study can see is **0.0199**" in page


def test_without_two_seeds_of_the_baseline_the_page_says_that_noise_is_not_known(runs):
    text = noise_section(contents_of(runs, dataclasses.replace(SUMMARY, noise=None)))
    assert "**Not known**: fewer than two runs of the baseline" in text


def test_the_head_says_what_was_asked_and_run(page):
    assert page.startswith("# Losses \\| of a small net\n\n**Question:** Does the loss matter?")
    assert "**Source:** A publication, 2023" in page
    assert "4 rows x 2 seeds x 1 fold; 300 batches each" in page
    assert "6 of 8 scored; 2 failed" in page


@pytest.mark.parametrize(
    "line",
    [
        "| 0. baseline | the baseline | - | - | 2 | 0.8650 ± 0.0071 | [0.8000, 0.9300] "
        "| - | - | - | - | - |",
        "| 1. width=64 | better | - | - | 2 | 0.9250 ± 0.0071 | [0.8600, 0.9900] "
        "| +0.0600 | [+0.0500, +0.0700] | < 0.001 | < 0.001 | 99 % |",
        "| 2. loss=jaccard | worse | worse: 0.1152 against 0.0556 | reproduced | 2 "
        "| 0.7650 ± 0.0071 | [0.7000, 0.8300] | -0.1000 | [-0.1100, -0.0900] | 0.040 | 0.020 "
        "| 1 % |",
        "| 3. norm=none | no run was scored | - | - | 0 of 2 | - | - | - | - | - | - | - |",
        "| width=64 | 1 | 1 to 1 | 98 % |",
        "| baseline | 0.8650 | 0.8650 | 0.8710 |",
        # Minutes 1.5 + seed; batches, best epoch, epochs, parameters, MACs, memory, time.
        "| width=64 | 3.0 | 300 | 2.0 | 3.0 | 7.76 M | 2.5 G | 1.25 | 12.5 |",
        "| norm=none | 1 | 0 | .../x.csv: the loss is not a number at epoch 2 |",
        "- 1 score without a pair (loss=jaccard)",
    ],
)
def test_a_line_of_the_page_checked_by_hand(page, line):
    assert line in page.splitlines()


def test_rows_and_published_findings_are_counted(page):
    assert "compared with the baseline: 2, of which 1 better, 1 worse, 0 without" in page
    assert "Published findings: 1, of which 1 reproduced." in page


def test_all_that_the_page_shows_or_links_is_there(page, whole):
    paths = re.findall(r"\]\(([^)#]+)\)", page)
    assert "plots/differences.png" in paths
    assert "rows/02_loss=jaccard/config.yaml" in paths
    assert all((whole / path).is_file() for path in paths)


def test_each_row_has_its_command_and_what_it_changes(page):
    assert "repeat_row 'loss=jaccard'" in page
    assert '**loss=jaccard** changes `loss#_target_: "medseg.losses.JaccardLoss"`.' in page
    assert "**baseline** changes nothing." in page


def test_nothing_tells_of_folders_of_the_machine(whole, runs):
    texts = [p.read_text(encoding="utf-8") for p in whole.rglob("*.*") if p.suffix != ".png"]
    assert not any("somebody" in text or str(runs.runs[0].folder) in text for text in texts)


def test_the_worst_cases_of_the_baseline_and_of_the_best_other_row_are_shown(page, whole):
    assert "### baseline, seed 1, fold 0" in page
    assert "### width=64, seed 1, fold 0" in page
    with Image.open(whole / "worst_cases/best_1.png") as picture:
        assert picture.size == (60, 40)


def test_a_broken_picture_is_left_out(tmp_path):
    found = results(tmp_path)
    (found.runs[0].folder / "worst_cases" / "1.png").write_bytes(b"half a pict")
    shown, pictures = worst_pictures(contents_of(found, SUMMARY), "whole")
    assert [one.row for one in shown] == ["width=64"]
    assert list(pictures) == ["worst_cases/best_1.png"]


def test_a_run_is_a_line_and_one_that_failed_has_its_reason(whole):
    lines = read(whole / "runs.csv")
    assert len(lines) == 8
    # Level 0.80 + 0.01, and 0.1 more for the second of two cases.
    assert lines[0]["dsc"] == "0.86"
    assert (lines[0]["train_loss"], lines[0]["loss_difference"]) == ("0.09", "0.1")
    assert lines[-1]["reason"] == ".../x.csv: the loss is not a number at epoch 2"


def test_a_row_is_a_line_with_what_it_changes(whole):
    row = read(whole / "rows.csv")[2]
    assert (row["difference"], row["p_holm"], row["finding"]) == ("-0.1", "0.04", "worse")
    assert (row["published"], row["reproduced"], row["rank"]) == ("worse", "reproduced", "3")
    assert json.loads(row["overrides"]) == {"loss#_target_": "medseg.losses.JaccardLoss"}


def test_averages_are_of_each_class_and_group(runs):
    text = averages_csv(contents_of(runs, summarise_study(runs)))
    lines = list(csv.DictReader(io.StringIO(text)))
    found = {(one["row"], one["group"], one["average"]): float(one["dsc"]) for one in lines}
    # Levels 0.81 and 0.82, and 0.1 more for the polyp.
    assert found["baseline", "normal", "gland"] == pytest.approx(0.815)
    assert found["baseline", "polyp", "gland"] == pytest.approx(0.915)
    assert found["baseline", "mean of the groups", "macro"] == pytest.approx(0.865)


def test_what_depends_on_the_load_of_the_machine_stands_apart(tmp_path, runs, whole):
    slower = [
        dataclasses.replace(
            run,
            cost=run.cost
            and dataclasses.replace(run.cost, minutes=9.0, case_ms=99.0, peak_memory_gb=7.0),
        )
        for run in runs.runs
    ]
    # A resumed study reads its runs in another order.
    again = dataclasses.replace(runs, runs=tuple(reversed(slower)))
    write_study(again, SUMMARY, tmp_path, study=STUDY, repeats=REPEATS)
    assert files(tmp_path) == files(whole)
    differ = [p for p in files(whole) if (tmp_path / p).read_bytes() != (whole / p).read_bytes()]
    assert differ == ["costs.csv", "plots/cost.png", "plots/cost.svg", "study.md"]
    pages = [(folder / "study.md").read_text(encoding="utf-8") for folder in (whole, tmp_path)]
    apart = [re.sub(r"\n## Cost\n.*?\n## ", "\n## ", text, flags=re.S) for text in pages]
    assert apart[0] == apart[1]


def test_a_compact_folder_has_the_page_tables_and_small_pictures_only(tmp_path, runs):
    write_study(runs, SUMMARY, tmp_path, study=STUDY, repeats=REPEATS, extent="compact")
    assert {p.rsplit(".")[-1] for p in files(tmp_path)} == {"csv", "md", "png"}
    assert all((tmp_path / p).stat().st_size < 150_000 for p in files(tmp_path))
    assert list(read(tmp_path / "cases.csv")[0])[-2:] == ["class", "dsc"]
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert "config.yaml" not in text
    assert "repeat_row 'width=64'" in text


def test_what_an_earlier_page_had_is_removed_and_what_is_others_stays(tmp_path, runs):
    (tmp_path / "study.yaml").write_text("title: mine", encoding="utf-8")
    write_study(runs, SUMMARY, tmp_path, study=STUDY, repeats=REPEATS)
    write_study(runs, SUMMARY, tmp_path, study=STUDY, extent="compact")
    there = files(tmp_path)
    assert "study.yaml" in there
    assert not any(path.startswith("rows/") or path.endswith(".svg") for path in there)


def test_a_study_without_a_scored_run_has_a_page(tmp_path, runs):
    failed = dataclasses.replace(runs, runs=tuple(run for run in runs.runs if run.reason))
    page = write_study(failed, summarise_study(failed), tmp_path, study=STUDY)
    text = page.read_text(encoding="utf-8")
    assert "0 of 2 scored" in text
    assert "## Failed runs" in text
    assert "plots/" not in text


def test_losses_over_random_splits_give_the_published_tables(tmp_path, runs):
    study = STUDY.model_copy(update={"protocol": "random splits"})
    page = write_study(runs, summarise_study(runs), tmp_path, study=study)
    assert "1) Configuration: width=64" in (tmp_path / "published_tables.md").read_text()
    assert "](published_tables.md)" in page.read_text(encoding="utf-8")


numbers = st.floats(allow_nan=True, allow_infinity=False, width=32)
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
cases = st.lists(
    st.builds(
        CaseScore,
        case=names,
        class_name=names,
        group=st.none() | names,
        values=st.fixed_dictionaries({"dsc": numbers, "hd95_mm": numbers}),
    ),
    max_size=5,
)


def one_run(scores):
    run = RunResult(
        row="baseline", seed=1, fold=0, digest="d", folder=Path(), cases=tuple(scores),
        cost=Cost(minutes=1, iterations=1, best_epoch=1, epochs=1, parameters=1, macs=1,
                  peak_memory_gb=1, case_ms=1),
    )  # fmt: skip
    return StudyResults(
        title="t", score="dsc", rows=("baseline",), overrides={"baseline": {}}, runs=(run,)
    )


@given(cases)
def test_scores_of_cases_come_back_from_csv(scores):
    lines = list(csv.DictReader(io.StringIO(cases_csv(one_run(scores)))))
    assert len(lines) == len(scores)
    for line, one in zip(lines, scores, strict=True):
        for name, value in one.values.items():
            if math.isnan(value):
                assert line[name] == ""
            else:
                assert float(line[name]) == pytest.approx(value, rel=1e-8)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(cases, names, st.dictionaries(names, st.none() | st.integers() | names, max_size=3))
def test_a_study_comes_back_from_json(scores, title, overrides):
    found = dataclasses.replace(one_run(scores), title=title, overrides={"baseline": overrides})
    summary = StudySummary(noise=None, rows=SUMMARY.rows[:1], ranking=())
    back = json.loads(study_json(contents_of(found, summary)))
    assert back["title"] == title
    assert back["rows"][0]["overrides"] == overrides
    kept = [{**one.values, "case": one.case, "group": one.group} for one in scores]
    for written, one in zip(back["runs"][0]["cases"], kept, strict=True):
        expected = {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in one.items()
        }
        assert {key: written[key] for key in expected} == expected
