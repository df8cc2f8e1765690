"""Statistics of studies: noise, paired comparisons with the baseline, ranking, averages."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.studies.statistics.summary import summarise_study

__all__ = ["summarise_study"]

__getattr__, __dir__ = attach(__name__)
