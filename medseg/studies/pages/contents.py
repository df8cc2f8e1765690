"""What a study's page is made of: its file, results, statistics, and how its rows are repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from medseg.studies.results import RunResult, StudyResults
from medseg.studies.statistics_types import StudySummary
from medseg.studies.study_file import Study

__all__ = ["Contents", "Repeats", "in_order"]


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """How rows are run again.

    Attributes:
        preparation: Commands that come before those of any row, such as what all rows share.
        commands: By row.
        configs: The resolved config of each row, as YAML.
    """

    preparation: str = ""
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    configs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that the page and its tables say."""

    study: Study
    results: StudyResults
    summary: StudySummary
    repeats: Repeats

    @property
    def score(self) -> str:
        """The metric by which rows are compared."""
        return self.results.score


def in_order(results: StudyResults) -> StudyResults:
    """The results with runs by row, fold and seed, in whatever order they ended."""
    place = {row: number for number, row in enumerate(results.rows)}

    def key(run: RunResult) -> tuple[int, int, int]:
        return place[run.row], run.fold, run.seed

    return replace(results, runs=tuple(sorted(results.runs, key=key)))
