"""Problems of a user's images: what is wrong, its severity, and the remedy.

The same problem reaches the user in two ways: as a row of `medseg data check`, which continues with
the next case, or as the error that stops a training or a prediction. Both use the same text, from
here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from medseg._checks import first_few
from medseg.errors import DataError

__all__ = ["InputError", "Problem", "Severity", "Where", "by_problem", "refusal", "warning_lines"]

Severity = Literal["error", "warning"]
Where = Literal["image", "label", "case", "data set"]
SHOWN = 3


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes:
        severity: An `error` makes the case unusable; a `warning` may be intended.
        where: The part it concerns.
        what: What is wrong, without a file name, so that equal problems of many cases can be
            reported as one.
        remedy: What to do.
        kind: If `what` has numbers of one case: what is wrong without them, by which the problems
            of many cases are reported as one.
    """

    severity: Severity
    where: Where
    what: str
    remedy: str
    kind: str = ""

    @property
    def common(self) -> "Problem":
        """The problem without the numbers of one case."""
        return replace(self, what=self.kind, kind="") if self.kind else self

    @property
    def text(self) -> str:
        """The problem in one line, without a file's name."""
        return f"{self.where}: {self.what}; {self.remedy}"


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


def by_problem(found: Mapping[str, Sequence[Problem]]) -> dict[Problem, list[str]]:
    """The cases of each problem, errors first; cases and problems stay in their order.

    A problem of several cases that differs between them in its numbers is listed without these.
    """
    cases: defaultdict[Problem, list[str]] = defaultdict(list)
    first: dict[Problem, Problem] = {}
    for case, problems in found.items():
        for problem in problems:
            first.setdefault(problem.common, problem)
            cases[problem.common].append(case)
    ordered = sorted(cases.items(), key=lambda item: item[0].severity)
    return {first[one] if len(names) == 1 else one: names for one, names in ordered}


def warning_lines(found: Mapping[str, Sequence[Problem]]) -> list[str]:
    """A line for each warning, however many cases have it: `3 cases (a, b, c): image: ...`."""
    return [
        f"{_which(cases)}: {problem.text}"
        for problem, cases in by_problem(found).items()
        if problem.severity == "warning"
    ]


def _which(cases: Sequence[str]) -> str:
    return cases[0] if len(cases) == 1 else f"{len(cases)} cases ({first_few(cases, SHOWN)})"
