"""Latency of several networks side by side: in turns, in one process, on this machine.

Multiplications say little about time: a processor computes sixteen channels as fast as nine. And a
machine is never idle twice in the same way, so that networks are timed one after the other, again
and again, and medians are compared.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch

from medseg.inference.engines.inferer import EngineInferer
from medseg.inference.engines.open_engine import engine_candidates, open_engine
from medseg.networks.unet import UNet
from medseg.studies.pruning.subject import Subject

__all__ = ["Latency", "measure_latency"]

_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Time of one network on one engine.

    Attributes:
        network: Its name.
        engine: Engine and precision, e.g. `torch fp32`.
        window_ms: Median time of a window.
        window_iqr_ms: Lower and upper quartile.
        case_ms: Median time of a case from the prepared image to its label, all windows included.
        speedup: How many times faster than the first network, by the windows' medians.
        case_speedup: Likewise by the cases'.
        threads: Of the computation.
    """

    network: str
    engine: str
    window_ms: float
    window_iqr_ms: tuple[float, float]
    case_ms: float
    speedup: float
    case_speedup: float
    threads: int


def measure_latency(
    subject: Subject, networks: Mapping[str, UNet], *, repeats: int, cache_dir: Path
) -> list[Latency]:
    """Time networks on every engine of this machine.

    Args:
        subject: Whose window and first case are timed.
        networks: By name, the one that others are compared with first.
        repeats: Turns; cases have a fifth of them, at least three.
        cache_dir: For converted networks.
    """
    found: list[Latency] = []
    for engine, precision in engine_candidates("auto", "auto", _CPU):
        windows = torch.randn(1, subject.predictor.channels, *subject.window)
        opened = {
            name: open_engine(
                network,
                engine=engine,
                precision=precision,
                window=subject.window,
                channels=subject.predictor.channels,
                device=_CPU,
                cache_dir=cache_dir,
            )
            for name, network in networks.items()
        }
        by_window = _in_turns(
            {name: partial(one.run, windows) for name, one in opened.items()}, repeats
        )
        labellers = {
            name: _labeller(subject, network, engine, precision)
            for name, network in networks.items()
        }
        by_case = _in_turns(labellers, max(3, repeats // 5))
        first = next(iter(networks))
        for name in networks:
            window_ms, case_ms = (statistics.median(one[name]) for one in (by_window, by_case))
            low, _, high = statistics.quantiles(by_window[name], n=4)
            found.append(
                Latency(
                    network=name,
                    engine=f"{engine} {precision}",
                    window_ms=window_ms,
                    window_iqr_ms=(low, high),
                    case_ms=case_ms,
                    speedup=statistics.median(by_window[first]) / window_ms,
                    case_speedup=statistics.median(by_case[first]) / case_ms,
                    threads=torch.get_num_threads(),
                )
            )
    return found


def _labeller(subject: Subject, network: UNet, engine: str, precision: str) -> Callable[[], object]:
    own = cast("EngineInferer", subject.predictor.inferer)
    # An inferer keeps one engine open, so each network has its own.
    inferer = EngineInferer(own.inferer, engine=engine, precision=precision)  # pyright: ignore[reportArgumentType] - from engine_candidates
    predictor = replace(subject.predictor, network=network, inferer=inferer)
    image = subject.cases[0].image
    return lambda: predictor.label(image)


def _in_turns(tasks: Mapping[str, Callable[[], object]], turns: int) -> dict[str, list[float]]:
    """Milliseconds of each task, each turn; the first, in which engines warm up, is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(turns + 1):
        for name, task in tasks.items():
            begun = time.perf_counter()
            task()
            if turn:
                taken[name].append(1000 * (time.perf_counter() - begun))
    return taken
