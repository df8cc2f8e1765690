"""`medseg study history`: when a training could have stopped, by the log that it wrote."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from medseg._files import write_atomically
from medseg.cli.say import say
from medseg.errors import DataError, UsageError

if TYPE_CHECKING:
    from medseg.studies.history.history import History

__all__ = ["history"]

_TEXTS = ("history.csv", "history.md", "history.json")
_PICTURES = ("history.png", "history.svg")


def history(  # noqa: PLR0913 - one argument an option
    logs: Annotated[
        list[Path],
        typer.Argument(
            help="Logs of one setting, one a seed: medseg's metrics.csv, files of Keras's "
            "CSVLogger, nnU-Net's training_log, or the folders with them."
        ),
    ],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest difference to a metric's best, in its own unit.")
    ] = 0.005,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Only this metric, with val_ or plain for both sets (repeat for more)."),
    ] = None,
    higher: Annotated[
        list[str] | None,
        typer.Option(help="The highest value of this metric is its best (repeat)."),
    ] = None,
    lower: Annotated[
        list[str] | None, typer.Option(help="The lowest value of this metric is its best (repeat).")
    ] = None,
    minutes_per_epoch: Annotated[
        float | None, typer.Option(min=0, help="Time of an epoch, if the log does not tell it.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Look-up table of the metrics' labels: YAML, or CSV with two columns."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="One label, as 'vsat_dice=VAT Dice Score' (repeat).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"Folder for {', '.join((*_TEXTS, *_PICTURES))}."),
    ] = None,
    title: Annotated[str, typer.Option(help="Above the picture.")] = "Training history",
    subtitle: Annotated[str, typer.Option(help="Below its title.")] = "",
    caption: Annotated[
        str | None, typer.Option(help="Below the picture (default: the logs' names).")
    ] = None,
    base_size: Annotated[
        float, typer.Option(min=4, max=72, help="Size of the picture's letters, in points.")
    ] = 12,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace existing files of -o.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
) -> None:
    """Tell for each metric the first epoch within a tolerance of its best, and what came after it.

    Labels of one network often stop to improve at different epochs. Loss is better low, Dice high.

    medseg study history eval/metrics.csv -o history
    """
    # yaml and the logs' readers take a while to import; --help does not need them.
    from medseg.studies.history.history import read_history
    from medseg.studies.history.labels import read_labels
    from medseg.studies.history.metric import Directions
    from medseg.studies.history.tables import history_json, print_history

    if output is not None:
        _refuse_existing(output, overwrite=overwrite)
    _refuse_twice(logs)
    found = read_history(
        logs,
        metrics=metric or (),
        tolerance=tolerance,
        directions=Directions(tuple(higher or ()), tuple(lower or ())),
        minutes_per_epoch=minutes_per_epoch,
        labels=read_labels(labels, label or ()),
    )
    for note in found.notes:
        say(f"warning: {note}", to="errors")
    if found.last is None:
        raise DataError("of no metric is it known whether high or low is better; see the warnings")
    if output is not None:
        shown = ", ".join(path.name for path in logs) if caption is None else caption
        _write(found, output, title=title, subtitle=subtitle, caption=shown, base_size=base_size)
    if as_json:
        typer.echo(history_json(found), nl=False)
    else:
        print_history(found, Console(highlight=False, markup=False, emoji=False))


def _refuse_existing(output: Path, *, overwrite: bool) -> None:
    for name in (*_TEXTS, *_PICTURES):
        if (output / name).exists() and not overwrite:
            raise UsageError(f"{output / name} already exists; use --overwrite or another -o")


def _refuse_twice(logs: list[Path]) -> None:
    twice = next((log for log in logs if logs.count(log) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is given twice; give the log of each seed once")


def _write(
    found: "History", output: Path, *, title: str, subtitle: str, caption: str, base_size: float
) -> None:
    # matplotlib takes a while to import, and is needed for pictures only.
    from medseg.studies.history.figure import Words, write_history_figure
    from medseg.studies.history.tables import history_csv, history_json, history_markdown

    texts = (history_csv(found), history_markdown(found), history_json(found))
    for name, text in zip(_TEXTS, texts, strict=True):
        write_atomically(output / name, partial(Path.write_text, data=text, encoding="utf-8"))
    words = Words(title=title, subtitle=subtitle, caption=caption, base_size=base_size)
    write_history_figure(found, words, [output / name for name in _PICTURES])
