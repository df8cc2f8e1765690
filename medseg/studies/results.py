"""Results of a study: what each run scored, case by case, and what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "BASELINE",
    "CaseScore",
    "Cost",
    "Losses",
    "RunResult",
    "StudyResults",
    "classical_row",
]

# Name of the row that all others are compared with.
BASELINE = "baseline"


def classical_row(method: str) -> str:
    """Name of the row that a classical method is."""
    return f"classical: {method}"


@dataclass(frozen=True, kw_only=True)
class CaseScore:
    """Scores of one class in one case.

    Attributes:
        case: Name of the case.
        class_name: The class; `all` for scores of the case as a whole, such as of its objects.
        group: Group of the case, such as its tissue; None without one.
        values: By metric: those of `scores.csv` (dsc, iou, precision, recall, accuracy,
            conformity, hd95_mm, ...), with the counts tp, fp, fn and tn, or of `instances.csv`.
    """

    case: str
    class_name: str
    group: str | None
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run took, and what its network costs in use.

    Attributes:
        minutes: Of the training, by the clock.
        iterations: Optimiser's batches that were run.
        best_epoch: The epoch whose weights were kept.
        epochs: Epochs that were run.
        parameters: Of the network.
        macs: Multiplications and additions of one patch, in convolutions and linear layers.
        peak_memory_gb: Largest memory of the process.
        case_ms: Median time of a case in inference, on this machine, in milliseconds.
    """

    minutes: float
    iterations: int
    best_epoch: int
    epochs: int
    parameters: int
    macs: int
    peak_memory_gb: float
    case_ms: float


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Mean loss of the best weights over training and held-out cases, without augmentation."""

    train: float
    held_out: float


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """One run: a row of the study with one seed, on one fold.

    Attributes:
        row: Name of the row, `BASELINE` or such as `loss=jaccard`.
        seed: Its seed.
        fold: The fold held out.
        digest: Of all that determines it; the name of its folder.
        folder: Its folder: `scores.csv`, `metrics.csv`, `model.safetensors`, `log.txt`, ...
        reason: Why it failed, in one line; empty if it did not.
        cases: Scores of the held-out cases; none if it failed.
        cost: None if it failed, or nothing was trained.
        losses: None if it failed, or the study does not ask for them.
    """

    row: str
    seed: int
    fold: int
    digest: str
    folder: Path
    reason: str = ""
    cases: tuple[CaseScore, ...] = ()
    cost: Cost | None = None
    losses: Losses | None = None


@dataclass(frozen=True, kw_only=True)
class StudyResults:
    """All runs of a study, and what its page says of it.

    Attributes:
        title: Of the study.
        score: The metric by which rows are compared.
        rows: Names, the baseline first, in the order of the study file.
        overrides: What each row changes, by row and key.
        published: What the published work found, by row: `better`, `worse` or `same`, and a note.
        runs: All, those that failed included.
    """

    title: str
    score: str
    rows: tuple[str, ...]
    overrides: Mapping[str, Mapping[str, object]]
    published: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    runs: tuple[RunResult, ...] = ()
