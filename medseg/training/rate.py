"""A learning rate that falls with every iteration, for a training of known length.

ReduceLROnPlateau needs many validations to find its plateaus. Where the number of
iterations is fixed beforehand, a polynomial decay uses each of them.

Reference:
    Chen et al., DeepLab, TPAMI 2018, section 4.1. https://arxiv.org/abs/1606.00915
"""

from ignite.engine import Events
from torch.optim import Optimizer

from medseg.training.engine import EngineLike

__all__ = ["PolynomialRate", "polynomial_rate"]


class PolynomialRate:
    """Handler of a trainer: sets the rate before each iteration, a function of its number.

    Args:
        optimizer: Whose rate is set, in all parameter groups.
        rate: The highest rate.
        warmup: Share of the iterations in which it rises linearly to there, in [0, 1).
        power: Of the decay after that; 1 is a straight line to zero.
    """

    def __init__(
        self, optimizer: Optimizer, rate: float, *, warmup: float = 0.0, power: float = 0.9
    ) -> None:
        if not 0 <= warmup < 1:
            raise ValueError(f"warmup must be in [0, 1), got {warmup}")
        self.optimizer = optimizer
        self.rate = rate
        self.warmup = warmup
        self.power = power

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Set the rate of the iteration that starts."""
        state = engine.state
        done = (state.iteration - 1) / (state.max_epochs * state.epoch_length)
        rate = self.rate * polynomial_rate(done, warmup=self.warmup, power=self.power)
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def polynomial_rate(done: float, *, warmup: float, power: float) -> float:
    """Share of the highest rate when a share `done`, in [0, 1], of the training is over."""
    if done < warmup:
        # Not from zero: the first step should do something.
        return max(done / warmup, 0.02)
    return (1 - (done - warmup) / (1 - warmup)) ** power
