"""Run the steps of a recipe one by one: which of them changed the image, and how long each took.

A recipe run as one `Compose` reports neither. Random numbers are those of a training: every draw
is seeded from the seed and its number.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from medseg.data.cases.chance import start_steps
from medseg.errors import DataError, user_error

__all__ = ["StepTimes", "as_tensor", "seeded", "time_draws", "time_once", "trace"]

Sample = Mapping[str, Any]
Step = Callable[[Any], Any]


@dataclass(frozen=True)
class StepTimes:
    """Run times of one step.

    Attributes:
        step: Name of its class.
        ms: Milliseconds of each run.
    """

    step: str
    ms: tuple[float, ...]

    def summary(self) -> dict[str, float]:
        """Median, mean and longest time: a step of low probability has a median near 0."""
        return {
            "median_ms": statistics.median(self.ms),
            "mean_ms": statistics.fmean(self.ms),
            "longest_ms": max(self.ms),
        }


def trace(sample: Sample, steps: Sequence[Step]) -> tuple[Sample, list[str]]:
    """Run the steps, and name those that changed the image.

    If a step returns several samples, the first is used.

    Raises:
        DataError: If a step fails; it names the step and the reason.
    """
    changed: list[str] = []
    for step in steps:
        # Clone: a step may change its input in place.
        before = as_tensor(sample["image"]).clone()
        sample = _run(step, sample)
        after = as_tensor(sample["image"])
        if before.shape != after.shape or not torch.equal(before, after):
            changed.append(_name(step))
    return sample, changed


def time_once(sample: Sample, steps: Sequence[Step]) -> tuple[Sample, list[StepTimes]]:
    """Run the steps, and time each.

    Raises:
        DataError: If a step fails.
    """
    times: list[StepTimes] = []
    for step in steps:
        start = time.perf_counter()
        sample = _run(step, sample)
        times.append(StepTimes(_name(step), (1000 * (time.perf_counter() - start),)))
    return sample, times


def time_draws(case: Sample, steps: Sequence[Step], seed: int, draws: int) -> list[StepTimes]:
    """Time random steps over several draws of one case.

    Args:
        case: A prepared case.
        steps: Augmentation steps.
        seed: See `seeded`.
        draws: Number of draws, at least 1.

    Returns:
        The times of each step, and of all together, named `total`, last.
    """
    runs = [time_once(case, seeded(steps, seed, number))[1] for number in range(draws)]
    each = [
        StepTimes(same[0].step, tuple(times.ms[0] for times in same))
        for same in zip(*runs, strict=True)
    ]
    totals = tuple(sum(times.ms[0] for times in run) for run in runs)
    return [*each, StepTimes("total", totals)]


def seeded(steps: Sequence[Step], seed: int, number: int) -> list[Step]:
    """The steps, seeded as for the draw of this number in a training."""
    start_steps(steps, [seed, number])
    return list(steps)


def as_tensor(image: Any) -> Tensor:
    """A plain tensor of an array or of a tensor with metadata."""
    return torch.as_tensor(image).as_subclass(Tensor)


def _run(step: Step, sample: Sample) -> Sample:
    try:
        done = step(sample)
    except Exception as error:
        if user_error(error) is not None:
            raise
        raise DataError(f"{_name(step)} failed ({_reason(error)})") from error
    return cast("list[Sample]", done)[0] if isinstance(done, list) else cast("Sample", done)


def _reason(error: BaseException) -> str:
    """First line of the root cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _name(step: Step) -> str:
    return type(step).__name__
