"""Request of a plan: the user's folder, files, names and budget, as given on a command line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medseg.data.datasets.collect import DatasetInfo, SplitPlan
from medseg.data.datasets.collected import DatasetFiles

__all__ = ["PlanRequest"]


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What a user asks for.

    Attributes:
        folder: Of the bundle to be written.
        files: How images and labels are named, or None with a manifest.
        manifest: A manifest, or None with files.
        dataset_dir: Folder of the manifest's files.
        info: Names and terms of the data set; None with a manifest.
        split: How cases are dealt.
        minutes: For a training; None takes an hour, or what was said before.
        memory_gb: For its peak; None takes half of what is available.
        device: `auto`, `cpu` or `cuda`.
        pins: Values that stay, by key.
        measured: `steps` tries the plan on this machine, `nothing` takes it as it comes.
    """

    folder: Path
    files: DatasetFiles | None = None
    manifest: Path | None = None
    dataset_dir: Path | None = None
    info: DatasetInfo | None = None
    split: SplitPlan = field(default_factory=lambda: SplitPlan(folds=None))
    minutes: float | None = None
    memory_gb: float | None = None
    device: str = "auto"
    pins: dict[str, Any] = field(default_factory=dict[str, Any])
    measured: str = "steps"
