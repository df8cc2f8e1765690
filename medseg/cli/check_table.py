"""Report of a data check: table of cases, problems with their remedies, verdict.

On a terminal the table is folded to its width; in a file or a pipe each case is one line, without
colours, so that `grep` and `diff` work on it.
"""

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from medseg._checks import first_few
from medseg._text import printable
from medseg.data.datasets.facts import CaseReport, DatasetReport, ImageFacts, LabelFacts
from medseg.data.manifest import Manifest
from medseg.data.problems import Problem, by_problem

__all__ = ["print_report"]

COLUMNS = (
    "case",
    "in",
    "shape",
    "spacing mm",
    "axes",
    "type",
    "min to max",
    "0.5 to 99.5 %",
    "label ml",
    "found",
)
# Columns left out on a narrow terminal, in this order; JSON has them all.
DISPENSABLE = ("type", "0.5 to 99.5 %", "axes", "min to max")
FOLDED = "label ml"
# With more labels than this, only their number is shown.
MAX_LABELS = 4
SHOWN = 5
STYLES = {"error": "red", "warning": "yellow"}


def print_report(report: DatasetReport, manifest: Manifest) -> None:
    """Print the table, the problems and the verdict on standard output."""
    console = Console(highlight=False, markup=False, emoji=False)
    channels = [channel.name for channel in manifest.channels]
    rows = [row for case in report.cases for row in _rows(case, channels)]
    if console.is_terminal:
        table = _fitting_table(rows, console)
    else:
        table = _table(rows, COLUMNS)
        console.width = max(80, _natural_width(table, console))
    console.print(table)
    for problem, cases in _grouped(report).items():
        console.print(f"{problem.severity}  ", style=STYLES[problem.severity], end="")
        console.print(printable(f"{problem.where}: {problem.what}"), soft_wrap=True)
        console.print(printable(f"    do: {problem.remedy}"), soft_wrap=True)
        if cases:
            console.print(printable(f"    in: {_listed(cases, problem, manifest)}"), soft_wrap=True)
    console.print(printable(_verdict(report)), soft_wrap=True)


def _rows(case: CaseReport, channels: Sequence[str]) -> list[dict[str, str]]:
    """A row for the case, with the image of its first channel, and one for each other channel."""
    others = () if case.image is None else case.image.others
    names = channels[1:] if len(channels) > len(others) else ()
    more = (
        (f"  {name}", "", *_image_cells(image), "", "")
        for name, image in zip(names, others, strict=False)
    )
    return [_row(case), *(dict(zip(COLUMNS, map(printable, cells), strict=True)) for cells in more)]


def _row(case: CaseReport) -> dict[str, str]:
    cells = (
        case.case,
        case.place,
        *_image_cells(case.image),
        _label_cell(case.labels),
        _found(case.problems),
    )
    return dict(zip(COLUMNS, map(printable, cells), strict=True))


def _image_cells(image: ImageFacts | None) -> tuple[str, ...]:
    if image is None:
        return ("-",) * 6
    low, p_low, p_high, high = image.intensity or (float("nan"),) * 4
    return (
        "x".join(map(str, image.shape)),
        "x".join(f"{step:.3g}" for step in image.spacing_mm or ()) or "unknown",
        image.orientation,
        image.dtype,
        f"{low:.5g} to {high:.5g}",
        f"{p_low:.5g} to {p_high:.5g}",
    )


def _label_cell(labels: tuple[LabelFacts, ...]) -> str:
    foreground = [label for label in labels if label.value != 0]
    if len(foreground) > MAX_LABELS:
        present = sum(label.voxels > 0 for label in foreground)
        return f"{present} of {len(foreground)} labels"
    return ", ".join(f"{label.name} {_amount(label)}" for label in foreground) or "-"


def _amount(label: LabelFacts) -> str:
    return f"{label.voxels} px" if label.volume_ml is None else f"{label.volume_ml:.1f}"


def _found(problems: Sequence[Problem]) -> str:
    counts = ((kind, sum(p.severity == kind for p in problems)) for kind in ("error", "warning"))
    return ", ".join(_counted(count, kind) for kind, count in counts if count) or "ok"


def _fitting_table(rows: Sequence[Mapping[str, str]], console: Console) -> Table:
    """The table with as many columns as fit the terminal."""
    columns = list(COLUMNS)
    for name in DISPENSABLE:
        if _natural_width(_table(rows, columns), console) <= console.width:
            break
        columns.remove(name)
    return _table(rows, columns)


def _natural_width(table: Table, console: Console) -> int:
    return Measurement.get(console, console.options.update(width=10_000), table).maximum


def _table(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, no_wrap=name != FOLDED)
    for row in rows:
        style = "red" if "error" in row["found"] else ""
        table.add_row(*(row[name] for name in columns), style=style)
    return table


def _grouped(report: DatasetReport) -> dict[Problem, list[str]]:
    """Each problem once, errors first, with the cases that have it."""
    of_cases = by_problem({case.case: case.problems for case in report.cases})
    cases = {**of_cases, **{problem: list[str]() for problem in report.problems}}
    return dict(sorted(cases.items(), key=lambda item: item[0].severity))


def _listed(cases: Sequence[str], problem: Problem, manifest: Manifest) -> str:
    if len(cases) == 1:
        case = next(case for case in manifest.cases if case.case == cases[0])
        file = {"image": " + ".join(case.images), "label": case.label}.get(problem.where)
        return cases[0] if file is None else f"{cases[0]} ({file})"
    return first_few(cases, SHOWN)


def _verdict(report: DatasetReport) -> str:
    errors, warnings = report.count("error"), report.count("warning")
    counts = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
    fix = "fix the errors before training (--fix FOLDER mends some)"
    advice = fix if errors else "ready for training"
    return f"{report.name}: {_counted(len(report.cases), 'case')}, {counts}: {advice}"


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
