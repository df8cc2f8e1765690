"""Measurement of a draft: its bundle is written to a temporary folder and tried there."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from medseg.bundles.writing.write import bundle_files, write_bundle
from medseg.errors import MachineError
from medseg.executor.job import Job
from medseg.executor.process import run_to_end
from medseg.planning.assemble import Planned
from medseg.planning.rules.training import Length, Pace

__all__ = ["Forecast", "forecast", "measure"]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a training will take.

    Attributes:
        minutes: From its start to its end.
        memory_gb: Peak.
        step_seconds: Of one step.
        of: Where it was measured, in words.
    """

    minutes: float
    memory_gb: float
    step_seconds: float
    of: str

    def told(self) -> str:
        """The forecast in a line."""
        return (
            f"{self.step_seconds:.3g} s a step, {self.minutes:.0f} minutes and "
            f"{self.memory_gb:.1f} GB in all, "
            f"from three real steps on {self.of}"
        )


def forecast(
    pace: Pace, length: Length, cases: int, val_cases: int, cache: str, device: str
) -> Forecast:
    """What a training of some length takes, by the pace that was measured."""
    seconds = pace.start + pace.prepare * cases + pace.step * length.steps
    seconds += (pace.validation * val_cases + pace.validating) * length.validations
    more = max(0, cases - pace.trial_cases) * pace.case_bytes if cache == "memory" else 0
    return Forecast(
        minutes=seconds / 60,
        memory_gb=(pace.base_bytes + more) / 1e9,
        step_seconds=pace.step,
        of=device,
    )


def measure(planned: Planned, dataset: Path, device: str | None) -> Pace:
    """Try a plan in a process of its own, and say what it took.

    Args:
        planned: The plan.
        dataset: Folder of its data set.
        device: Where to train; None takes the bundle's default.

    Raises:
        MachineError: If the trial failed, with its reason.
    """
    with tempfile.TemporaryDirectory(prefix="medseg-plan-") as temporary:
        folder = Path(temporary)
        bundle = folder / planned.draft.name
        write_bundle(bundle, bundle_files(planned.draft))
        result = folder / "pace.json"
        given = (str(bundle), str(dataset.absolute()), str(folder), str(result))
        job = Job(
            name="trial",
            module="medseg.planning.forecast.trial",
            arguments=given if device is None else (*given, device),
            log=folder / "trial.log",
            result=result,
            cpus=_threads(),
        )
        end = run_to_end(job, Path.cwd(), {})
        if not result.is_file():
            raise MachineError(f"the trial of the plan failed: {end.reason or 'no result'}")
        return Pace(**json.loads(result.read_text(encoding="utf-8")))


def _threads() -> int:
    """As many as a training would take: those of the machine, or what OMP_NUM_THREADS says."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
