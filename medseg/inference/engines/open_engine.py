"""Inference engines: open the fastest available one (OpenVINO or torch), with fallbacks.

OpenVINO takes half of torch's time on a CPU, but rounds differently. So an automatically chosen
engine has a fallback, in case its labels differ from torch's (`medseg.inference.engines.check`); an
engine that the user chose has none.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from medseg import _files
from medseg._checks import require_choice, require_sizes, require_whole_number
from medseg.errors import MedsegError, UsageError
from medseg.inference.autocast import fast_precision
from medseg.inference.engines.key import engine_key
from medseg.inference.engines.openvino import openvino_predictor
from medseg.inference.engines.openvino_runtime import has_openvino, load_openvino
from medseg.inference.engines.torch_engine import torch_predictor
from medseg.inference.engines.verdict import LEAST_DICE, read_verdict
from medseg.inference.engines.words import EngineChoice, EngineName, PrecisionChoice
from medseg.networks.compilation import Compile

__all__ = ["Engine", "EnginePrecision", "engine_candidates", "open_engine"]

logger = logging.getLogger(__name__)

EnginePrecision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """A network that is ready to be run on windows.

    Attributes:
        name: Name of the engine.
        precision: Of its convolutions.
        window: Voxels of a window along each axis.
        channels: Of the image.
        device: Device of windows and logits.
        run: The computation.
        fallback: Opens the next best engine; None if this one is used unchecked.
        verdict: File with the agreement of its labels with torch's in fp32.
    """

    name: EngineName
    precision: EnginePrecision
    window: tuple[int, ...]
    channels: int
    device: torch.device
    run: Callable[[Tensor], Tensor]
    fallback: "Callable[[], Engine] | None" = None
    verdict: Path | None = None

    def __call__(self, windows: Tensor) -> Tensor:
        """Return the logits.

        Args:
            windows: `(B, C, *window)` float32, on the engine's device.

        Returns:
            `(B, K, *window)` float32, on that device.
        """
        expected = (self.channels, *self.window)
        if windows.shape[1:] != expected or windows.dtype != torch.float32:
            raise ValueError(
                f"windows must be float32 (B, {', '.join(map(str, expected))}), "
                f"got {windows.dtype} {tuple(windows.shape)}"
            )
        logits = self.run(windows.as_subclass(Tensor))
        if logits.shape[2:] != self.window:
            raise UsageError(
                f"logits must have the window's size {self.window}, this network returns "
                f"{tuple(logits.shape[2:])}; use padded convolutions"
            )
        return logits


@dataclass(frozen=True, kw_only=True)
class _Order:
    """The arguments of `open_engine`."""

    network: nn.Module
    window: tuple[int, ...]
    channels: int
    device: torch.device
    compile: Compile
    folder: Path
    key: str


def open_engine(  # noqa: PLR0913 - one keyword for each choice
    network: nn.Module,
    *,
    engine: EngineChoice = "auto",
    precision: PrecisionChoice = "auto",
    window: Sequence[int],
    channels: int,
    device: torch.device,
    compile: Compile = "none",
    cache_dir: Path | None = None,
    key: str | None = None,
) -> Engine:
    """Open the fastest engine, or the requested one.

    Args:
        network: Trained; set to evaluation mode.
        engine: `auto` is OpenVINO on a CPU if it is installed, else torch.
        precision: `auto` is bf16 if the processor supports it natively, else fp16 on CUDA and
            fp32 on a CPU.
        window: Voxels of a window along each axis.
        channels: Of the image.
        device: Where it computes.
        compile: See `medseg.networks.compile_network`; ignored by OpenVINO.
        cache_dir: Folder of converted networks; None is the user's cache.
        key: Identifier of the weights, such as the digest of their file; None computes one.

    Raises:
        UsageError: If an argument is out of its range, or the machine does not support it.
        MachineError: If OpenVINO is requested but not installed.
    """
    window = tuple(window)
    _check(engine, precision, compile, window, channels)
    order = _Order(
        network=network.eval(),
        window=window,
        channels=channels,
        device=device,
        compile=compile,
        folder=(cache_dir or _files.cache_dir()) / "engines",
        key=engine_key(network, key, window=window, channels=channels),
    )
    return _first(engine_candidates(engine, precision, device), order)


def engine_candidates(
    engine: EngineChoice, precision: PrecisionChoice, device: torch.device
) -> list[tuple[EngineName, EnginePrecision]]:
    """Engines and precisions that `open_engine` would try, in this order; arguments are its own."""
    return list(product(_names(engine, device), _precisions(precision, device)))


def _first(chain: list[tuple[EngineName, EnginePrecision]], order: _Order) -> Engine:
    (name, precision), rest = chain[0], chain[1:]
    if not rest:
        return _open(name, precision, order)
    known = read_verdict(_verdict(name, precision, order), order.device)
    if known is not None and known.dice < LEAST_DICE:
        # Not compiled, which takes a second, only to be refused again.
        logger.debug("%s %s: Dice %.4f, as checked before", name, precision, known.dice)
        return _first(rest, order)
    try:
        engine = _open(name, precision, order)
    except MedsegError as error:
        logger.warning("%s %s cannot be used: %s", name, precision, error)
        return _first(rest, order)
    return replace(engine, fallback=lambda: _first(rest, order))


def _open(name: EngineName, precision: EnginePrecision, order: _Order) -> Engine:
    return Engine(
        name=name,
        precision=precision,
        window=order.window,
        channels=order.channels,
        device=order.device,
        run=_predictor(name, precision, order),
        verdict=_verdict(name, precision, order),
    )


def _verdict(name: EngineName, precision: EnginePrecision, order: _Order) -> Path:
    return order.folder / f"{order.key}.{_words(name, precision, order)}.json"


def _words(name: EngineName, precision: EnginePrecision, order: _Order) -> str:
    """Settings that the labels depend on, besides the network."""
    compiled = name == "torch" and order.compile != "none"
    return f"{name}-{precision}{f'-{order.compile}' if compiled else ''}.{order.device.type}"


def _predictor(
    name: EngineName, precision: EnginePrecision, order: _Order
) -> Callable[[Tensor], Tensor]:
    if name == "torch":
        axes = len(order.window)
        return torch_predictor(
            order.network, precision, axes=axes, device=order.device, compile=order.compile
        )
    if order.device.type != "cpu" or precision == "fp16":
        raise UsageError("openvino supports CPUs only, in fp32 or bf16; use --engine torch")
    return openvino_predictor(
        order.network,
        precision,
        window=order.window,
        channels=order.channels,
        path=order.folder / f"{order.key}.openvino",
    )


def _names(engine: EngineChoice, device: torch.device) -> list[EngineName]:
    if engine != "auto":
        return [engine]
    return ["openvino", "torch"] if device.type == "cpu" and has_openvino() else ["torch"]


def _precisions(precision: PrecisionChoice, device: torch.device) -> list[EnginePrecision]:
    if precision == "fp16" and device.type == "cpu":
        raise UsageError("fp16 is not supported on a CPU; use --precision bf16, fp32 or auto")
    if precision != "auto":
        return [precision]
    fast = fast_precision(device.type)
    if device.type == "cuda" and fast == "fp32":
        return ["fp16", "fp32"]
    return ["fp32"] if fast == "fp32" else [fast, "fp32"]


def _check(
    engine: str,
    precision: str,
    compile: str,
    window: tuple[int, ...],
    channels: int,
) -> None:
    require_choice("engine", engine, get_args(EngineChoice))
    require_choice("precision", precision, get_args(PrecisionChoice))
    require_choice("compile", compile, get_args(Compile))
    require_sizes("window", window)
    require_whole_number("channels", channels, at_least=1)
    if engine == "openvino":
        load_openvino()
