"""Problems of a user's images: what is wrong, how bad it is, what to do.

The same finding reaches the user in two ways: as a row of `medseg data check`, which goes
on to the next case, or as the error that stops a training or a prediction. Both say it in
the words written here once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medseg.errors import DataError

__all__ = ["InputError", "Problem", "Severity", "Where", "refusal"]

Severity = Literal["error", "warning"]
Where = Literal["image", "label", "case", "data set"]


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        severity: An `error` makes the case unusable; a `warning` may be as it should be.
        where: What it was found in.
        what: What is wrong, without a file name, so that equal problems of many cases can
            be told as one.
        remedy: What to do.
    """

    severity: Severity
    where: Where
    what: str
    remedy: str


class InputError(DataError):
    """An image or a label that cannot be used; `problem` is the message in its parts."""

    problem: Problem


def refusal(path: str | Path, problem: Problem) -> InputError:
    """The error that reports a problem of a file: `path: what; remedy`."""
    # The parts are set from outside: an exception whose __init__ takes more than its message
    # does not survive the way out of a data loader's worker process.
    error = InputError(f"{path}: {problem.what}; {problem.remedy}")
    error.problem = problem
    return error
