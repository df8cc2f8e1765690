"""Whether a training may begin where it was told to: an earlier one is not lost to it."""

from pathlib import Path

from medseg.errors import UsageError
from medseg.training.checkpoint_files import checkpoint_paths

__all__ = ["checkpoints_taken", "require_start", "require_words"]


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
    require_words(start, overwrite)
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
        raise checkpoints_taken(Path(checkpoints))


def checkpoints_taken(folder: Path) -> UsageError:
    """The error of a fresh start where a training could go on."""
    return UsageError(
        f"{folder} holds the checkpoints of an earlier training; set start to 'resume' to go on "
        "with it, output_dir to another folder, or overwrite to 'replace'"
    )


def require_words(start: str, overwrite: str) -> None:
    """Refuse words that choose nothing."""
    for name, value, words in (
        ("start", start, ("fresh", "resume")),
        ("overwrite", overwrite, ("refuse", "replace")),
    ):
        if value not in words:
            raise UsageError(f"{name} must be '{words[0]}' or '{words[1]}', got {value!r}")
