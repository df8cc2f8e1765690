"""Remarks on images while a cohort is predicted: each told once, and repeated with its cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from medseg._checks import first_few
from medseg.data.problems import Problem, Where, by_problem

__all__ = ["Remarks"]


@dataclass(frozen=True)
class Remarks:
    """What is remarkable about the images of a run.

    Attributes:
        say: Called with each line.
        found: Problems by case, so far.
        told: Each problem of these.
    """

    say: Callable[[str], None]
    found: dict[str, Sequence[Problem]] = field(default_factory=dict[str, Sequence[Problem]])
    told: set[Problem] = field(default_factory=set[Problem])

    def add(self, case: str, problems: Sequence[Problem]) -> None:
        """Tell of the problems of a case that no earlier case had."""
        for problem in problems:
            if problem.common not in self.told:
                self.say(f"{case}: {problem.text}")
        self.told.update(problem.common for problem in problems)
        self.found[case] = problems

    def add_lines(self, case: str, lines: Sequence[str]) -> None:
        """Tell of problems that another process has found, by their texts."""
        self.add(case, [_problem(line) for line in lines])

    def close(self) -> None:
        """Say which cases share a problem that was told of the first of them."""
        for problem, cases in by_problem(self.found).items():
            if len(cases) > 1:
                self.say(f"{len(cases)} cases ({first_few(cases)}): {problem.text}")


def _problem(line: str) -> Problem:
    where, _, rest = line.partition(": ")
    what, _, remedy = rest.partition("; ")
    return Problem("warning", cast("Where", where), what, remedy)
