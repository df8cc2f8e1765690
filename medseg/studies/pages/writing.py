"""Output folder of a study: page, tables, plots and pictures, each written at once."""

from pathlib import Path

from medseg._files import write_atomically
from medseg.studies.pages.contents import Contents, Repeats, in_order
from medseg.studies.pages.cost_plot import cost_figure
from medseg.studies.pages.csv_tables import averages_csv, cases_csv, costs_csv, rows_csv, runs_csv
from medseg.studies.pages.extent import Extent
from medseg.studies.pages.forest_plot import forest_figure
from medseg.studies.pages.learning_curves import curves_figure
from medseg.studies.pages.page import study_markdown
from medseg.studies.pages.paths import without_paths
from medseg.studies.pages.plot_style import plot_files
from medseg.studies.pages.published_scores import published_csv, rows_by_loss
from medseg.studies.pages.published_tables import published_markdown
from medseg.studies.pages.repeat_section import config_path
from medseg.studies.pages.study_json import study_json
from medseg.studies.pages.worst_cases import worst_pictures
from medseg.studies.results import StudyResults
from medseg.studies.statistics_types import StudySummary
from medseg.studies.study_file import Study

__all__ = ["study_files", "write_study"]

PAGE = "study.md"
# Folders that hold nothing but what is written here.
_OWN_FOLDERS = ("plots", "rows", "worst_cases")


def write_study(
    results: StudyResults,
    summary: StudySummary,
    folder: str | Path,
    *,
    study: Study,
    repeats: Repeats | None = None,
    extent: Extent = "whole",
) -> Path:
    """Write the page of a study with all that belongs to it; see docs/how-to/study.md.

    Each file is replaced at once, the page last, so that it never shows what is not there. What
    an earlier page had in `plots`, `rows` and `worst_cases` is removed. But for `costs.csv`, the
    section of costs and their plot, the same results give the same bytes.

    Args:
        results: Of all runs; the folders of runs are read for curves, configs and pictures.
        summary: Their statistics.
        folder: Where to; made if it is missing.
        study: The study file.
        repeats: How each row is run again, see `row_repeats`.
        extent: `compact` leaves out what a repository of text should not carry: SVG, JSON,
            configs, and of the cases all but the score.

    Returns:
        The page.

    Raises:
        OSError: If a file cannot be written.
    """
    contents = Contents(
        study=study, results=in_order(results), summary=summary, repeats=repeats or Repeats()
    )
    files = study_files(contents, extent)
    folder = Path(folder)
    page = files.pop(PAGE)
    for name, content in files.items():
        write_atomically(folder / name, lambda path, content=content: path.write_bytes(content))
    write_atomically(folder / PAGE, lambda path: path.write_bytes(page))
    _remove_others(folder, set(files))
    return folder / PAGE


def study_files(contents: Contents, extent: Extent) -> dict[str, bytes]:
    """Content of each file of the folder, by its relative path; the page is `study.md`."""
    plots = _plots(contents)
    worst, pictures = worst_pictures(contents, extent)
    tables = _tables(contents, extent)
    if extent == "compact":
        plots = {name: content for name, content in plots.items() if name.endswith(".png")}
    files = {**{name: _bytes(text) for name, text in tables.items()}, **plots, **pictures}
    page = study_markdown(contents, extent, files=files, worst=worst)
    return {**files, PAGE: _bytes(page)}


def _tables(contents: Contents, extent: Extent) -> dict[str, str]:
    results = contents.results
    tables = {
        "rows.csv": rows_csv(contents),
        "runs.csv": runs_csv(results),
        "costs.csv": costs_csv(results),
        "averages.csv": averages_csv(contents),
        "cases.csv": cases_csv(results, None if extent == "whole" else [results.score]),
    }
    ranked = rows_by_loss(contents) if contents.study.protocol == "random splits" else []
    if ranked:
        tables["published_tables.md"] = published_markdown(results.title, ranked)
        tables["published_tables.csv"] = published_csv(ranked)
    if extent == "whole":
        tables["study.json"] = study_json(contents)
        for row, config in contents.repeats.configs.items():
            tables[config_path(results.rows.index(row), row)] = config
    return tables


def _bytes(text: str) -> bytes:
    # A name that is not UTF-8 can be in no file.
    return without_paths(text).encode(errors="replace")


def _plots(contents: Contents) -> dict[str, bytes]:
    figures = {
        "differences": forest_figure(contents),
        "validation": curves_figure(contents, "val_mean_dice", "Validation DSC"),
        "train_loss": curves_figure(contents, "train_loss", "Training loss"),
        "cost": cost_figure(contents),
    }
    files: dict[str, bytes] = {}
    for name, figure in figures.items():
        if figure is not None:
            files.update(plot_files(name, figure))
    return files


def _remove_others(folder: Path, written: set[str]) -> None:
    """Remove what an earlier page showed and this one does not."""
    for own in _OWN_FOLDERS:
        for path in sorted((folder / own).rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
            elif path.is_file() and path.relative_to(folder).as_posix() not in written:
                path.unlink()
