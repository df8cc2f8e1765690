"""Save the weights with the best validation score."""

import hashlib
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors.torch as safetensors_torch
from ignite.engine import Events
from torch import nn

from medseg._files import remove_remains
from medseg.networks.weights import save_weights, trained_setting, write_plain
from medseg.training.ignite_engine import EngineLike

__all__ = ["BestWeights"]

logger = logging.getLogger(__name__)


class BestWeights:
    """Handler of an evaluator: save the network whenever `metric` is the highest so far.

    Resumed by `Checkpoints`, it compares with the better of the checkpoint's score and the score
    in the header of the weights on disk, so that worse weights never replace better ones.

    Args:
        network: The network that is validated.
        path: The weights file, `.safetensors`; a `.pt` is written beside it. An existing file is
            replaced; see `require_start`.
        metric: Name in the evaluator's metrics; higher is better.
        settings: What inference has to repeat, e.g. window and spacing; JSON values.

    Raises:
        OSError: On attaching, if the folder cannot be created or written to.
    """

    def __init__(
        self,
        network: nn.Module,
        path: str,
        *,
        metric: str,
        settings: Mapping[str, Any],
    ) -> None:
        self.network = network
        self.path = Path(path)
        self.metric = metric
        self.settings = settings
        self.best = float("-inf")
        self._replaced: str | None = None

    def attach(self, engine: EngineLike) -> None:
        """Register with an evaluator."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=self.path.parent).close()
        self._replaced = _digest(self.path)
        engine.add_event_handler(Events.COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Save if the validation that just ended is the best."""
        value = float(engine.state.metrics[self.metric])
        # Not `value <= self.best`: NaN is no improvement either.
        if not value > self.best:
            return
        self.best = value
        epoch = engine.state.epoch
        save_weights(self.network, self.path, {**self.settings, "epoch": epoch, self.metric: value})
        logger.info("epoch %d: best %s so far, %.4f, saved", epoch, self.metric, value)

    def state_dict(self) -> dict[str, Any]:
        """The best score, and the digest of the weights file that was there at the start."""
        return {"best": self.best, "replaced": self._replaced}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state; weights that were saved after it count as well.

        Raises:
            DataError: If the weights on the disk are broken.
        """
        self.best, self._replaced = float(state["best"]), state["replaced"]
        remove_remains(self.path, self.path.with_suffix(".pt"))
        if _digest(self.path) in (None, self._replaced):
            return
        self.best = max(self.best, float(trained_setting(self.path, self.metric, self.best)))
        _write_plain(self.path)


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _write_plain(path: Path) -> None:
    """Write the `.pt` again: the process may have been killed between the two files."""
    state = cast("Any", safetensors_torch).load(path.read_bytes())
    write_plain(state, path.with_suffix(".pt"))
