"""Refuse to start a training over an earlier one.

`BestWeights` and `Checkpoints` replace existing files, so this is checked before they start.
"""

from pathlib import Path

from medseg._checks import require_choice
from medseg.errors import UsageError
from medseg.training.checkpoint_files import checkpoint_paths

__all__ = ["require_start"]


def require_start(
    weights: str | Path, checkpoints: str | Path, *, start: str, overwrite: str
) -> None:
    """Refuse to start if an earlier training would be lost.

    Args:
        weights: File of the best weights.
        checkpoints: Folder of the checkpoints.
        start: `fresh` or `resume`.
        overwrite: `refuse` or `replace` existing files.

    Raises:
        UsageError: If a word is unknown; if a fresh start finds weights or checkpoints; if
            there are weights but no checkpoint to resume from.
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
            "use another ckpt_dir, or overwrite=replace"
        )
    if start == "fresh" and there:
        raise UsageError(
            f"{checkpoints} holds the checkpoints of an earlier training; use start=resume to "
            "continue it, another output_dir, or overwrite=replace"
        )
