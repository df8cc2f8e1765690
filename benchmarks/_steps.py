"""Training steps that take turns: what the training benchmarks share."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

__all__ = ["Stepper", "Taken", "bundle_stepper", "take_turns", "timed_step"]


@dataclass(frozen=True, kw_only=True)
class Stepper:
    """All that a step needs.

    Attributes:
        network: Trained in place.
        call: Windows and network to logits, in the precision that is wanted.
        loss: Logits and label to a number.
        optimizer: Of the network.
        batches: Without end, each with `image` and `label`.
    """

    network: nn.Module
    call: Callable[[Tensor, nn.Module], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: Any
    batches: Iterator[Any]


class Taken(NamedTuple):
    """What a step took: seconds on the clock, of the processor, and on the clock for its data."""

    wall: float
    processor: float
    data: float


def bundle_stepper(parts: Any, batches: Iterator[Any]) -> Stepper:
    """The step of an opened bundle, on whatever batches."""
    return Stepper(
        network=parts.get_parsed_content("network"),
        call=parts.get_parsed_content("train#inferer"),
        loss=parts.get_parsed_content("loss"),
        optimizer=parts.get_parsed_content("optimizer"),
        batches=batches,
    )


def timed_step(stepper: Stepper) -> Taken:
    """One batch, forward, backward, and a step of the optimiser."""
    wall, processor = time.perf_counter(), time.process_time()
    batch = next(stepper.batches)
    data = time.perf_counter() - wall
    stepper.optimizer.zero_grad()
    stepper.loss(stepper.call(batch["image"], stepper.network), batch["label"]).backward()
    stepper.optimizer.step()
    return Taken(time.perf_counter() - wall, time.process_time() - processor, data)


def take_turns(steppers: Mapping[str, Stepper], samples: int) -> dict[str, list[Taken]]:
    """Each a step, over and over; two rounds to warm up are not counted."""
    results: dict[str, list[Taken]] = {name: [] for name in steppers}
    for turn in range(2 + samples):
        for name, stepper in steppers.items():
            taken = timed_step(stepper)
            if turn >= 2:
                results[name].append(taken)
    return results
