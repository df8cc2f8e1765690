"""What a study's page is made of: its file, results, statistics, and how its rows are repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from medseg.studies.results import StudyResults
from medseg.studies.statistics_types import StudySummary
from medseg.studies.study_file import Study

__all__ = ["Contents", "Extent", "Repeat"]

# `compact` is for a repository of text: no SVG, JSON or configs, and of the cases only the score.
Extent = Literal["whole", "compact"]


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How a row is run again.

    Attributes:
        command: On the command line, from the folder of the bundle's repository.
        config: The row's resolved config, as YAML; empty if no run of it was prepared.
    """

    command: str
    config: str = ""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that the page and its tables say."""

    study: Study
    results: StudyResults
    summary: StudySummary
    repeats: Mapping[str, Repeat]

    @property
    def score(self) -> str:
        """The metric by which rows are compared."""
        return self.results.score
