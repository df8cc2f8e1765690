"""Every random generator a training may draw from: Python's, NumPy's, torch's on each device."""

import random
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch

__all__ = ["random_states", "restore_random_states"]


def random_states() -> dict[str, Any]:
    """Where the generators stand, as values that a checkpoint holds."""
    kind, words, *rest = cast("tuple[Any, ...]", np.random.get_state())  # noqa: NPY002 - what MONAI draws from
    return {
        "python": random.getstate(),
        "numpy": (kind, words.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Set the generators to where they stood.

    GPUs are set where there are as many as there were.
    """
    random.setstate(states["python"])
    kind, words, *rest = states["numpy"]
    np.random.set_state((kind, np.array(words, dtype=np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
