"""Digest of a run: of all that determines what it gives, and of nothing else."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["run_digest"]

# Of what a run does and keeps; raised when that changes.
_FORM = 1
_LENGTH = 20


def run_digest(
    train: Mapping[str, Any], evaluate: Mapping[str, Any], rest: Mapping[str, Any]
) -> str:
    """Digest of a run.

    Args:
        train: Config of the training, overrides included, without the paths of its files.
        evaluate: Config of the evaluation, likewise.
        rest: Data, split, threads and what else changes the result.
    """
    return _of({"form": _FORM, "train": train, "evaluate": evaluate, **rest})[:_LENGTH]


def _of(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
