"""Cases that break in the middle of a training: left out up to a share, then the training stops.

Every case is read before the first epoch, but a night is long, and files lie on disks and
networks. A case that can be read no more is named in the log once and replaced by the next one
in the list, so that which case a draw gets depends on which files are broken and nothing else.
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
    """Which cases are left out, known to all workers of a loader.

    Of several processes of a training each has its own.
    """

    def __init__(self, names: Sequence[str], share: float) -> None:
        """Nothing is left out yet.

        Args:
            names: Of the cases.
            share: Of the cases that may be left out, in [0, 1); with 0, the first ends it.

        Raises:
            UsageError: If it is no such share.
        """
        require_number("quarantine_share", share, at_least=0, below=1)
        self._names = list(names)
        self._share = share
        # In memory that workers share, forked or spawned.
        flags = torch.zeros(len(names), dtype=torch.uint8)
        self._left_out: Tensor = cast("Any", flags).share_memory_()

    @property
    def names(self) -> list[str]:
        """The cases that are left out."""
        flags = cast("list[int]", cast("Any", self._left_out).tolist())
        return [name for name, flag in zip(self._names, flags, strict=True) if flag]

    def sample(self, index: int, make: Callable[[int], Sample]) -> Sample:
        """What `make` makes of a case, or of the next one that can be read.

        Raises:
            DataError: If more cases are broken than may be.
            Exception: What `make` raises, if that is no fault of the case's file.
        """
        while True:
            while self._left_out[index]:
                index = (index + 1) % len(self._names)
            try:
                return make(index)
            except Exception as error:
                # The recipe's steps wrap what reading raised; anything else is no file's fault.
                known = caused_by(error, DataError)
                if known is None:
                    raise
                self._leave_out(index, known)

    def _leave_out(self, index: int, error: DataError) -> None:
        name, reason = self._names[index], _reason(error)
        if self._share == 0:
            raise DataError(
                f"{name}: cannot be read any more ({reason}); mend it and go on with start=resume, "
                "or allow a quarantine_share of the cases"
            ) from error
        self._left_out[index] = 1
        names, total = self.names, len(self._names)
        if len(names) > self._share * total:
            raise DataError(
                f"{len(names)} of {total} cases cannot be read any more, more than the "
                f"quarantine_share of {self._share:g}: {', '.join(names)} (the last: {reason}); "
                "mend them and go on with start=resume"
            ) from error
        logger.warning(
            "%s: cannot be read any more (%s); left out, the next case takes its draws",
            name,
            reason,
        )


def _reason(error: DataError) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
