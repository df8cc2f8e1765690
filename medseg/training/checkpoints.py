"""Checkpoints: resume a training and get the weights of an uninterrupted one.

MONAI's `CheckpointSaver` and `CheckpointLoader` keep network and optimiser, but not the random
states of the rest of the training, so the resumed weights differ. Here a checkpoint holds
everything that a step depends on. On a CPU the weights are the same bit for bit.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, cast, get_args

import ignite.distributed as idist
import torch
from ignite.engine import Events
from torch import nn
from torch.optim import Optimizer

from medseg._checks import first_few, require_choice
from medseg._locks import Lock
from medseg.data.cases.draws import RandomDraws
from medseg.errors import TrainingStoppedError, UsageError
from medseg.networks.weights import plain_network
from medseg.training.best_weights import BestWeights
from medseg.training.checkpoint_files import (
    clear_checkpoints,
    newest_checkpoint,
    write_checkpoint,
)
from medseg.training.command_line import resume_line
from medseg.training.description import described, differences
from medseg.training.folder_locks import lock_folders, release
from medseg.training.ignite_engine import EngineLike, made_a_step
from medseg.training.random_states import random_states, restore_random_states
from medseg.training.stop_signals import Came, StopSignals

__all__ = ["Checkpoints", "Stateful"]

logger = logging.getLogger(__name__)

Start = Literal["fresh", "resume"]


class Stateful(Protocol):
    """Something a step depends on, such as an optimiser."""

    def state_dict(self) -> Any:
        """Its state."""
        ...

    def load_state_dict(self, state: Any, /) -> Any:
        """Restore a state."""
        ...


class Checkpoints:
    """Handler of a trainer, the last in its list: save each epoch, resume, stop on a signal.

    The sampler of the trainer's loader must be `medseg.data.RandomDraws`.

    The last two checkpoints are kept. On SIGTERM and Ctrl-C the running step or validation is
    finished, a checkpoint saved, and the training ended with `TrainingStoppedError` (exit code 75),
    whose line says how to resume it.

    Exact for one process on a CPU, if `medseg.data.CaseDataset` does the augmentation. Of
    several processes only the first writes; the random states of the others are not restored.
    """

    def __init__(
        self,
        folder: str,
        *,
        parts: Mapping[str, Stateful | None],
        settings: Mapping[str, Any],
        start: Start = "fresh",
        beside: Sequence[Path] = (),
    ) -> None:
        """Check the arguments.

        Args:
            folder: Folder for the checkpoints of this training only.
            parts: What a step depends on, by name: at least `network` and `optimizer`, plus
                schedulers and handlers that have a state. None is left out. If a part's
                `exhausted` is true after loading, the training is over.
            settings: What must be the same on resuming; anything that `described` takes.
            start: `fresh` removes existing checkpoints (see `require_start`); `resume` continues
                from the newest intact one, if there is one.
            beside: Other folders that the training writes to; all are locked while it runs.

        Raises:
            UsageError: If `start` is unknown, or a needed part is missing.
        """
        require_choice("start", start, ("fresh", "resume"))
        missing = [name for name in ("network", "optimizer") if parts.get(name) is None]
        if missing:
            raise UsageError(f"parts must have {' and '.join(missing)}, got {sorted(parts)}")
        self.folder = Path(folder)
        self.parts = {name: _plain(part) for name, part in parts.items() if part is not None}
        self.settings = described(settings)
        self.start = start
        self._random: Mapping[str, Any] | None = None
        self._folders = (self.folder, *beside)
        self._locks: list[Lock] = []
        self._signals = StopSignals()
        self._saved = -1

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after all handlers that have a state."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self._hold_randomness)
        engine.add_event_handler(Events.ITERATION_STARTED, self._release_randomness)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._within_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._pass_on)

    def __call__(self, engine: EngineLike) -> None:
        """Save at the end of an epoch, and stop if a signal was received."""
        self.save(engine)
        self._stop_if_told(engine)

    def _begin(self, engine: EngineLike) -> None:
        self._signals.listen()
        if idist.get_rank() == 0:
            self._locks = lock_folders(self._folders)
            clear_checkpoints(self.folder, which="all" if self.start == "fresh" else "remains")
        newest = newest_checkpoint(self.folder) if self.start == "resume" else None
        if newest is None:
            # Records the settings, so that weights saved from now on belong to a checkpoint.
            self.save(engine)
            return
        self._load(engine, *newest)

    def _load(self, engine: EngineLike, path: Path, state: Mapping[str, Any]) -> None:
        changed = differences(state["settings"], self.settings)
        if changed:
            raise UsageError(
                f"{path}: cannot resume, settings changed since this checkpoint: "
                f"{first_few(changed, 3, mark=';')}; restore them, or use start=fresh with "
                "another output_dir"
            )
        missing = sorted(self.parts.keys() - state["parts"].keys())
        if missing:
            raise UsageError(
                f"{path}: has no state of {', '.join(missing)}; use start=fresh with another "
                "output_dir"
            )
        for name, part in self.parts.items():
            _load_part(part, state["parts"][name])
        if state["scaler"] is not None and cast("Any", engine).scaler is not None:
            cast("Any", engine).scaler.load_state_dict(state["scaler"])
        _draws(engine).load_state_dict({"next_number": state["next_number"]})
        engine.state.iteration, engine.state.epoch = state["iteration"], state["epoch"]
        # Only the first process's states were saved.
        self._random = state["random"] if idist.get_rank() == 0 else None
        self._saved = state["iteration"]
        logger.info("resuming after epoch %d, iteration %d: %s", *_place(engine), path.name)
        if any(getattr(part, "exhausted", False) for part in self.parts.values()):
            cast("Any", engine).terminate()

    def save(self, engine: EngineLike) -> None:
        """Save the state after the last step, unless it is saved already."""
        state = engine.state
        if idist.get_rank() != 0 or state.iteration == self._saved:
            return
        _require_finite(cast("nn.Module", self.parts["network"]), self.folder)
        scaler = getattr(engine, "scaler", None)
        whole, left = divmod(state.iteration, state.epoch_length)
        batch_size = cast("Any", engine).data_loader.batch_size
        content = {
            "settings": self.settings,
            "parts": {name: part.state_dict() for name, part in self.parts.items()},
            "scaler": None if scaler is None else scaler.state_dict(),
            # Steps made, not draws: a loader with workers draws ahead of the training.
            "next_number": idist.get_world_size()
            * (whole * _draws(engine).draws_per_epoch + left * batch_size),
            "iteration": state.iteration,
            "epoch": whole,
            "random": random_states(),
        }
        write_checkpoint(self.folder, state.iteration, content)
        self._saved = state.iteration

    # Between these two events the loader draws a seed for its workers: once an epoch, and once
    # more if the epoch is resumed midway. That draw must not change the random state.
    def _hold_randomness(self, _: EngineLike) -> None:
        self._random = self._random or random_states()

    def _release_randomness(self, _: EngineLike) -> None:
        if self._random is not None:
            restore_random_states(self._random)
            self._random = None

    def _within_epoch(self, engine: EngineLike) -> None:
        # After the last step of an epoch, `__call__` saves and stops.
        last = engine.state.iteration % engine.state.epoch_length == 0
        # Processes receive the signal at different steps, but have to stop after the same one.
        if not last and made_a_step(engine):
            self._stop_if_told(engine)

    def _stop_if_told(self, engine: EngineLike) -> None:
        words: tuple[Came, ...] = get_args(Came)
        came = words[int(idist.all_reduce(words.index(self._signals.came), "MAX"))]
        if came:
            self.save(engine)
            self._stop(engine, came)

    def _stop(self, engine: EngineLike, came: str) -> NoReturn:
        epoch, iteration = _place(engine)
        best = self.parts.get("best_weights")
        raise TrainingStoppedError(
            f"stopped by {came} in epoch {epoch}, after iteration {iteration}, and saved in "
            f"{self.folder}; {_best_text(best) if isinstance(best, BestWeights) else ''}"
            f"continue with {resume_line(sys.argv) or 'start=resume'}"
        )

    def _end(self, _: EngineLike) -> None:
        self._signals.leave()
        release(self._locks)

    def _pass_on(self, engine: EngineLike, error: BaseException) -> None:
        self._end(engine)
        raise error


def _best_text(best: BestWeights) -> str:
    if not best.has_saved:
        return "there was no validation yet, so there are no weights; "
    return f"the best weights so far, {best.metric} {best.best:.3f}, are {best.path}; "


def _draws(engine: EngineLike) -> RandomDraws:
    return cast("RandomDraws", cast("Any", engine).data_loader.sampler)


def _require_finite(network: nn.Module, folder: Path) -> None:
    names = [
        name
        for name, weight in network.named_parameters()
        if not bool(torch.isfinite(weight.detach()).all())
    ]
    if names:
        raise UsageError(
            f"the weights {names[0]} are no longer finite; the checkpoints in {folder} and the "
            "best weights are from before; lower learning_rate, or check the data"
        )


def _load_part(part: Stateful, state: Any) -> None:
    part.load_state_dict(state)
    if not isinstance(part, Optimizer):
        return
    # Restore the parameters' memory format, which decides the order of summation.
    for parameter, values in cast("dict[Any, dict[str, Any]]", part.state).items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _plain(part: Any) -> Any:
    return plain_network(part) if isinstance(part, nn.Module) else part


def _place(engine: EngineLike) -> tuple[int, int]:
    return engine.state.epoch, engine.state.iteration
