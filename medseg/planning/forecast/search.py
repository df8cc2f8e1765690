"""Search for a plan that fits time and memory: tried, made smaller or wider, and tried again."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medseg.data.manifest import Manifest
from medseg.errors import MachineError
from medseg.planning.assemble import Planned, Size, assemble
from medseg.planning.fingerprint.set_facts import SetFacts
from medseg.planning.forecast.measure import Forecast, forecast, measure
from medseg.planning.rules.training import (
    FEWEST_STEPS,
    FEWEST_VALIDATIONS,
    Length,
    Pace,
    divided,
    length_within,
)

__all__ = ["Budget", "Fitted", "first_size", "fit"]

TRIALS = 4
# Below so many steps a smaller network learns more; far above, a wider one.
ENOUGH_STEPS, MANY_STEPS = 300, 9000
# A size that saves less is not worth its own trial, as other things take the time.
LEAST_GAIN = 1.2
WIDEST = {"cpu": 24, "cuda": 48}
NARROWEST = 8
SMALLEST = {2: 96 * 96, 3: 12_000}
CACHE_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a training may take.

    Attributes:
        minutes: Of it all.
        memory_gb: Of its peak.
        device: `cpu` or `cuda`, where it runs.
    """

    minutes: float
    memory_gb: float
    device: str


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A plan within its budget, and its forecast; None if nothing was measured."""

    planned: Planned
    forecast: Forecast | None


@dataclass(frozen=True, kw_only=True)
class _Task:
    name: str
    manifest: Manifest
    facts: SetFacts
    pins: Mapping[str, Any]
    dataset: Path
    budget: Budget
    tell: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """A size that was tried, and what it took; without a length there is no time for it."""

    size: Size
    pace: Pace
    length: Length | None
    cache: str
    known: Forecast
    fits: bool

    @property
    def steps(self) -> int:
        """Steps within the budget."""
        return self.length.steps if self.length and self.fits else 0


def first_size(facts: SetFacts, device: str) -> Size:
    """Where the search begins: sizes that the shipped bundles have on a CPU, larger on a GPU."""
    if device == "cpu":
        return Size(voxels=192 * 192 if facts.axes == 2 else 50_000, width=16, batch=2)
    return Size(voxels=512 * 512 if facts.axes == 2 else 1_000_000, width=32, batch=2)


def fit(  # noqa: PLR0913 - all that a plan depends on
    name: str,
    manifest: Manifest,
    facts: SetFacts,
    pins: Mapping[str, Any],
    dataset: Path,
    budget: Budget,
    tell: Callable[[str], None],
) -> Fitted:
    """Plan a bundle that fits its budget.

    Args:
        name: Of the bundle.
        manifest: Of its data set.
        facts: Of that.
        pins: Values that the user gave, by key.
        dataset: Folder of the data set.
        budget: Time, memory, device.
        tell: Called with a line before each trial.

    Raises:
        MachineError: If even the smallest plan needs more; it says how much.
    """
    task = _Task(
        name=name,
        manifest=manifest,
        facts=facts,
        pins=pins,
        dataset=dataset,
        budget=budget,
        tell=tell,
    )
    size: Size | None = first_size(facts, budget.device)
    attempts: list[_Attempt] = []
    while size is not None and len(attempts) < TRIALS:
        attempts.append(_attempt(task, size))
        size = _next(task, attempts)
    best = max(
        attempts, key=lambda one: (min(one.steps, ENOUGH_STEPS), one.size.width, one.size.voxels)
    )
    if best.length is None or not best.fits:
        raise MachineError(_needs(min((one.known for one in attempts), key=_cost), budget))
    return _final(task, best, best.length)


def _attempt(task: _Task, size: Size) -> _Attempt:
    planned = _planned(task, size, divided(1000, 10), "not measured yet", "memory")
    task.tell(_trial_words(planned))
    device = None if task.budget.device == "cpu" else task.budget.device
    pace = measure(planned, task.dataset, device).of_images(_voxels(task, planned))
    cache = _cache(task, pace)
    length = length_within(pace, task.budget.minutes, _cases(task), _val_cases(task))
    known = _forecast(task, pace, length or divided(FEWEST_STEPS, FEWEST_VALIDATIONS), cache)
    fits = length is not None and known.memory_gb <= task.budget.memory_gb
    return _Attempt(size=size, pace=pace, length=length, cache=cache, known=known, fits=fits)


def _voxels(task: _Task, planned: Planned) -> float:
    """Mean of the images on the planned grid."""
    keys = [choice.key for choice in planned.choices]
    grid = next((key for key in ("spacing_mm", "pixel_size") if key in keys), None)
    return task.facts.volume / (1.0 if grid is None else math.prod(planned.value(grid)))


def _next(task: _Task, attempts: Sequence[_Attempt]) -> Size | None:
    """Another size to try; None to stay with what was tried."""
    last = attempts[-1]
    if last.steps < ENOUGH_STEPS:
        before = attempts[-2].pace.step if len(attempts) > 1 else math.inf
        in_vain = (
            before < LEAST_GAIN * last.pace.step and last.known.memory_gb <= task.budget.memory_gb
        )
        return None if in_vain else _really_smaller(last.size, task, _share(task, last))
    widest = WIDEST["cpu" if task.budget.device == "cpu" else "cuda"]
    pinned = "network_def#first_width" in task.pins
    room = last.known.memory_gb < 0.5 * task.budget.memory_gb
    if last.steps >= MANY_STEPS and last.size.width < widest and room and not pinned:
        return replace(last.size, width=min(widest, last.size.width + 8))
    return None


def _really_smaller(size: Size, task: _Task, share: float) -> Size | None:
    """A size that takes about such a share, and whose patch is not rounded up to the same again."""
    planned = _planned(task, size, divided(1000, 10), "", "memory")
    other = _smaller(size, task, share)
    while other is not None:
        if _trial_words(_planned(task, other, divided(1000, 10), "", "memory")) != _trial_words(
            planned
        ):
            return other
        other = _smaller(other, task, share)
    return None


def _cost(known: Forecast) -> float:
    return known.minutes + known.memory_gb


def _share(task: _Task, last: _Attempt) -> float:
    """What a step may take of what it took, so that there are enough of them, and memory is."""
    steps = last.steps or 60 * task.budget.minutes / (2 * last.pace.step)
    return min(task.budget.memory_gb / last.known.memory_gb, steps / ENOUGH_STEPS)


def _smaller(size: Size, task: _Task, share: float) -> Size | None:
    """A size that takes about such a share; None if there is none."""
    pins, least = task.pins, SMALLEST[task.facts.axes]
    if size.voxels > least and "patch_size" not in pins:
        return replace(size, voxels=max(least, int(size.voxels * min(0.7, max(0.25, share)))))
    if size.batch > 1 and "batch_size" not in pins:
        return replace(size, batch=1)
    if size.width > NARROWEST and "network_def#first_width" not in pins:
        return replace(size, width=NARROWEST)
    return None


def _final(task: _Task, best: _Attempt, length: Length) -> Fitted:
    pins = task.pins
    epochs = int(pins.get("epochs", length.epochs))
    iterations = int(pins.get("iterations_per_epoch", length.iterations))
    interval = int(pins.get("val_interval", min(length.val_interval, epochs)))
    length = Length(epochs=epochs, iterations=iterations, val_interval=interval)
    known = _forecast(task, best.pace, length, best.cache)
    planned = _planned(task, best.size, length, known.told(), best.cache)
    return Fitted(planned=planned, forecast=known)


def _planned(task: _Task, size: Size, length: Length, told: str, cache: str) -> Planned:
    return assemble(
        task.name,
        task.manifest,
        task.facts,
        size,
        length,
        told=told,
        pins=task.pins,
        cache=cache,
    )


def _forecast(task: _Task, pace: Pace, length: Length, cache: str) -> Forecast:
    where = task.budget.device
    return forecast(pace, length, _cases(task), _val_cases(task), cache, where)


def _cache(task: _Task, pace: Pace) -> str:
    whole = pace.case_bytes * _cases(task) / 1e9
    return "memory" if whole < CACHE_SHARE * task.budget.memory_gb else "disk"


def _cases(task: _Task) -> int:
    return len(task.manifest.training)


def _val_cases(task: _Task) -> int:
    return sum(case.fold == 0 for case in task.manifest.training) or len(task.manifest.training)


def _trial_words(planned: Planned) -> str:
    patch = "x".join(map(str, planned.value("patch_size")))
    width = planned.value("network_def#first_width")
    batch = planned.value("batch_size")
    return f"trying a few real steps: patch {patch}, width {width}, batch {batch}"


def _needs(known: Forecast, budget: Budget) -> str:
    return (
        f"no plan fits {budget.minutes:g} minutes and {budget.memory_gb:.2g} GB: the "
        "smallest takes "
        f"{known.minutes:.1f} minutes for 100 steps, and {known.memory_gb:.1f} GB; give --minutes "
        f"{math.ceil(max(budget.minutes, known.minutes * 1.2))} --memory-gb "
        f"{math.ceil(10 * max(budget.memory_gb, known.memory_gb * 1.1)) / 10:.1f}"
    )
