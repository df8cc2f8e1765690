"""Failures: whether an error is one case's or everyone's, and its line.

What concerns one image, one name or one file never costs the other cases. A full disk or a missing
engine does: the next case would fail as well.
"""

import errno
from typing import Literal

from medseg._text import printable
from medseg.errors import (
    DataError,
    MachineError,
    UsageError,
    caused_by,
    is_out_of_memory,
    meets_all,
    user_error,
)
from medseg.prediction.cases import CohortCase

__all__ = ["Stage", "failure_line", "stops_all"]

Stage = Literal["read", "predict", "write"]

# Refused because of one name, or of what has this name already.
_OF_ONE = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EISDIR, errno.ELOOP)


def stops_all(error: BaseException, stage: str, *, worked: bool) -> bool:
    """Whether the next case would fail as well.

    Args:
        error: What a stage of a case raised.
        stage: The stage.
        worked: Whether a case of this run was done with the same options.
    """
    if meets_all(error):
        return True
    users = user_error(error)
    if users is None or isinstance(users, DataError):
        return False
    if isinstance(users, UsageError):
        return stage != "read" and not worked
    if not isinstance(users, MachineError) or _is_memory(error):
        return False
    refused = caused_by(error, OSError)
    if refused is None:
        return True
    return stage != "read" and refused.errno not in _OF_ONE


def failure_line(case: CohortCase, error: BaseException) -> str:
    """One line for a case's error; of a bug only its kind, as its text may quote anything."""
    users = user_error(error)
    if users is None:
        return (
            f"{case.shown}: unexpected {type(error).__name__}; use medseg --debug predict to see "
            "the traceback"
        )
    text = printable(str(users))
    return text if case.shown in text else f"{case.shown}: {text}"


def _is_memory(error: BaseException) -> bool:
    cause = caused_by(error, MachineError)
    return any(is_out_of_memory(one) for one in (error, cause, cause and cause.__cause__) if one)
