"""`medseg data check --fix`: what was mended, printed, with what is left to do."""

import shlex
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from medseg._checks import first_few
from medseg._text import printable
from medseg.cli.say import say
from medseg.data.manifest import Manifest
from medseg.data.problems import by_problem
from medseg.errors import ExitCode

if TYPE_CHECKING:
    from medseg.data.datasets.facts import DatasetReport
    from medseg.mending.case import ClinicLabels
    from medseg.mending.change import CaseFix
    from medseg.mending.mend import Cases

__all__ = ["fix"]

_SHOWN = 5


def fix(  # noqa: PLR0913 - one argument an option
    manifest: Manifest,
    dataset_dir: Path,
    report: "DatasetReport",
    target: Path,
    *,
    clinic_labels: "ClinicLabels",
    dry_run: bool,
    as_json: bool,
    progress: "Callable[[Cases], Cases]",
) -> None:
    """Mend a data set that was checked, or say what would be done, and print it.

    Raises:
        Exit: With `SOME_CASES_FAILED` if cases are left out, with `DATA` if all are.
    """
    from medseg.mending.case import DataSet
    from medseg.mending.mend import MANIFEST, mend_dataset, plan_mending
    from medseg.mending.record import FIXES, fixes_json

    data = DataSet(manifest, dataset_dir, report, clinic_labels)
    fixes = plan_mending(data, progress) if dry_run else mend_dataset(data, target, progress)
    if as_json:
        text = (
            fixes_json(manifest, fixes, ())
            if dry_run
            else (target / FIXES).read_text(encoding="utf-8")
        )
        typer.echo(text, nl=False)
    else:
        _print(fixes, report)
        if dry_run:
            say("Nothing written; run without --dry-run to mend it.")
        else:
            paths = (shlex.quote(str(path)) for path in (target / MANIFEST, target))
            say(f"Written to {target}, each change in {FIXES}. Next, check it:")
            say("  medseg data check {} --dataset-dir {}".format(*paths))
    left = sum(bool(one.left) for one in fixes)
    if left:
        every = left == len(fixes)
        raise typer.Exit(ExitCode.DATA if every else ExitCode.SOME_CASES_FAILED)


def _print(fixes: Sequence["CaseFix"], report: "DatasetReport") -> None:
    _print_changes(fixes)
    cases = defaultdict[str, list[str]](list)
    for problem, names in by_problem({one.case: one.left for one in fixes}).items():
        cases[problem.text] += names
    for text, names in cases.items():
        say(f"left out: {first_few(names, _SHOWN)}: {text}")
    for problem in report.problems:
        if problem.severity == "error":
            say(f"not mended: {problem.text}")
    changed = sum(bool(one.changes) and not one.left for one in fixes)
    left = sum(bool(one.left) for one in fixes)
    say(
        f"{len(fixes)} cases: {changed} mended, {len(fixes) - changed - left} unchanged, "
        f"{left} left out"
    )


def _print_changes(fixes: Sequence["CaseFix"]) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("case", "file", "change", "why that is safe"):
        table.add_column(name)
    for one in fixes:
        for change in one.changes if not one.left else ():
            table.add_row(*map(printable, (one.case, change.where, change.what, change.why)))
    if table.row_count:
        console.width = console.width if console.is_terminal else 200
        console.print(table)
