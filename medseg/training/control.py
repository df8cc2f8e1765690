"""Training control: every choice of the training loop, with its meaning, default and check.

A bundle's `train.yaml` builds one `Control` and hands it to the functions of
`medseg.training.datasets`, `handlers` and `trainer`. Keys that a bundle does not name have the
defaults below; `medseg train BUNDLE --keys` prints them all from this file.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import ignite.distributed as idist

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.training.control_ranges import RANGES
from medseg.training.freeze import Freeze
from medseg.training.rate import Schedule

__all__ = ["Control", "check_control", "choices"]

Cache = Literal["memory", "disk", "none"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Compile = Literal["none", "default", "reduce-overhead", "max-autotune"]

# Keys that may change on resuming: where files go, how fast it runs, when it ends.
_FREE_ON_RESUME = {
    "output_dir", "ckpt_dir", "checkpoint_dir", "start", "overwrite", "cache", "cache_dir",
    "compile", "num_workers", "worker_start", "quarantine_share", "max_minutes", "final_weights",
    "window_batch", "tensorboard", "mlflow", "experiment", "init_weights",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Control:
    """Settings of a training loop, apart from network, loss, optimiser, data and transforms.

    Attributes:
        output_dir: Folder for `metrics.csv`, curves and TensorBoard events.
        ckpt_dir: Folder for the best weights (MONAI's name; checkpoints go to checkpoint_dir);
            null means `models` in output_dir.
        checkpoint_dir: Folder for the checkpoints that `start=resume` reads; null means
            `checkpoints` in output_dir.
        start: `fresh` starts anew; `resume` continues from the newest checkpoint, on a CPU to
            the same weights, bit for bit, as without the interruption.
        overwrite: If weights or checkpoints of an earlier training exist: `refuse` stops with an
            error, `replace` replaces them.
        init_weights: Weights to start from: the folder of another bundle, or a safetensors file;
            layers that fit by name and shape are taken, the others logged. Null starts anew.
        freeze: Parts that are not trained: `encoder` keeps all levels down to the bottleneck as
            init_weights made them, for few images; a layer that did not fit is trained. `zeros`
            keeps the zeros of a pruned network. `none` trains all.
        quick: Trial run in a minute or two: three cases, one epoch of at most five batches; files
            go into folders named `quick`.
        epochs: Number of epochs, each of iterations_per_epoch batches.
        iterations_per_epoch: Batches in an epoch; the optimiser steps once every
            accumulation_steps batches.
        batch_size: Patches in a batch, in each process.
        case_weights: How often each training case is drawn, relative to the others; null draws
            all equally often. `{_target_: medseg.data.balanced_weights, cases: "@train_cases"}`
            draws each group of cases equally often.
        stored_augmentations: Number of fixed augmented versions of each case; null augments anew
            at each draw.
        cache: Where preprocessed cases are kept; `none` preprocesses at each draw.
        cache_dir: Folder of the disk cache; null means $MEDSEG_CACHE, or ~/.cache/medseg.
        quarantine_share: Fraction of the training cases that may fail before the training stops;
            other cases are drawn in their place.
        num_workers: Worker processes that load and augment; 0 does it in the training process.
        worker_start: Start method of the worker processes; null means the system's default.
        learning_rate: Learning rate; with a warm-up or a schedule, its highest value.
        schedule: Learning-rate schedule: `plateau` multiplies the rate by plateau_factor when the
            validation score stops improving; `polynomial` decays it to zero over all iterations;
            `one_cycle` raises and lowers it over all iterations; `constant` keeps it.
        schedule_over: What the end of a polynomial or one_cycle schedule is: that of `epochs`; or,
            with `minutes`, that of max_minutes if it comes first: the training then ends within an
            epoch, and if it is resumed it has the minutes that are left.
        warmup: Fraction of the iterations spent on linear learning-rate warm-up, in [0, 1); null
            means 0.05 for polynomial, 0.3 for one_cycle, otherwise 0.
        plateau_factor: Factor by which the learning rate is multiplied at a plateau, in (0, 1).
        plateau_patience: Validations in a row without a better score that change nothing; the
            next one lowers the learning rate.
        clip_gradients: Maximum L2 norm of the gradient; null does not clip.
        accumulation_steps: Batches whose gradients are summed for one optimiser step.
        ema: Decay of an exponential moving average of the weights, e.g. 0.999; the average is
            what is validated and saved. Null uses the weights themselves.
        early_stop_patience: Validations without a better score before the training stops; null
            never stops it.
        early_stop_tolerance: Minimum improvement of the score that counts as better.
        max_minutes: Time limit in minutes; the training ends within it, with a complete and
            validated epoch. Null has no limit.
        final_weights: Weights in memory after the training: those of the best validation, or of
            the last step. The file always has the best.
        val_interval: Epochs between validations.
        val_overlap: Overlap of sliding windows in validation, as a fraction in [0, 1).
        window_batch: Sliding windows in a batch in validation.
        precision: `auto` is bf16 if the processor supports it, else fp32; fp16, with loss scaling,
            needs CUDA.
        compile: Mode of torch.compile; `none` does not compile.
        seed: Random seed of weights, draws and augmentation.
        tensorboard: What is logged to TensorBoard: `scalars`, or also `images`, a slice of each
            validation.
        mlflow: URI of an MLflow store, e.g. sqlite:///runs.db; null does not use MLflow. Needs
            medseg[mlflow].
        experiment: Name of the experiment in MLflow; of a path its last part.
    """

    output_dir: str
    ckpt_dir: str | None = None
    checkpoint_dir: str | None = None
    start: Literal["fresh", "resume"] = "fresh"
    overwrite: Literal["refuse", "replace"] = "refuse"
    init_weights: str | None = None
    freeze: Freeze = "none"
    quick: bool = False
    epochs: int = 50
    iterations_per_epoch: int = 50
    batch_size: int = 2
    case_weights: Sequence[float] | None = None
    stored_augmentations: int | None = None
    cache: Cache = "memory"
    cache_dir: str | None = None
    quarantine_share: float = 0.0
    num_workers: int = 0
    worker_start: Literal["fork", "forkserver", "spawn"] | None = None
    learning_rate: float = 0.001
    schedule: Schedule = "plateau"
    schedule_over: Literal["epochs", "minutes"] = "epochs"
    warmup: float | None = None
    plateau_factor: float = 0.5
    plateau_patience: int = 4
    clip_gradients: float | None = None
    accumulation_steps: int = 1
    ema: float | None = None
    early_stop_patience: int | None = None
    early_stop_tolerance: float = 0.0
    max_minutes: float | None = None
    final_weights: Literal["best", "last"] = "best"
    val_interval: int = 1
    val_overlap: float = 0.25
    window_batch: int = 2
    precision: Precision = "auto"
    compile: Compile = "none"
    seed: int = 0
    tensorboard: Literal["images", "scalars", "none"] = "images"
    mlflow: str | None = None
    experiment: str = "medseg"

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            UsageError: For the first key whose value is of the wrong kind or out of its range.
        """
        check_control({field.name: getattr(self, field.name) for field in dataclasses.fields(self)})

    @property
    def max_epochs(self) -> int:
        """Epochs that are run; one in a quick pass."""
        return 1 if self.quick else self.epochs

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; at most five in a quick pass."""
        return min(self.iterations_per_epoch, 5) if self.quick else self.iterations_per_epoch

    @property
    def epochs_between_validations(self) -> int:
        """`val_interval`, but at most `max_epochs`: without any validation no weights are saved."""
        return min(self.val_interval, self.max_epochs)

    @property
    def warmup_share(self) -> float:
        """Fraction of the iterations with a rising rate, in [0, 1)."""
        if self.warmup is not None:
            return self.warmup
        return {"polynomial": 0.05, "one_cycle": 0.3}.get(self.schedule, 0.0)

    @property
    def log_dir(self) -> Path:
        """Folder of tables, curves and events."""
        return self._folder(self.output_dir)

    @property
    def weights_path(self) -> Path:
        """File of the best weights."""
        return self._folder(self.ckpt_dir or f"{self.output_dir}/models") / "model.safetensors"

    @property
    def checkpoint_folder(self) -> Path:
        """Folder of the checkpoints."""
        return self._folder(self.checkpoint_dir or f"{self.output_dir}/checkpoints")

    @property
    def folders(self) -> tuple[Path, ...]:
        """All folders that the training writes to."""
        return self.log_dir, self.weights_path.parent, self.checkpoint_folder

    @property
    def existing(self) -> Literal["refuse", "replace"]:
        """What to do with existing files; a quick pass replaces those of an earlier one."""
        return "replace" if self.quick else self.overwrite

    @property
    def writes_scalars(self) -> bool:
        """Whether this process writes TensorBoard events."""
        return self.first_process and self.tensorboard != "none"

    @property
    def first_process(self) -> bool:
        """Whether this process writes files; of several processes only the first does."""
        return idist.get_rank() == 0

    def resume_settings(self) -> dict[str, Any]:
        """The values that must be the same on resuming."""
        kept = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in _FREE_ON_RESUME
        }
        # Only some schedules depend on the length of the training.
        if not (self.schedule in ("polynomial", "one_cycle") or self.warmup_share):
            del kept["epochs"]
        # Checkpoints of before there was this key do not have it.
        if self.freeze == "none":
            del kept["freeze"]
        if self.schedule_over == "epochs":
            del kept["schedule_over"]
        return {**kept, "warmup": self.warmup_share, "world_size": idist.get_world_size()}

    def _folder(self, path: str) -> Path:
        return Path(path) / "quick" if self.quick else Path(path)


def check_control(values: Mapping[str, Any]) -> None:
    """Refuse wrong values of keys of `Control`.

    Args:
        values: Some of its keys; others are not looked at.

    Raises:
        UsageError: For the first key whose value is of the wrong kind or out of its range.
    """
    nullable = _nullable()
    for name, value in values.items():
        if value is None and name in nullable:
            continue
        if name not in RANGES and name not in choices():
            continue
        try:
            _check(name, value)
        except UsageError as error:
            if name not in nullable:
                raise
            raise UsageError(str(error).replace(", got ", " or null, got ", 1)) from None


def _check(name: str, value: object) -> None:
    words = choices().get(name)
    if words is not None:
        _require_word(name, value, words)
    else:
        RANGES[name](name, value)


@cache
def choices() -> dict[str, tuple[Any, ...]]:
    """Allowed values of each key that is a choice; None is among them if it may be null."""
    allowed: dict[str, tuple[Any, ...]] = {"quick": (False, True)}
    for name, hint in get_type_hints(Control).items():
        literals = [part for part in (hint, *get_args(hint)) if get_origin(part) is Literal]
        words = tuple(word for literal in literals for word in get_args(literal))
        if words:
            allowed[name] = (*words, None) if type(None) in get_args(hint) else words
    return allowed


@cache
def _nullable() -> set[str]:
    hints = get_type_hints(Control)
    return {name for name, hint in hints.items() if type(None) in get_args(hint)}


def _require_word(name: str, value: object, words: Sequence[object]) -> None:
    if words == (False, True):
        if not isinstance(value, bool):
            raise UsageError(f"{name} must be true or false, got {value!r}")
        return
    without_none = [word for word in words if word is not None]
    if value is not None or None not in words:
        require_choice(name, value, without_none)
