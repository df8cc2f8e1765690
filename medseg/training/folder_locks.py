"""Locks of a training's folders: one training at a time writes to them."""

from collections.abc import Iterable
from pathlib import Path

from medseg._locks import LOCK, HeldError, Lock, acquire

__all__ = ["lock_folders", "release"]


def lock_folders(folders: Iterable[Path]) -> list[Lock]:
    """Lock folders until the training, or its process, ends; those of this process again.

    Args:
        folders: The training's; missing ones are created.

    Raises:
        HeldError: If another training writes to one of them; it names that training's process.
        OSError: If one is on a read-only disk.
    """
    locks: list[Lock] = []
    try:
        for folder in sorted({folder.absolute() for folder in folders}):
            locks.append(acquire(folder / LOCK, what=str(folder)))
    except (HeldError, OSError):
        release(locks)
        raise
    return locks


def release(locks: Iterable[Lock]) -> None:
    """Give locks back."""
    for lock in locks:
        lock.release()
