"""Typed protocol of ignite's engine, as far as handlers use it; ignite's types are incomplete."""

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["EngineLike", "made_a_step"]


class EngineLike(Protocol):
    """A trainer or an evaluator of ignite or MONAI."""

    state: Any

    def add_event_handler(self, event_name: Any, handler: Callable[..., Any]) -> Any:
        """Call `handler(engine)` at an event."""
        ...


def made_a_step(engine: EngineLike) -> bool:
    """Whether the running iteration updates the weights.

    With MONAI's `accumulation_steps` the other iterations only add to the gradients.
    """
    state = engine.state
    within = (state.iteration - 1) % state.epoch_length + 1
    return within % getattr(engine, "accumulation_steps", 1) == 0 or within == state.epoch_length
