"""Trial: a few real steps of a bundle's own training, measured in a process of their own.

    python -m medseg.planning.forecast.trial BUNDLE DATASET FOLDER RESULT [DEVICE]

RESULT is a JSON file of seconds and bytes. All that the training writes goes below FOLDER.
"""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from medseg._files import write_atomically

__all__ = ["main"]

_BEGUN = time.monotonic()


def main(arguments: Sequence[str]) -> None:
    """Run the trial, and write what it measured."""
    bundle, dataset, folder, result, *device = arguments
    from ignite.engine import Events

    from medseg.bundles.run import open_workflow

    overrides: dict[str, Any] = {
        "dataset_dir": dataset,
        "output_dir": str(Path(folder, "eval")),
        "ckpt_dir": str(Path(folder, "models")),
        "quick": True,
        "cache": "memory",
        "overwrite": "replace",
        **({"device": device[0]} if device else {}),
    }
    workflow = open_workflow(
        bundle, configs=["train"], run_id="training", overrides=overrides, log="quiet"
    )
    workflow.initialize()
    parser = cast("Any", workflow.parser)
    ready = time.monotonic()
    prepared = _prepared(parser)
    trainer: Any = parser.get_parsed_content("train#trainer")
    evaluator: Any = parser.get_parsed_content("validate#evaluator")
    ends: list[float] = []
    begun: list[float] = []
    validated: list[float] = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: ends.append(time.monotonic()))
    evaluator.add_event_handler(Events.STARTED, lambda: begun.append(time.monotonic()))
    evaluator.add_event_handler(Events.COMPLETED, lambda: validated.append(time.monotonic()))
    workflow.run()
    cases = len(parser.get_parsed_content("val_cases"))
    steps = [later - earlier for earlier, later in pairwise(ends)]
    measured = {
        "step": statistics.median(steps[-3:]),
        "prepare": prepared["seconds"],
        "validation": (validated[-1] - begun[-1]) / cases,
        "start": ready - _BEGUN,
        "case_bytes": prepared["bytes"],
        "base_bytes": _peak_bytes(),
        "trial_cases": len(parser.get_parsed_content("train_cases")) + cases,
    }
    text = json.dumps(measured)
    write_atomically(result, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _prepared(parser: Any) -> dict[str, float]:
    """Seconds and bytes of preparing a case, the second one: the first loads libraries, too."""
    steps = parser.get_parsed_content("train#preprocessing")
    cases = parser.get_parsed_content("train_cases")
    seconds = 0.0
    sample: dict[str, Any] = {}
    for case in [*cases, *cases][:2]:
        begun = time.monotonic()
        sample = steps(dict(case))
        seconds = time.monotonic() - begun
    tensors = [value for value in sample.values() if hasattr(value, "numel")]
    # Packed, a label takes a byte a voxel.
    taken = sum(
        value.numel() * (value.element_size() if value.is_floating_point() else 1)
        for value in tensors
    )
    return {"seconds": seconds, "bytes": taken}


def _peak_bytes() -> int:
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_reserved())
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
