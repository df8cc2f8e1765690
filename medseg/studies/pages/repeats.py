"""Repeats of a study's rows: the commands that train and score them, and their resolved configs."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from medseg.bundles.opened import OpenedConfigs, open_configs
from medseg.bundles.plain_yaml import read_value
from medseg.bundles.run import checked_config
from medseg.studies.pages.contents import Repeats
from medseg.studies.running.plan import PlannedRun, StudyPlan

__all__ = ["row_repeats"]

_OUTPUT = "runs/repeat"
# Of the bundle, and no part of how it is trained.
_META = "_meta_"

Overrides = Mapping[str, Any]


def row_repeats(plan: StudyPlan, store: Path) -> Repeats:
    """How each row is run again, by its first run; other runs have another seed and fold.

    Commands are for bash. What all rows share stands in a function before them.

    Args:
        plan: The study.
        store: Folder of all runs, where the split of a run with random splits lies.
    """
    opened = open_configs(plan.bundle, ["train"])
    first = {run.row: run for run in reversed(plan.runs)}
    runs = [first[row] for row in plan.rows]
    shared = _shared([run.train for run in runs])
    return Repeats(
        preparation=_function(plan, runs[0], shared, store),
        commands={
            run.row: " ".join(["repeat_row", *_pairs(_without(run.train, shared))]) for run in runs
        },
        configs={run.row: _config(opened, run.train) for run in runs},
    )


def _function(plan: StudyPlan, run: PlannedRun, shared: Overrides, store: Path) -> str:
    """Training and scoring of a row, as the worker of a run does them."""
    places = {"dataset_dir": _shown(plan.dataset_dir), "output_dir": _OUTPUT}
    if run.manifest is not None:
        # Of one seed, all rows have the same split.
        places["manifest_file"] = _shown(store / run.digest / "manifest.json")
    bundle = shlex.quote(_shown(plan.bundle, "bundles/"))
    scoring = {**_without(run.evaluate, run.train), "ckpt_path": f"{_OUTPUT}/model.safetensors"}
    lines = [
        # Sums differ in their last bits by the number of threads.
        f"export OMP_NUM_THREADS={plan.study.threads}",
        f"shared=({' '.join(_pairs({**shared, **places}))})",
        "repeat_row() {",
        f'  medseg train {bundle} "${{shared[@]}}" ckpt_dir={_OUTPUT} "$@"',
        f"  medseg train {bundle} --config train --config evaluate --run-id evaluating \\",
        f'    "${{shared[@]}}" {" ".join(_pairs(scoring))} "$@"',
        "}",
    ]
    return "\n".join(lines)


def _shared(overrides: Sequence[Overrides]) -> Overrides:
    first, *others = overrides
    return {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in others)
    }


def _without(overrides: Overrides, shared: Overrides) -> Overrides:
    return {
        key: value for key, value in overrides.items() if key not in shared or shared[key] != value
    }


def _pairs(overrides: Overrides) -> list[str]:
    return [shlex.quote(f"{key}={_text(value)}") for key, value in overrides.items()]


def _text(value: Any) -> str:
    """A value as the command line takes it: words as they are, if they read as themselves."""
    if isinstance(value, str) and read_value(value, value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _shown(path: Path, beside: str = "") -> str:
    """A path from the working folder; of one that is elsewhere, its name alone."""
    path, here = path.resolve(), Path.cwd().resolve()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else beside + path.name


def _config(opened: OpenedConfigs, overrides: Overrides) -> str:
    config = {
        key: value for key, value in checked_config(opened, overrides).items() if key != _META
    }
    plain = json.loads(json.dumps(config, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
