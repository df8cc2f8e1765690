"""A finished training in a folder that cannot be written to has nothing left to do."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from medseg.errors import AlreadyDoneError
from medseg.training.checkpoint_files import newest_checkpoint
from medseg.training.control import Control

__all__ = ["require_unfinished"]


def require_unfinished(control: Control) -> None:
    """End a resumed training that is finished, before a read-only disk refuses its files.

    Args:
        control: `start`, the number of epochs, where files go.

    Raises:
        AlreadyDoneError: If all epochs of the newest checkpoint are done, or training has stopped
            early, and the folder cannot be written to.
    """
    folder = control.checkpoint_folder
    if control.start != "resume" or not folder.is_dir() or _is_writable(folder):
        return
    newest = newest_checkpoint(folder)
    if newest is None:
        return
    path, state = newest
    if state["epoch"] >= control.max_epochs or _stopped_early(state["parts"], control):
        raise AlreadyDoneError(
            f"{path}: this training is done already, after epoch {state['epoch']}; the best "
            f"weights are {control.weights_path}"
        )


def _stopped_early(parts: Mapping[str, Any], control: Control) -> bool:
    state = cast("Mapping[str, Any]", parts.get("early_stop") or {})
    patience = control.early_stop_patience
    return patience is not None and int(state.get("waited", 0)) >= patience


def _is_writable(folder: Path) -> bool:
    # Also of a disk that is mounted read-only, for whoever may write everywhere.
    return os.access(folder, os.W_OK)
