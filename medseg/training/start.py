"""Refuse to start a training over an earlier one.

`BestWeights` and `Checkpoints` replace what they find, so this is asked before either is made.
"""

from pathlib import Path

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.training.checkpoint_files import checkpoint_paths

__all__ = ["require_start"]


def require_start(weights: str, checkpoints: str, *, start: str, overwrite: str) -> None:
    """Refuse to begin where an earlier training would be lost, before anything is read.

    Args:
        weights: Where the best weights will go.
        checkpoints: Folder of the checkpoints.
        start: `fresh` or `resume`.
        overwrite: `refuse` what is there, or `replace` it.

    Raises:
        UsageError: If the words are wrong; if a fresh start finds weights or checkpoints; if
            there are weights and no checkpoint to resume from.
    """
    require_choice("start", start, ("fresh", "resume"))
    require_choice("overwrite", overwrite, ("refuse", "replace"))
    if overwrite == "replace":
        return
    there = checkpoint_paths(checkpoints)
    if Path(weights).exists() and not (start == "resume" and there):
        none = "" if start == "fresh" else f", and there is no checkpoint in {checkpoints}"
        raise UsageError(
            f"{weights} holds the weights of an earlier training{none}; "
            "set ckpt_dir to another folder, or overwrite to 'replace'"
        )
    if start == "fresh" and there:
        raise UsageError(
            f"{checkpoints} holds the checkpoints of an earlier training; set start to 'resume' to "
            "go on with it, output_dir to another folder, or overwrite to 'replace'"
        )
