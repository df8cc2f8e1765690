"""Pictures of the worst cases of a study: those of the baseline and of the best other row."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from medseg.reports.score_files import WORST_FILES
from medseg.studies.pages.averages import scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.extent import Extent
from medseg.studies.pages.small_png import small_png
from medseg.studies.results import BASELINE

__all__ = ["CaseRow", "worst_pictures"]


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    """Pictures of the worst cases of one run.

    Attributes:
        row: Of the run.
        seed: Of the run.
        fold: Of the run.
        pictures: Their paths beside the page, the worst first.
    """

    row: str
    seed: int
    fold: int
    pictures: tuple[str, ...]


def worst_pictures(contents: Contents, extent: Extent) -> tuple[list[CaseRow], dict[str, bytes]]:
    """Worst cases of the first run of the baseline and of the best other row, as PNG.

    A run without pictures, or with broken ones, has none here.

    Args:
        contents: The study.
        extent: `compact` makes them small.

    Returns:
        What is shown, and the files by their paths beside the page.
    """
    rows, files = list[CaseRow](), dict[str, bytes]()
    for place, row in _shown_rows(contents):
        for run in scored_runs(contents.results, row)[:1]:
            pictures = dict(_pictures(run.folder, place, extent))
            if pictures:
                shown = CaseRow(row=row, seed=run.seed, fold=run.fold, pictures=tuple(pictures))
                rows.append(shown)
                files.update(pictures)
    return rows, files


def _shown_rows(contents: Contents) -> Iterator[tuple[str, str]]:
    yield "baseline", BASELINE
    others = [one.row for one in contents.summary.ranking if one.row != BASELINE]
    if others:
        yield "best", others[0]


def _pictures(folder: Path, place: str, extent: Extent) -> Iterator[tuple[str, bytes]]:
    for name in WORST_FILES:
        path = folder / name
        try:
            with Image.open(path) as image:
                image.load()
                picture = path.read_bytes() if extent == "whole" else small_png(image)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
            continue
        yield f"worst_cases/{place}_{path.name}", picture
