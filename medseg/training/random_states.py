"""Random states of Python, NumPy and torch (on each device): save and restore."""

import random
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch

__all__ = ["random_states", "restore_random_states"]


def random_states() -> dict[str, Any]:
    """States of all random generators, as values that a checkpoint can hold."""
    kind, words, *rest = cast("tuple[Any, ...]", np.random.get_state())  # noqa: NPY002 - what MONAI draws from
    return {
        "python": random.getstate(),
        "numpy": (kind, words.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_states(states: Mapping[str, Any]) -> None:
    """Restore the states of all random generators.

    Those of GPUs are restored only if there are as many GPUs as before.
    """
    random.setstate(states["python"])
    kind, words, *rest = states["numpy"]
    np.random.set_state((kind, np.array(words, dtype=np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
