"""Take up a training where it stopped, and get the very weights it would have had.

MONAI's `CheckpointSaver` and `CheckpointLoader` keep network and optimiser, not what the
randomness of the rest of the training comes from; the weights then are others. Here a
checkpoint holds all that a step depends on. On a CPU the bits are the same.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, cast

import ignite.distributed as idist
import torch
from ignite.engine import Events
from torch import nn
from torch.optim import Optimizer

from medseg._checks import first_few, require_choice
from medseg.data.cases.draws import RandomDraws
from medseg.errors import TrainingStoppedError, UsageError
from medseg.networks.weights import plain_network
from medseg.training.checkpoint_files import (
    clear_checkpoints,
    newest_checkpoint,
    write_checkpoint,
)
from medseg.training.description import described, differences
from medseg.training.ignite_engine import EngineLike, made_a_step
from medseg.training.random_states import random_states, restore_random_states
from medseg.training.sigterm import Sigterm

__all__ = ["Checkpoints", "Stateful"]

logger = logging.getLogger(__name__)

Start = Literal["fresh", "resume"]


class Stateful(Protocol):
    """Something a step depends on, such as an optimiser."""

    def state_dict(self) -> Any:
        """Its state."""
        ...

    def load_state_dict(self, state: Any, /) -> Any:
        """Take on a state."""
        ...


class Checkpoints:
    """Handler of a trainer, the last of its list: saves each epoch, resumes, and heeds SIGTERM.

    The trainer's loader draws by `medseg.data.RandomDraws`.

    The last two checkpoints are kept. SIGTERM lets the running step finish, saves, and ends
    the training with `TrainingStoppedError` (exit code 75), within a validation only after it.

    Exact for one process on a CPU, if the augmentation is that of `medseg.data.CaseDataset`. Of
    several processes the first one writes; the others' own generators begin anew.
    """

    def __init__(
        self,
        folder: str,
        *,
        parts: Mapping[str, Stateful | None],
        settings: Mapping[str, Any],
        start: Start = "fresh",
    ) -> None:
        """Check the arguments.

        Args:
            folder: For checkpoints of this training only.
            parts: What a step depends on, by name: `network` and `optimizer` at least, and
                schedulers and handlers that have a state. One that is None is left out. A
                part whose `exhausted` is true after loading has nothing more to train.
            settings: What has to be the same on resuming; anything `described` can tell.
            start: `fresh`, which removes the checkpoints that are there (see `require_start`), or
                `resume` from the newest whole one, if there is one.

        Raises:
            UsageError: If an argument cannot be used.
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
        self._sigterm = Sigterm()
        self._saved = -1

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer, after whatever has a state."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_STARTED, self._hold_randomness)
        engine.add_event_handler(Events.ITERATION_STARTED, self._release_randomness)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._within_epoch)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._pass_on)

    def __call__(self, engine: EngineLike) -> None:
        """Save at the end of an epoch, and stop there if told to."""
        self._save(engine)
        if idist.all_reduce(int(self._sigterm.came), "MAX"):
            self._stop(engine)

    def _begin(self, engine: EngineLike) -> None:
        self._sigterm.listen()
        if idist.get_rank() == 0:
            clear_checkpoints(self.folder, which="all" if self.start == "fresh" else "remains")
        found = newest_checkpoint(self.folder) if self.start == "resume" else None
        if found is None:
            # So that the settings are known, and the weights that follow belong to a checkpoint.
            self._save(engine)
            return
        self._load(engine, *found)

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
            raise UsageError(f"{path}: holds no {', '.join(missing)}; start 'fresh' elsewhere")
        for name, part in self.parts.items():
            _load_part(part, state["parts"][name])
        if state["scaler"] is not None and cast("Any", engine).scaler is not None:
            cast("Any", engine).scaler.load_state_dict(state["scaler"])
        _draws(engine).load_state_dict({"next_number": state["next_number"]})
        engine.state.iteration, engine.state.epoch = state["iteration"], state["epoch"]
        # Only the first process's are known.
        self._random = state["random"] if idist.get_rank() == 0 else None
        self._saved = state["iteration"]
        logger.info("going on after epoch %d, iteration %d: %s", *_place(engine), path.name)
        if any(getattr(part, "exhausted", False) for part in self.parts.values()):
            cast("Any", engine).terminate()

    def _save(self, engine: EngineLike) -> None:
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
            # Of a loader with workers, the draws are ahead of the training.
            "next_number": idist.get_world_size()
            * (whole * _draws(engine).draws_per_epoch + left * batch_size),
            "iteration": state.iteration,
            "epoch": whole,
            "random": random_states(),
        }
        write_checkpoint(self.folder, state.iteration, content)
        self._saved = state.iteration

    # A loader draws the seed of its workers when it begins an epoch, and not when it goes on in
    # one. What it draws in between must not count.
    def _hold_randomness(self, _: EngineLike) -> None:
        self._random = self._random or random_states()

    def _release_randomness(self, _: EngineLike) -> None:
        if self._random is not None:
            restore_random_states(self._random)
            self._random = None

    def _within_epoch(self, engine: EngineLike) -> None:
        # The last step of an epoch is followed by what is done at its end.
        last = engine.state.iteration % engine.state.epoch_length == 0
        # Processes get the signal at different steps, and have to stop after the same one.
        if not last and made_a_step(engine) and idist.all_reduce(int(self._sigterm.came), "MAX"):
            self._save(engine)
            self._stop(engine)

    def _stop(self, engine: EngineLike) -> NoReturn:
        epoch, iteration = _place(engine)
        raise TrainingStoppedError(
            f"stopped by SIGTERM in epoch {epoch}, after iteration {iteration}, and saved in "
            f"{self.folder}; go on with start=resume"
        )

    def _end(self, _: EngineLike) -> None:
        self._sigterm.leave()

    def _pass_on(self, engine: EngineLike, error: BaseException) -> None:
        self._end(engine)
        raise error


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
            f"the weights {names[0]} are no longer finite; the checkpoints in {folder} are from "
            "before, and so are the best weights; lower learning_rate, or look at the data"
        )


def _load_part(part: Stateful, state: Any) -> None:
    part.load_state_dict(state)
    if not isinstance(part, Optimizer):
        return
    # In the parameters' memory format, as they were: sums run in the order of the memory.
    for parameter, values in cast("dict[Any, dict[str, Any]]", part.state).items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _plain(part: Any) -> Any:
    return plain_network(part) if isinstance(part, nn.Module) else part


def _place(engine: EngineLike) -> tuple[int, int]:
    return engine.state.epoch, engine.state.iteration
