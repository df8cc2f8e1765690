"""Trial: a few real steps of a bundle's own training, measured in a process of their own.

    python -m medseg.planning.forecast.trial BUNDLE DATASET FOLDER RESULT [DEVICE]

RESULT is a JSON file of seconds and bytes. All that the training writes goes below FOLDER.
"""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from medseg._files import write_atomically
from medseg._memory import peak_memory_bytes

__all__ = ["main"]

_BEGUN = time.monotonic()
TRAIN_CASES, VAL_CASES, STEPS = 2, 3, 4


def main(arguments: Sequence[str]) -> None:
    """Run the trial, and write what it measured."""
    bundle, dataset, folder, result, *device = arguments
    from ignite.engine import Events

    from medseg.bundles.run import open_workflow

    overrides: dict[str, Any] = {
        "dataset_dir": dataset,
        "output_dir": str(Path(folder, "eval")),
        "ckpt_dir": str(Path(folder, "models")),
        "train_most": TRAIN_CASES,
        "val_cases#most": VAL_CASES,
        # The first epoch and the first validation load what the second finds loaded.
        "epochs": 2,
        "iterations_per_epoch": STEPS,
        "val_interval": 1,
        "cache": "memory",
        "overwrite": "replace",
        **({"device": device[0]} if device else {}),
    }
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
    )
    workflow.initialize()
    parser = cast("Any", workflow.parser)
    start = time.monotonic() - _BEGUN
    cases = len(parser.get_parsed_content("train_cases") + parser.get_parsed_content("val_cases"))
    begun = time.monotonic()
    parser.get_parsed_content("usable")
    read = (time.monotonic() - begun) / cases
    prepared = _prepared(parser)
    steps, windows, validations = _ends(parser, Events)
    workflow.run()
    validated = len(parser.get_parsed_content("val_cases"))
    once = _last(windows, validated)
    measured = {
        "step": statistics.median(_last(steps, STEPS)),
        "prepare": prepared["seconds"] + read,
        "validation": statistics.median(once[1:] or once),
        "validating": max(0.0, validations[-1] - sum(once)),
        "start": start,
        "case_bytes": prepared["bytes"],
        "voxels": prepared["voxels"],
        "base_bytes": peak_memory_bytes(),
        "trial_cases": cases,
    }
    text = json.dumps(measured)
    write_atomically(result, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _ends(parser: Any, events: Any) -> tuple[list[float], list[float], list[float]]:
    """Lists that the run will fill: seconds of each step, validated case, and validation."""
    trainer: Any = parser.get_parsed_content("train#trainer")
    evaluator: Any = parser.get_parsed_content("validate#evaluator")
    steps, cases, validations = list[float](), list[float](), list[float]()
    at = {"step": 0.0, "case": 0.0, "validation": 0.0}

    def begin(*what: str) -> None:
        at.update(dict.fromkeys(what, time.monotonic()))

    def end(what: str, seconds: list[float]) -> None:
        seconds.append(time.monotonic() - at[what])
        at[what] = time.monotonic()

    # From one step to the next, so that its patches and its augmentation count.
    trainer.add_event_handler(events.EPOCH_STARTED, lambda: begin("step"))
    trainer.add_event_handler(events.ITERATION_COMPLETED, lambda: end("step", steps))
    evaluator.add_event_handler(events.STARTED, lambda: begin("case", "validation"))
    evaluator.add_event_handler(events.ITERATION_COMPLETED, lambda: end("case", cases))
    evaluator.add_event_handler(events.COMPLETED, lambda: end("validation", validations))
    return steps, cases, validations


def _last(seconds: Sequence[float], count: int) -> list[float]:
    return list(seconds[-count:])


def _prepared(parser: Any) -> dict[str, float]:
    """Seconds, bytes and voxels of preparing a case: means, the first case left out.

    The first one loads libraries, too.
    """
    steps = parser.get_parsed_content("train#preprocessing")
    cases = parser.get_parsed_content("train_cases") + parser.get_parsed_content("val_cases")
    rows: list[tuple[float, float, float]] = []
    for case in [cases[0], *cases]:
        begun = time.monotonic()
        sample = steps(dict(case))
        rows.append((time.monotonic() - begun, _bytes(sample), sample["image"][0].numel()))
    means = [statistics.fmean(column) for column in zip(*rows[1:], strict=True)]
    return dict(zip(("seconds", "bytes", "voxels"), means, strict=True))


def _bytes(sample: dict[str, Any]) -> float:
    """Of a prepared case; packed, a label takes a byte a voxel."""
    tensors = [value for value in sample.values() if hasattr(value, "numel")]
    return sum(
        value.numel() * (value.element_size() if value.is_floating_point() else 1)
        for value in tensors
    )


if __name__ == "__main__":
    main(sys.argv[1:])
