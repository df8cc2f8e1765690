"""Repeats of a study's rows: the commands that train and score them, and their resolved configs."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.bundles.plain_yaml import read_value
from medseg.bundles.run import checked_config
from medseg.studies.pages.contents import Repeat
from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["row_repeats"]

_OUTPUT = "runs/repeat"


def row_repeats(plan: StudyPlan, store: Path) -> dict[str, Repeat]:
    """How each row is run again, by its first run; other runs have another seed and fold.

    Args:
        plan: The study.
        store: Folder of all runs, where the split of a run with random splits lies.
    """
    opened = open_configs(plan.bundle, ["train"])
    first = {run.row: run for run in reversed(plan.runs)}
    return {
        row: Repeat(
            command=_command(plan, first[row], store), config=_config(opened, first[row].train)
        )
        for row in plan.rows
        if row in first
    }


def _command(plan: StudyPlan, run: PlannedRun, store: Path) -> str:
    """Training and scoring of a run, as its worker does them, into a folder of their own."""
    places = {"dataset_dir": _shown(plan.dataset_dir), "output_dir": _OUTPUT}
    if run.manifest is not None:
        places["manifest_file"] = _shown(store / run.digest / "manifest.json")
    training = {**run.train, **places, "ckpt_dir": _OUTPUT}
    scoring = {**run.evaluate, **places, "ckpt_path": f"{_OUTPUT}/model.safetensors"}
    # Sums differ in their last bits by the number of threads.
    threads = f"OMP_NUM_THREADS={plan.study.threads}"
    bundle = shlex.quote(_shown(plan.bundle, "bundles/"))
    return (
        f"{threads} medseg train {bundle} {_pairs(training)}\n"
        f"{threads} medseg train {bundle} --config train --config evaluate --run-id evaluating "
        f"{_pairs(scoring)}"
    )


def _pairs(overrides: Mapping[str, Any]) -> str:
    return " ".join(shlex.quote(f"{key}={_text(value)}") for key, value in overrides.items())


def _text(value: Any) -> str:
    """A value as the command line takes it: words as they are, if they read as themselves."""
    if isinstance(value, str) and read_value(value, value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _shown(path: Path, beside: str = "") -> str:
    """A path from the working folder; of one that is elsewhere, its name alone."""
    path, here = path.resolve(), Path.cwd().resolve()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else beside + path.name


def _config(opened: OpenedConfigs, overrides: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(checked_config(opened, overrides), default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
