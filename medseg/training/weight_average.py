"""Exponential moving average (EMA) of the weights, as a second network.

The weights scatter around an optimum from step to step; their average is closer to it, and its
validation scores fluctuate less.

Reference:
    Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control
    Optim. 1992; with exponential weights as in Tarvainen and Valpola, Mean teachers, NIPS 2017.
    https://arxiv.org/abs/1703.01780
"""

from collections.abc import Mapping
from typing import Any

from ignite.engine import Events
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from medseg._checks import require_number, require_positive
from medseg.networks.weights import plain_network
from medseg.training.ignite_engine import EngineLike, made_a_step

__all__ = ["WeightAverage"]


class WeightAverage:
    """Handler of a trainer: after each step, average = decay * average + (1 - decay) * weights.

    In the first steps the decay is only (1 + steps) / (10 + steps), or the initial weights would
    count for long. Statistics of batch norm are averaged too; integers are copied.

    Attributes:
        network: The average, to be validated and saved; in evaluation mode, without gradients.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Start the average as a copy of the network.

        Args:
            network: The trained network; a `DistributedDataParallel` is unwrapped.
            decay: Decay of the average per step, in (0, 1), such as 0.999.

        Raises:
            UsageError: If the decay is out of its range.
        """
        require_positive("ema", decay)
        require_number("ema", decay, at_least=0, below=1)
        self.trained = plain_network(network)
        self.decay = decay
        self._average = AveragedModel(self.trained, multi_avg_fn=self._follow, use_buffers=True)
        # The copy counts as the first network; at 0 torch would replace it at the first step.
        self._average.n_averaged.fill_(1)
        self.network: nn.Module = self._average.module.eval().requires_grad_(requires_grad=False)

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Update the average, if the iteration updated the weights."""
        if made_a_step(engine):
            self._average.update_parameters(self.trained)

    def state_dict(self) -> dict[str, Any]:
        """The average, and the number of networks in it."""
        return self._average.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state."""
        self._average.load_state_dict(state)

    def _follow(self, averages: Any, weights: Any, count: Tensor | int) -> None:
        # The tensors have one type. torch's own average would round integers down.
        if averages[0].is_floating_point():
            steps = int(count)
            decay = min(self.decay, (1 + steps) / (10 + steps))
            get_ema_multi_avg_fn(decay)(averages, weights, count)
            return
        for average, weight in zip(averages, weights, strict=True):
            average.copy_(weight)
