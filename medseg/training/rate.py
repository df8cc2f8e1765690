"""Learning-rate schedules: warm-up, followed by one of four shapes.

ReduceLROnPlateau needs many validations to detect a plateau. If the number of iterations is fixed
beforehand, a schedule that is a function of it makes use of every iteration.

References:
    Chen et al., DeepLab, TPAMI 2018, section 4.1 (polynomial). https://arxiv.org/abs/1606.00915
    Smith and Topin, Super-convergence, 2018 (one cycle). https://arxiv.org/abs/1708.07120
"""

import math
from collections.abc import Callable
from typing import Literal, get_args

from ignite.engine import Events
from torch.optim import Optimizer

from medseg._checks import require_choice, require_number
from medseg.training.ignite_engine import EngineLike

__all__ = ["RateSchedule", "Schedule", "rate_share"]

Schedule = Literal["plateau", "polynomial", "one_cycle", "constant"]

POWER = 0.9
# Fraction of the peak; not zero, so that the first step has an effect.
LEAST_RISING = 0.02
# One cycle begins at 1/25 of the peak, and ends at 1/10,000 of where it began.
CYCLE_START = 1 / 25
CYCLE_END = CYCLE_START / 10_000


class RateSchedule:
    """Handler of a trainer: set the learning rate before each iteration, by its number.

    `polynomial` decays to zero; `one_cycle` rises and falls along half a cosine each, and leaves
    the momentum unchanged; `constant` stays. `plateau` is left to ReduceLROnPlateau, another
    handler, once the warm-up is over; a plateau detected during the warm-up has no effect.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        rate: float,
        *,
        schedule: Schedule,
        warmup: float = 0.0,
        used_share: Callable[[], float] | None = None,
    ) -> None:
        """Check the arguments.

        Args:
            optimizer: The optimiser whose rate is set, in all parameter groups.
            rate: Peak learning rate.
            schedule: The shape after the warm-up.
            warmup: Fraction of the iterations spent on warm-up, in [0, 1).
            used_share: Fraction of the training's time that is used. Where it is given, the rate
                is a function of this or of the iteration, whichever is nearer to the end.

        Raises:
            UsageError: If the schedule is unknown, or the fraction out of its range.
        """
        require_choice("schedule", schedule, get_args(Schedule))
        require_number("warmup", warmup, at_least=0, below=1)
        self.optimizer = optimizer
        self.rate = rate
        self.schedule: Schedule = schedule
        self.warmup = warmup
        self.used_share = used_share

    def attach(self, engine: EngineLike) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Set the rate of the iteration that starts."""
        state = engine.state
        total = state.max_epochs * state.epoch_length
        over = self.warmup == 0 or state.iteration - 1 >= self.warmup * total + 1
        if self.schedule == "plateau" and over:
            return
        done = (state.iteration - 1) / total
        if self.used_share is not None:
            done = max(done, min(1.0, self.used_share()))
        rate = self.rate * rate_share(done, self.schedule, warmup=self.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate


def rate_share(done: float, schedule: Schedule, *, warmup: float) -> float:
    """Fraction of the peak rate after a fraction `done`, in [0, 1], of the training."""
    if done < warmup:
        return _rising(done / warmup, schedule)
    left = 1 - (done - warmup) / (1 - warmup)
    if schedule == "polynomial":
        return left**POWER
    if schedule == "one_cycle":
        return CYCLE_END + (1 - CYCLE_END) * _half_cosine(left)
    return 1.0


def _rising(risen: float, schedule: Schedule) -> float:
    if schedule == "one_cycle":
        return CYCLE_START + (1 - CYCLE_START) * _half_cosine(risen)
    return max(risen, LEAST_RISING)


def _half_cosine(share: float) -> float:
    """Half a cosine: rises from 0 at 0 to 1 at 1, flat at both ends."""
    return (1 - math.cos(math.pi * share)) / 2
