"""Cost of each row: time and memory of its runs, size of its network, and score against both."""

from collections.abc import Callable
from statistics import fmean, median

from medseg.studies.pages.averages import scored_runs
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import large, plain
from medseg.studies.pages.markdown_text import escaped, table
from medseg.studies.results import Cost

__all__ = ["cost_section"]

# Column, how it is taken over runs, how it is written.
_Column = tuple[str, Callable[[list[Cost]], float], Callable[[float], str]]
_COLUMNS: tuple[_Column, ...] = (
    ("minutes", lambda costs: fmean(one.minutes for one in costs), lambda x: plain(x, 1)),
    ("batches", lambda costs: fmean(one.iterations for one in costs), lambda x: plain(x, 0)),
    ("best epoch", lambda costs: fmean(one.best_epoch for one in costs), lambda x: plain(x, 1)),
    ("epochs", lambda costs: fmean(one.epochs for one in costs), lambda x: plain(x, 1)),
    ("parameters", lambda costs: costs[0].parameters, large),
    ("MACs", lambda costs: costs[0].macs, large),
    ("memory GB", lambda costs: max(one.peak_memory_gb for one in costs), lambda x: plain(x, 2)),
    ("ms a case", lambda costs: median(one.case_ms for one in costs), lambda x: plain(x, 1)),
)


def cost_section(contents: Contents) -> str:
    """A line for each row that has a scored run; empty if none has."""
    lines: list[list[str]] = []
    for row in contents.results.rows:
        costs = [run.cost for run in scored_runs(contents.results, row) if run.cost]
        if costs:
            lines.append([escaped(row), *(shown(taken(costs)) for _, taken, shown in _COLUMNS)])
    if not lines:
        return ""
    note = (
        "Minutes of the training, batches and epochs: mean over runs; memory of the process: the "
        "largest; milliseconds of a case in inference: the median, on the machine that ran the "
        "study. MACs: multiplications and additions of one patch. Minutes, memory and "
        "milliseconds change with the machine and its load."
    )
    columns = ["row", *(name for name, _, _ in _COLUMNS)]
    return "\n\n".join(("## Cost", table(columns, lines), note))
