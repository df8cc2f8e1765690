"""Verdict on an engine: the agreement of its labels with torch's, kept beside the network.

It holds for these weights, this engine, its version and this processor.
"""

import json
import logging
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from medseg._files import write_atomically

__all__ = ["LEAST_DICE", "Agreement", "read_verdict", "write_verdict"]

logger = logging.getLogger(__name__)

# Lowest DSC of a class that passes.
LEAST_DICE = 0.995


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of the labels of two engines.

    Attributes:
        dice: Lowest DSC of the classes with 1000 voxels in the reference, or 0.1 %.
        equal: Fraction of voxels with equal labels.
        classes: Number of classes compared.
    """

    dice: float
    equal: float
    classes: int

    def __post_init__(self) -> None:
        if not (0 <= self.dice <= 1 and 0 <= self.equal <= 1 and self.classes > 0):
            raise ValueError(f"no agreement of labels: {self}")


def read_verdict(path: Path, device: torch.device) -> Agreement | None:
    """The agreement in a file; None if there is none, or for another engine or processor.

    Args:
        path: File of the verdict.
        device: Where the engine computes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        place = _place(path, device)
        if {name: content.pop(name) for name in place} != place:
            return None
        return Agreement(**content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_verdict(path: Path, device: torch.device, agreement: Agreement) -> None:
    """Write an agreement; where that is not possible, the engine is checked again next time."""
    text = json.dumps({**asdict(agreement), **_place(path, device)})
    try:
        write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
    except OSError as error:
        logger.warning("%s; the engine is checked again next time", error)


def _place(verdict: Path, device: torch.device) -> dict[str, str]:
    """Engine file and processor that a verdict applies to.

    A file may have been copied to another name, and machines may share a cache, but each processor
    rounds in its own way.
    """
    return {"name": verdict.name, "processor": _processor(device)}


def _processor(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    able = [name for name, able in torch.cpu.get_capabilities().items() if able is True]
    return " ".join([_model_of_cpu(), *sorted(able)])


def _model_of_cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
