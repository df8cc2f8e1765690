"""Page of a study in Markdown: the noise first, then results, ranking, cost, and proof."""

from collections.abc import Iterable, Sequence

from medseg.studies.pages.average_tables import classes_section, groups_section
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.cost_section import cost_section
from medseg.studies.pages.extent import Extent
from medseg.studies.pages.head import head_section, noise_section
from medseg.studies.pages.markdown_text import escaped, file_link
from medseg.studies.pages.repeat_section import failures_section, repeat_section
from medseg.studies.pages.result_tables import ranking_section, results_section
from medseg.studies.pages.worst_cases import CaseRow

__all__ = ["study_markdown"]

_PLOTS = {
    "plots/differences.png": "Paired difference of each row to the baseline, with 95 % intervals",
    "plots/validation.png": "Validation score over epochs, mean and range of the runs",
    "plots/train_loss.png": "Training loss over epochs, mean and range of the runs",
    "plots/cost.png": "Score against time of a case and against parameters",
}


def study_markdown(
    contents: Contents, extent: Extent, *, files: Iterable[str], worst: Sequence[CaseRow]
) -> str:
    """The page.

    Args:
        contents: What it tells.
        extent: Whether configs are written beside it.
        files: Names of the plots and tables beside it, which it shows and lists.
        worst: Pictures of the worst cases, by row.
    """
    there = sorted(files)
    sections = [
        head_section(contents),
        noise_section(contents),
        results_section(contents),
        _plot("plots/differences.png", there),
        ranking_section(contents),
        classes_section(contents),
        groups_section(contents),
        _curves(there),
        cost_section(contents),
        _plot("plots/cost.png", there),
        _worst(worst),
        failures_section(contents),
        repeat_section(contents, extent),
        _files(there),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _plot(path: str, there: Sequence[str]) -> str:
    return f"![{_PLOTS[path]}]({path})" if path in there else ""


def _curves(there: Sequence[str]) -> str:
    plots = [_plot(path, there) for path in ("plots/validation.png", "plots/train_loss.png")]
    shown = [plot for plot in plots if plot]
    return "\n\n".join(["## Learning curves", *shown]) if shown else ""


def _worst(worst: Sequence[CaseRow]) -> str:
    parts = [
        f"### {escaped(one.row)}, seed {one.seed}, fold {one.fold}\n\n"
        + "\n\n".join(f"![Worst case {n}]({path})" for n, path in enumerate(one.pictures, start=1))
        for one in worst
    ]
    return "\n\n".join(["## Worst cases", *parts]) if parts else ""


def _files(there: Sequence[str]) -> str:
    """Tables beside the page; pictures are on it."""
    links = [file_link(path, path) for path in there if "/" not in path]
    return f"## Files\n\n{', '.join(links)}" if links else ""
