"""A second network whose weights are the moving average of those that are trained.

Steps scatter about the place they lead to; the average lies nearer to it, and its validations go
up and down less.

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

    In the first steps the decay is less, (1 + steps) / (10 + steps), or the weights that a
    training begins with would weigh for long. Statistics of a batch norm are averaged alike;
    what is no floating point number is copied.

    Attributes:
        network: The average, to be validated and saved; in evaluation mode, without gradients.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Begin with a copy.

        Args:
            network: What is trained; a `DistributedDataParallel` is unwrapped.
            decay: What a step leaves of the average, in (0, 1), such as 0.999.

        Raises:
            UsageError: If it is out of its range.
        """
        require_positive("ema", decay)
        require_number("ema", decay, at_least=0, below=1)
        self.trained = plain_network(network)
        self.decay = decay
        self._average = AveragedModel(self.trained, multi_avg_fn=self._follow, use_buffers=True)
        # The copy counts as the first; at zero torch's class would begin with the first step's.
        self._average.n_averaged.fill_(1)
        self.network: nn.Module = self._average.module.eval().requires_grad_(requires_grad=False)

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Let the average follow, if the iteration moved the weights."""
        if made_a_step(engine):
            self._average.update_parameters(self.trained)

    def state_dict(self) -> dict[str, Any]:
        """The average, and of how many networks it is."""
        return self._average.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._average.load_state_dict(state)

    def _follow(self, averages: Any, weights: Any, count: Tensor | int) -> None:
        # All of one type. torch's own average would round a whole number down.
        if averages[0].is_floating_point():
            steps = int(count)
            decay = min(self.decay, (1 + steps) / (10 + steps))
            get_ema_multi_avg_fn(decay)(averages, weights, count)
            return
        for average, weight in zip(averages, weights, strict=True):
            average.copy_(weight)
