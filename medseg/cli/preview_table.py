"""Tables of a recipe's times: each step, and the total of a case and of a patch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from medseg.reports.preview_steps import StepTimes

__all__ = ["print_times", "times_json"]


def print_times(once: Sequence["StepTimes"], each: Sequence["StepTimes"]) -> None:
    """Print two tables on standard output.

    Args:
        once: Times of preprocessing; each step ran once.
        each: Times of augmentation; the last is the total.
    """
    case = _table("once a case", "ms")
    for times in once:
        case.add_row(times.step, _ms(times.ms[0]))
    case.add_section()
    case.add_row("total", _ms(_total(once)))
    patch = _table("each patch", "median ms", "mean ms", "longest ms")
    for times in each:
        if times is each[-1]:
            patch.add_section()
        patch.add_row(times.step, *map(_ms, times.summary().values()))
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(case, patch)
    console.print(
        f"{len(each[-1].ms)} patches, one process; a step that is rarely applied has a low median."
    )


def times_json(path: Path, once: Sequence["StepTimes"], each: Sequence["StepTimes"]) -> str:
    """The same as JSON, with the picture's path."""
    report = {
        "picture": str(path),
        "once_a_case": [{"step": times.step, "ms": times.ms[0]} for times in once],
        "once_a_case_total_ms": _total(once),
        "each_patch": [{"step": times.step, **times.summary()} for times in each[:-1]],
        "each_patch_total": each[-1].summary(),
        "draws": len(each[-1].ms),
    }
    return json.dumps(report, indent=2)


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(title, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _total(once: Sequence["StepTimes"]) -> float:
    return sum(times.ms[0] for times in once)


def _ms(time: float) -> str:
    return f"{time:.2f}" if time < 10 else f"{time:.0f}"
