"""A study as JSON: all of its page and tables, but what depends on the machine's load."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from medseg.studies.pages.averages import run_mean
from medseg.studies.pages.contents import Contents
from medseg.studies.results import RunResult
from medseg.studies.statistics_types import Comparison

__all__ = ["study_json"]

_DETERMINISTIC = ("iterations", "epochs", "best_epoch", "parameters", "macs")


def study_json(contents: Contents) -> str:
    """Strict JSON, without NaN or infinity, in an order that depends on the study file alone."""
    results, summary = contents.results, contents.summary
    content = {
        "title": results.title,
        "score": results.score,
        "study": contents.study.model_dump(mode="json"),
        "noise": summary.noise and dataclasses.asdict(summary.noise),
        "rows": [_row(contents, one) for one in summary.rows],
        "preparation": contents.repeats.preparation,
        "ranking": [dataclasses.asdict(one) for one in summary.ranking],
        "runs": [_run(contents, run) for run in results.runs],
    }
    return json.dumps(_strict(content), indent=1, ensure_ascii=False, default=str) + "\n"


def _row(contents: Contents, one: Comparison) -> dict[str, Any]:
    results = contents.results
    effect, note = results.published.get(one.row, (None, None))
    return {
        **dataclasses.asdict(one),
        "overrides": results.overrides.get(one.row, {}),
        "published": effect and {"effect": effect, "note": note},
        "reproduced": one.published,
        "command": contents.repeats.commands.get(one.row),
    }


def _run(contents: Contents, run: RunResult) -> dict[str, Any]:
    return {
        **{name: getattr(run, name) for name in ("row", "seed", "fold", "digest")},
        "reason": run.reason,
        contents.score: run_mean(run, contents.score) if run.cases else None,
        "losses": run.losses and dataclasses.asdict(run.losses),
        "network_and_epochs": run.cost
        and {name: getattr(run.cost, name) for name in _DETERMINISTIC},
        "cases": [
            {"case": one.case, "class": one.class_name, "group": one.group, **one.values}
            for one in run.cases
        ],
    }


def _strict(content: Any) -> Any:
    """Nested content with null for numbers that JSON does not have."""
    if isinstance(content, Mapping):
        items = cast("Mapping[Any, Any]", content).items()
        return {str(key): _strict(value) for key, value in items}
    if isinstance(content, list | tuple):
        return [_strict(value) for value in cast("Sequence[Any]", content)]
    return None if isinstance(content, float) and not math.isfinite(content) else content
