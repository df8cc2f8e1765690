"""Save the weights with the best validation score."""

import hashlib
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ignite.engine import Events
from torch import nn

from medseg._files import remove_remains
from medseg.errors import DataError
from medseg.networks.provenance import Provenance
from medseg.networks.weights import renew_plain, save_weights, trained_setting
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
        provenance: Where the weights come from.

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
        provenance: Provenance | None = None,
    ) -> None:
        self.network = network
        self.path = Path(path)
        self.metric = metric
        self.settings = settings
        self.provenance = provenance
        self.best = float("-inf")
        self._replaced: str | None = None

    @property
    def has_saved(self) -> bool:
        """Whether this training, or the one that it resumes, has saved weights."""
        return self.best > float("-inf") and self.path.is_file()

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
        settings = {**self.settings, "epoch": epoch, self.metric: value}
        save_weights(self.network, self.path, settings, self.provenance)
        logger.info("epoch %d: best %s so far, %.4f, saved", epoch, self.metric, value)

    def state_dict(self) -> dict[str, Any]:
        """The best score, and the digest of the weights file that was there at the start."""
        return {"best": self.best, "replaced": self._replaced}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state; weights that were saved after it count as well.

        Raises:
            DataError: If the weights on the disk are broken or damaged.
        """
        self.best, self._replaced = float(state["best"]), state["replaced"]
        remove_remains(self.path, self.path.with_suffix(".pt"))
        if _digest(self.path) in (None, self._replaced):
            self._begin_anew()
            return
        # The process may have been killed between the two files.
        self._renew_plain()
        saved = trained_setting(self.path, self.metric, self.best)
        self.best = max(self.best, saved) if isinstance(saved, float) else self.best

    def _begin_anew(self) -> None:
        """Without the best weights so far, any score is an improvement."""
        if self.best > float("-inf"):
            logger.warning(
                "%s: the best weights so far (%s %.4f) are not there; the best from here on are "
                "saved",
                *(self.path, self.metric, self.best),
            )
        self.best = float("-inf")

    def _renew_plain(self) -> None:
        try:
            renew_plain(self.path)
        except DataError as error:
            raise DataError(
                f"{error}; or remove it and resume, to keep the best of the epochs to come"
            ) from error


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
