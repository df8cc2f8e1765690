"""`medseg baseline`: label and score the cases of a data set by classical methods."""

import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import track

from medseg._files import write_atomically
from medseg._locks import LOCK, locked
from medseg.cli.say import say
from medseg.data.manifest import Case, Manifest, load_manifest
from medseg.errors import DataError, ExitCode, UsageError
from medseg.reports.pairing import EvaluationSplit, split_cases

if TYPE_CHECKING:
    from medseg.reports.tables import Evaluation
    from medseg.studies.baselines.method import Method, Settings

__all__ = ["baseline"]

# As medseg.studies.baselines.method says, which takes a while to import.
_METHODS = ("k-means", "mrf", "otsu", "watershed", "sobel", "smooth")
_TABLES = ("baselines.csv", "baselines.md", "baselines.json")


def baseline(  # noqa: PLR0913 - one argument an option
    manifest: Annotated[Path, typer.Argument(help="The data set's manifest, a JSON file.")],
    dataset_dir: Annotated[Path, typer.Option(help="Folder of the data set's files.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help=f"Folder for {', '.join(_TABLES)}, and one for each method."
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this method: {', '.join(_METHODS)} (repeat; default: all)."),
    ] = None,
    split: Annotated[EvaluationSplit, typer.Option(help="Which cases of the manifest.")] = "test",
    fold: Annotated[int, typer.Option(min=0, help="The fold held out for validation.")] = 0,
    levels: Annotated[
        int | None,
        typer.Option(min=2, help="Groups of brightness (default: as many as the classes)."),
    ] = None,
    foreground: Annotated[
        str,
        typer.Option(
            help="Which groups are the classes: bright, dark, auto (dark for histology, else "
            "bright), the class of each group from the darkest, as '1,0', or reference: what most "
            "of a group is in the reference, which no method can know."
        ),
    ] = "auto",
    beta: Annotated[
        float, typer.Option(min=0, help="Of mrf: cost of two neighbours in different groups.")
    ] = 1.5,
    keep: Annotated[
        Literal["all", "largest"], typer.Option(help="Parts of each class that are kept.")
    ] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Of k-means and mrf.")] = 0,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace existing files of -o.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Show cases and methods, label nothing.")
    ] = False,
) -> None:
    """Tell what k-means, a Markov random field, Otsu, watershed and Sobel reach without training.

    Labels are written in the images' grid, and scored as by medseg evaluate.

    medseg baseline data_manifests/ebhi_seg.json --dataset-dir DIR -o baselines
    """
    # Methods and metrics take a while to import; --help does not need them.
    from medseg.studies.baselines.classes import parse_rule
    from medseg.studies.baselines.method import Settings, chosen_methods, require_settings
    from medseg.studies.baselines.table import baselines_json, print_baselines

    dataset = load_manifest(manifest)
    cases = _cases(dataset, dataset_dir, split, fold)
    rule = parse_rule(foreground, dataset.modality)
    every = [
        Settings(method=name, levels=levels, rule=rule, beta=beta, keep=keep, seed=seed)
        for name in chosen_methods(method or (), len(dataset.class_names))
    ]
    for settings in every:
        require_settings(settings, len(dataset.class_names))
    _refuse_existing(output, every, overwrite=overwrite)
    say(_rule_told(rule.name, dataset), to="errors")
    if dry_run:
        _print_plan(cases, every, output)
        return
    with locked(output / LOCK, what=str(output)):
        evaluations = _run(dataset, dataset_dir, cases, every, output)
        told = {
            "foreground": foreground,
            "levels": levels,
            "beta": beta,
            "keep": keep,
            "seed": seed,
        }
        _write(evaluations, output, {**told, "split": split, "fold": fold})
    if as_json:
        typer.echo(baselines_json(evaluations, told), nl=False)
    else:
        print_baselines(evaluations, Console(highlight=False, markup=False, emoji=False))
    failed = any(evaluation.failed for evaluation in evaluations.values())
    raise typer.Exit(ExitCode.SOME_CASES_FAILED if failed else ExitCode.DONE)


def _cases(
    manifest: Manifest, dataset_dir: Path, split: EvaluationSplit, fold: int
) -> Sequence[Case]:
    if not dataset_dir.is_dir():
        raise DataError(f"{dataset_dir}: no such folder; use the one that holds {manifest.name}")
    cases = [case for case in split_cases(manifest, split, fold) if case.label is not None]
    if not cases:
        where = f"{split}, fold {fold}" if split in ("validation", "training") else split
        raise DataError(
            f"{manifest.name}: no case with a label in {where}; choose another --split or --fold"
        )
    return cases


def _rule_told(rule: str, manifest: Manifest) -> str:
    if rule == "reference":
        return "warning: classes are chosen by the reference: an upper bound, not a result"
    name = manifest.class_names[-1]
    groups = {"dark": "the darkest group is", "bright": "the brightest group is"}
    return f"{groups.get(rule, 'groups are listed; the last class is')} {name!r} (--foreground)"


def _refuse_existing(output: Path, every: Sequence["Settings"], *, overwrite: bool) -> None:
    there = [*_TABLES, *(settings.method for settings in every)]
    found = next((name for name in there if (output / name).exists()), None)
    if found is not None and not overwrite:
        raise UsageError(f"{output / found} already exists; use --overwrite or another -o")


def _print_plan(cases: Sequence[Case], every: Sequence["Settings"], output: Path) -> None:
    for case in cases:
        say(f"{case.case}: {' + '.join(case.images)}, {case.label}")
    names = ", ".join(settings.method for settings in every)
    say(f"{len(cases)} cases by {names}; labels and scores in {output}/METHOD")


def _run(
    dataset: Manifest,
    dataset_dir: Path,
    cases: Sequence[Case],
    every: Sequence["Settings"],
    output: Path,
) -> dict["Method", "Evaluation"]:
    from medseg.studies.baselines.cases import LABELS, label_cases, score_labels

    console = Console(stderr=True)
    found: dict[Method, Evaluation] = {}
    for settings in every:
        folder = output / settings.method
        shown = track(
            cases, settings.method, console=console, transient=True, disable=not console.is_terminal
        )
        failed = label_cases(
            dataset, dataset_dir, shown, settings, folder / LABELS, failing=_trace_of(sys.argv)
        )
        name = f"{dataset.name}, {settings.method}"
        found[settings.method] = score_labels(
            dataset, dataset_dir, cases, folder, failed, name=name
        )
    return found


def _write(
    evaluations: dict["Method", "Evaluation"], output: Path, settings: dict[str, Any]
) -> None:
    from medseg.studies.baselines.table import baselines_csv, baselines_json, baselines_markdown

    texts = (
        baselines_csv(evaluations),
        baselines_markdown(evaluations),
        baselines_json(evaluations, settings),
    )
    for name, text in zip(_TABLES, texts, strict=True):
        write_atomically(output / name, partial(Path.write_text, data=text, encoding="utf-8"))


def _trace_of(words: Sequence[str]) -> Callable[[Exception], None] | None:
    return traceback.print_exception if "--debug" in words else None
