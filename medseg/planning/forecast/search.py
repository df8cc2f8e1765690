"""Search for a plan that fits time and memory: tried, made smaller or wider, and tried again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medseg.data.manifest import Manifest
from medseg.errors import MachineError
from medseg.planning.assemble import Planned, Size, assemble
from medseg.planning.fingerprint.set_facts import SetFacts
from medseg.planning.forecast.measure import Forecast, forecast, measure
from medseg.planning.rules.training import Length, Pace, divided, length_within

__all__ = ["Budget", "Fitted", "first_size", "fit"]

TRIALS = 6
# Steps that a width is worth: below, a smaller network learns more; far above, a wider one.
ENOUGH_STEPS, MANY_STEPS = 400, 9000
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
    size = first_size(facts, budget.device)
    for trial in range(1, TRIALS + 1):
        planned = _planned(task, size, divided(1000, 10), "not measured yet", "memory")
        tell(_trial_words(trial, planned))
        pace = measure(planned, dataset, None if budget.device == "cpu" else budget.device)
        cache = _cache(task, pace)
        length = length_within(pace, budget.minutes, _cases(task), _val_cases(task))
        known = _forecast(task, pace, length or divided(100, 3), cache)
        smaller = _smaller(size, task, _share(task, pace, length, known))
        too_large = length is None or known.memory_gb > budget.memory_gb
        if too_large and smaller is None:
            raise MachineError(_needs(known, budget))
        other = _next(size, smaller, task, length, known, last=trial == TRIALS)
        if other is None and length is not None and not too_large:
            return _final(task, size, length, pace, cache)
        size = other or smaller or size
    raise MachineError(_needs(known, budget))  # pyright: ignore[reportPossiblyUnboundVariable]


def _next(
    size: Size,
    smaller: Size | None,
    task: _Task,
    length: Length | None,
    known: Forecast,
    *,
    last: bool,
) -> Size | None:
    """Another size to try; None to stay."""
    if length is None or known.memory_gb > task.budget.memory_gb:
        return smaller
    if length.steps < ENOUGH_STEPS:
        return None if last else smaller
    widest = WIDEST["cpu" if task.budget.device == "cpu" else "cuda"]
    pinned = "network_def#first_width" in task.pins
    room = known.memory_gb < 0.5 * task.budget.memory_gb
    if length.steps >= MANY_STEPS and size.width < widest and room and not (last or pinned):
        return replace(size, width=min(widest, size.width + 8))
    return None


def _share(task: _Task, pace: Pace, length: Length | None, known: Forecast) -> float:
    """What a step may take of what it took, so that there are enough of them, and memory is."""
    seconds = ENOUGH_STEPS * pace.step
    steps = length.steps / ENOUGH_STEPS if length else 60 * task.budget.minutes / (2 * seconds)
    return min(task.budget.memory_gb / known.memory_gb, steps)


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


def _final(task: _Task, size: Size, length: Length, pace: Pace, cache: str) -> Fitted:
    pins = task.pins
    steps = (
        int(pins.get("epochs", length.epochs)),
        int(pins.get("iterations_per_epoch", length.iterations)),
    )
    interval = int(pins.get("val_interval", min(length.val_interval, steps[0])))
    length = Length(epochs=steps[0], iterations=steps[1], val_interval=interval)
    known = _forecast(task, pace, length, cache)
    return Fitted(planned=_planned(task, size, length, known.told(), cache), forecast=known)


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


def _trial_words(trial: int, planned: Planned) -> str:
    patch = "x".join(map(str, planned.value("patch_size")))
    width = planned.value("network_def#first_width")
    return f"trial {trial}: patch {patch}, width {width}, batch {planned.value('batch_size')}"


def _needs(known: Forecast, budget: Budget) -> str:
    return (
        f"no plan fits {budget.minutes:g} minutes and {budget.memory_gb:.1f} GB: the "
        "smallest takes "
        f"{known.minutes:.1f} minutes for 100 steps, and {known.memory_gb:.1f} GB; give --minutes "
        f"{max(budget.minutes, known.minutes * 1.2):.0f} --memory-gb "
        f"{max(budget.memory_gb, known.memory_gb * 1.1):.1f}"
    )
