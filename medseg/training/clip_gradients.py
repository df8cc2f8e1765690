"""Gradient clipping by norm.

One odd batch can throw the weights far off, above all with a loss that divides by few voxels, or
in a network without normalisation.

Reference:
    Pascanu et al., On the difficulty of training recurrent neural networks, ICML 2013.
    https://arxiv.org/abs/1211.5063
"""

from typing import Any, cast

import torch
from monai.engines.utils import IterationEvents

from medseg._checks import require_positive
from medseg.training.ignite_engine import EngineLike, made_a_step

__all__ = ["ClipGradients"]


class ClipGradients:
    """Handler of MONAI's `SupervisedTrainer`: scale gradients down to an L2 norm of `max_norm`.

    The norm is that of all gradients together, summed over accumulated batches, and without the
    factor of a loss scaler. Shorter gradients are unchanged.
    """

    def __init__(self, max_norm: float) -> None:
        """Check the argument.

        Args:
            max_norm: Maximum L2 norm, above 0.

        Raises:
            UsageError: If it is not a finite number above 0.
        """
        require_positive("clip_gradients", max_norm)
        self.max_norm = max_norm

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Clip the gradients of the step that is about to be made."""
        if not made_a_step(engine):
            return
        trainer = cast("Any", engine)
        if trainer.scaler is not None:
            trainer.scaler.unscale_(trainer.optimizer)
        torch.nn.utils.clip_grad_norm_(trainer.network.parameters(), self.max_norm)
