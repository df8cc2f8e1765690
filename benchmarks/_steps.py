"""Training steps that take turns: what the training benchmarks share."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["Stepper", "Taken", "bundle_stepper", "take_turns", "take_turns_apart", "timed_step"]

# Steps that a process takes at a time: enough that what it wakes up with does not count.
_AT_A_TIME = 10


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


def take_turns_apart(
    makers: Mapping[str, Callable[[], Stepper]], samples: int, threads: int
) -> dict[str, list[Taken]]:
    """Ten steps each, over and over, each in a process of its own; ten to warm up are not counted.

    Args:
        makers: Called in the new process; picklable.
        samples: Steps of each that count, in tens.
        threads: Of each, while the others wait.
    """
    context = get_context("spawn")
    with ExitStack() as ended:
        ends: dict[str, Connection] = {}
        for name, make in makers.items():
            ends[name], other = context.Pipe()
            process = context.Process(target=_serve, args=(other, make, threads), daemon=True)
            process.start()
            ended.callback(process.terminate)
            other.close()
        results: dict[str, list[Taken]] = {name: [] for name in makers}
        for turn in range(1 + -(-samples // _AT_A_TIME)):
            for name, end in ends.items():
                end.send(_AT_A_TIME)
                taken = end.recv()
                if turn:
                    results[name].extend(taken)
    return results


def _serve(asked: Connection, make: Callable[[], Stepper], threads: int) -> None:
    torch.set_num_threads(threads)
    stepper = make()
    while True:
        asked.send([timed_step(stepper) for _ in range(asked.recv())])
