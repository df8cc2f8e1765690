"""The studies that come with the bundles: they load, and name only what is there."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from torch import nn
from torch.optim import Optimizer

from medseg.bundles.run import open_workflow
from medseg.studies.running.plan import StudyPlan, plan_study
from medseg.studies.running.rows import study_rows
from medseg.studies.study_file import load_study
from tests.conftest import REPOSITORY

FILES = sorted(REPOSITORY.glob("bundles/*/studies/*.yaml"))
# What a row may build anew, and what has to come of it.
BUILT = {"network_def": nn.Module, "loss": nn.Module, "optimizer": Optimizer}


@pytest.fixture(autouse=True)
def _where_paths_lead_from(monkeypatch):
    monkeypatch.chdir(REPOSITORY)


@cache
def _plan(file: Path) -> StudyPlan:
    """Planned without images, which no plan needs."""
    return plan_study(load_study(file), file.parent.parent, ["dataset_dir=tests/studies"])


def _rows_that_build() -> Iterator[tuple[Path, str, str]]:
    for file in FILES:
        for row, overrides in study_rows(load_study(file)).items():
            for key in sorted(BUILT.keys() & overrides):
                yield file, row, key


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_a_study_is_planned_with_keys_and_values_that_its_bundle_takes(file):
    plan, study = _plan(file), load_study(file)
    noise = set(study.noise_seeds) - set(study.seeds)
    count = len(study.seeds) * len(plan.rows) + len(noise)
    assert len(plan.runs) == count * len(study.folds)
    assert len({run.digest for run in plan.runs}) == len(plan.runs), "two rows are the same"


@pytest.mark.parametrize(
    ("file", "row", "key"),
    list(_rows_that_build()),
    ids=lambda part: part.stem if isinstance(part, Path) else part,
)
def test_what_a_row_builds_can_be_built(file, row, key):
    plan = _plan(file)
    run = next(run for run in plan.runs if run.row == row)
    workflow = open_workflow(
        plan.bundle, configs=["train"], run_id="training", overrides=run.train, log="quiet"
    )
    assert isinstance(workflow.parser.get_parsed_content(key), BUILT[key])
