"""Problems of a user's images: what is wrong, its severity, and the remedy.

The same problem reaches the user in two ways: as a row of `medseg data check`, which continues with
the next case, or as the error that stops a training or a prediction. Both use the same text, from
here.
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
    """One problem.

    Attributes:
        severity: An `error` makes the case unusable; a `warning` may be intended.
        where: The part it concerns.
        what: What is wrong, without a file name, so that equal problems of many cases can be
            reported as one.
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
    # Set after construction: an exception whose __init__ takes more than its message cannot be
    # pickled out of a data loader's worker process.
    error = InputError(f"{path}: {problem.what}; {problem.remedy}")
    error.problem = problem
    return error
