"""Quarantine: leave out cases that become unreadable during training, up to a given fraction.

Every case is read before the first epoch, but disks and networks may fail during a long training. A
case that cannot be read any more is logged once and replaced by the next one in the list, so that
the case of a draw depends only on which files are broken.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from medseg._checks import require_number
from medseg.errors import DataError, caused_by

__all__ = ["Quarantine"]

logger = logging.getLogger(__name__)

Sample = TypeVar("Sample")


class Quarantine:
    """The cases that are left out, shared by all workers of a loader.

    In distributed training, each process has its own.
    """

    def __init__(self, names: Sequence[str], share: float) -> None:
        """Start with no case left out.

        Args:
            names: Of the cases.
            share: Fraction of the cases that may be left out, in [0, 1); with 0, the first
                unreadable case ends the training.

        Raises:
            UsageError: If `share` is out of its range.
        """
        require_number("quarantine_share", share, at_least=0, below=1)
        self._names = list(names)
        self._share = share
        # Shared memory: visible to all workers, forked or spawned.
        flags = torch.zeros(len(names), dtype=torch.uint8)
        self._left_out: Tensor = cast("Any", flags).share_memory_()

    @property
    def names(self) -> list[str]:
        """The cases that are left out."""
        flags = cast("list[int]", cast("Any", self._left_out).tolist())
        return [name for name, flag in zip(self._names, flags, strict=True) if flag]

    def sample(self, index: int, make: Callable[[int], Sample]) -> Sample:
        """Return `make` of a case, or of the next one that can be read.

        Raises:
            DataError: If more cases are broken than allowed.
            Exception: What `make` raises, unless it was caused by the case's file.
        """
        while True:
            while self._left_out[index]:
                index = (index + 1) % len(self._names)
            try:
                return make(index)
            except Exception as error:
                # The recipe's steps wrap errors of reading; all others are not the file's fault.
                cause = caused_by(error, DataError)
                if cause is None:
                    raise
                self._leave_out(index, cause)

    def _leave_out(self, index: int, error: DataError) -> None:
        name, reason = self._names[index], _reason(error)
        if self._share == 0:
            raise DataError(
                f"{name}: cannot be read any more ({reason}); repair it and continue with "
                "start=resume, or set quarantine_share to leave out such cases"
            ) from error
        self._left_out[index] = 1
        names, total = self.names, len(self._names)
        if len(names) > self._share * total:
            raise DataError(
                f"{len(names)} of {total} cases cannot be read any more, more than the "
                f"quarantine_share of {self._share:g}: {', '.join(names)} (the last: {reason}); "
                "repair them and continue with start=resume"
            ) from error
        logger.warning(
            "%s: cannot be read any more (%s); left out, the next case is drawn instead",
            name,
            reason,
        )


def _reason(error: DataError) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
