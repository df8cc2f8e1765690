"""`medseg evaluate`: score a folder of predictions, per case and per class."""

import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from medseg._locks import LOCK, locked
from medseg.cli.say import say
from medseg.data.label_kind import LabelKind
from medseg.data.manifest import load_manifest
from medseg.errors import ExitCode, UsageError
from medseg.metrics.criteria import Criteria, LesionOverlap
from medseg.reports.pairing import (
    PAIRING,
    EvaluationCase,
    EvaluationSplit,
    pairs_by_manifest,
    pairs_by_name,
)
from medseg.reports.score_files import SCORE_FILES

__all__ = ["PAIRING", "evaluate"]


def evaluate(  # noqa: PLR0913 - one argument an option
    predictions: Annotated[
        Path, typer.Argument(help="Folder of predicted labels, .nii.gz or pictures.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="Folder of reference labels, paired by name.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Instead of --labels: the data set's manifest, with --dataset-dir."),
    ] = None,
    dataset_dir: Annotated[
        Path | None, typer.Option(help="Folder of the manifest's files.")
    ] = None,
    split: Annotated[
        EvaluationSplit, typer.Option(help="Which cases of the manifest to score.")
    ] = "validation",
    fold: Annotated[int, typer.Option(min=0, help="The fold held out for validation.")] = 0,
    label_names: Annotated[
        str,
        typer.Option(help="With --labels: names of the label values, from 0: 'background,lung'."),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"Folder for {', '.join(SCORE_FILES)}."),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Columns to show, e.g. 'dsc,lesion_f1', or 'all'; files have all.")
    ] = "",
    tolerance_mm: Annotated[
        float, typer.Option(min=0, help="Boundary distance in mm that NSD tolerates.")
    ] = Criteria.tolerance_mm,
    lesion_overlap: Annotated[
        LesionOverlap,
        typer.Option(
            help="Overlap for a lesion to count as detected: one voxel, half, IoU above 0.5."
        ),
    ] = Criteria.lesion_overlap,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace existing scores.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Show the pairs of files, score nothing.")
    ] = False,
) -> None:
    """Score predictions against references: overlap, boundary distance, volume, lesions.

    A structure that is only in one of the two counts as DSC 0, one that is in neither as 1. If the
    manifest says that labels number objects, these are scored too (SEG, panoptic quality).

    medseg evaluate labels --manifest data_manifests/covid19_ct_seg.json --dataset-dir data
    """
    # Metrics take a while to import; --help does not need them.
    from medseg.reports.columns import DEFAULT_METRICS, chosen_metrics
    from medseg.reports.scoring import score_pairs, write_scores
    from medseg.reports.tables import print_scores, scores_json

    columns = chosen_metrics(metrics) if metrics else None
    criteria = Criteria(tolerance_mm=tolerance_mm, lesion_overlap=lesion_overlap)
    label_kind: LabelKind = "classes"
    class_names = [part.strip() for part in label_names.split(",")] if label_names else None
    if labels is not None and manifest is None and dataset_dir is None:
        name, pairs = labels.name, pairs_by_name(labels, predictions)
    elif labels is None and manifest is not None and dataset_dir is not None and not label_names:
        dataset = load_manifest(manifest)
        pairs = pairs_by_manifest(dataset, dataset_dir, predictions, split=split, fold=fold)
        name, class_names = f"{dataset.name} {_place(split, fold)}", dataset.class_names
        label_kind = dataset.label_kind
    else:
        raise UsageError(
            "use --labels DIR, with or without --label-names, "
            "or --manifest FILE with --dataset-dir DIR"
        )
    if output is not None and not overwrite:
        _refuse_existing(output)
    if dry_run:
        _print_pairs(pairs)
        return
    with nullcontext() if output is None else locked(output / LOCK, what=str(output)):
        evaluation = score_pairs(
            name, pairs, class_names, criteria, label_kind, failing=_trace_of(sys.argv)
        )
        if output is not None:
            write_scores(evaluation, output, columns or DEFAULT_METRICS)
    if as_json:
        typer.echo(scores_json(evaluation), nl=False)
    else:
        print_scores(evaluation, Console(highlight=False, markup=False, emoji=False), columns)
    raise typer.Exit(ExitCode.SOME_CASES_FAILED if evaluation.failed else ExitCode.DONE)


def _trace_of(words: Sequence[str]) -> Callable[[Exception], None] | None:
    return traceback.print_exception if "--debug" in words else None


def _place(split: EvaluationSplit, fold: int) -> str:
    return f"{split}, fold {fold}" if split in ("validation", "training") else split


def _refuse_existing(output: Path) -> None:
    for name in SCORE_FILES:
        if (output / name).exists():
            raise UsageError(f"{output / name} already exists; use --overwrite or another -o")


def _print_pairs(pairs: Sequence[EvaluationCase]) -> None:
    for pair in pairs:
        say(f"{pair.case}: {pair.prediction or 'no prediction'}, {pair.reference}")
