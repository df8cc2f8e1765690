"""`medseg evaluate`: how good a folder of predictions is, case by case and class by class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
        Path, typer.Argument(help="A folder of label files, .nii.gz or pictures.")
    ],
    labels: Annotated[
        Path | None, typer.Option(help="A folder of references, paired by name.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Or the data set's manifest, with --dataset-dir.")
    ] = None,
    dataset_dir: Annotated[
        Path | None, typer.Option(help="The folder that holds the manifest's files.")
    ] = None,
    split: Annotated[
        EvaluationSplit, typer.Option(help="Which of the manifest's cases.")
    ] = "validation",
    fold: Annotated[int, typer.Option(min=0, help="The fold held out for validation.")] = 0,
    label_names: Annotated[
        str, typer.Option(help="With --labels, of all values from 0: 'background,lung'.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"Folder for {', '.join(SCORE_FILES)}."),
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Columns to show: 'dsc,lesion_f1', or 'all'; files hold all.")
    ] = "",
    tolerance_mm: Annotated[
        float, typer.Option(min=0, help="How far off a boundary may be and be right in NSD.")
    ] = Criteria.tolerance_mm,
    lesion_overlap: Annotated[
        LesionOverlap, typer.Option(help="When a lesion is found: one voxel, half, IoU over 0.5.")
    ] = Criteria.lesion_overlap,
    as_json: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--json", help="Print JSON and nothing else on standard output.")
    ] = False,
    overwrite: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--overwrite", help="Replace existing scores.")
    ] = False,
    dry_run: Annotated[  # noqa: FBT002 - a command-line switch
        bool, typer.Option("--dry-run", help="Show what goes with what, score nothing.")
    ] = False,
) -> None:
    """Score predictions against references: overlap, distance of boundaries, volume, lesions.

    A structure that was missed or invented counts as DSC 0, one that is in neither as 1. Objects
    are scored too (SEG, panoptic quality) where the manifest says that labels number them.

    medseg evaluate labels --manifest data_manifests/covid19_ct_seg.json --dataset-dir data
    """
    # What scores takes a while to import; --help needs none of it.
    from medseg.reports.columns import DEFAULT_METRICS, chosen_metrics
    from medseg.reports.scoring import score_pairs, write_scores
    from medseg.reports.tables import print_scores, scores_json

    shown = chosen_metrics(metrics) if metrics else None
    criteria = Criteria(tolerance_mm=tolerance_mm, lesion_overlap=lesion_overlap)
    label_kind: LabelKind = "classes"
    class_names = [part.strip() for part in label_names.split(",")] if label_names else None
    if labels is not None and manifest is None and dataset_dir is None:
        name, pairs = labels.name, pairs_by_name(labels, predictions)
    elif labels is None and manifest is not None and dataset_dir is not None and not label_names:
        known = load_manifest(manifest)
        pairs = pairs_by_manifest(known, dataset_dir, predictions, split=split, fold=fold)
        name, class_names = f"{known.name} {_place(split, fold)}", known.class_names
        label_kind = known.label_kind
    else:
        raise UsageError(
            "give --labels DIR, with --label-names or without, "
            "or --manifest FILE with --dataset-dir DIR"
        )
    if output is not None and not overwrite:
        _refuse_existing(output)
    if dry_run:
        _print_pairs(pairs)
        return
    evaluation = score_pairs(name, pairs, class_names, criteria, label_kind)
    if output is not None:
        write_scores(evaluation, output, shown or DEFAULT_METRICS)
    if as_json:
        typer.echo(scores_json(evaluation), nl=False)
    else:
        print_scores(evaluation, Console(highlight=False, markup=False, emoji=False), shown)
    if evaluation.failed:
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)


def _place(split: EvaluationSplit, fold: int) -> str:
    return f"{split}, fold {fold}" if split in ("validation", "training") else split


def _refuse_existing(output: Path) -> None:
    for name in SCORE_FILES:
        if (output / name).exists():
            raise UsageError(f"{output / name} already exists; use --overwrite or another -o")


def _print_pairs(pairs: Sequence[EvaluationCase]) -> None:
    for pair in pairs:
        typer.echo(f"{pair.case}: {pair.prediction or 'no prediction'}, {pair.reference}")
