"""The part of ignite's engine that handlers use, with types; ignite's own are unknown."""

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["EngineLike"]


class EngineLike(Protocol):
    """A trainer or an evaluator of ignite or MONAI."""

    state: Any

    def add_event_handler(self, event_name: Any, handler: Callable[..., Any]) -> Any:
        """Call `handler(engine)` at an event."""
        ...
