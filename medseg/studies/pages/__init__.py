"""Pages of studies: the output folder, with its tables, plots and pictures."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.studies.pages.contents import Repeats
    from medseg.studies.pages.extent import Extent
    from medseg.studies.pages.repeats import row_repeats
    from medseg.studies.pages.writing import write_study

__all__ = ["Extent", "Repeats", "row_repeats", "write_study"]

__getattr__, __dir__ = attach(__name__)
