"""`medseg evaluate`: score a folder of predictions, per case and per class."""

import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from medseg._locks import LOCK, locked
from medseg.cli.evaluate_task import References, Task
from medseg.cli.rois import parse_rois
from medseg.cli.say import say
from medseg.data.label_kind import LabelKind
from medseg.data.problems import warning_lines
from medseg.errors import ExitCode, UsageError
from medseg.metrics.criteria import Criteria, LesionOverlap
from medseg.reports.pairing import PAIRING, EvaluationSplit
from medseg.reports.score_files import SCORE_FILES, WORST_FILES

if TYPE_CHECKING:
    from medseg.reports.tables import Evaluation
    from medseg.reports.worst_cases import Origin

__all__ = ["PAIRING", "evaluate"]

# More values than this without a name may well be numbers of objects.
_MANY_CLASSES = 5

_WAYS = "use --labels DIR, with or without --label-names, or --manifest FILE with --dataset-dir DIR"


def evaluate(  # noqa: PLR0913 - one argument an option
    predictions: Annotated[
        Path, typer.Argument(help="Folder of predicted labels: .nii.gz, DICOM SEG or pictures.")
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
        typer.Option(
            help="With --labels: names of the label values, from 0, the background: "
            "'background,lung' (default: those in summary.json)."
        ),
    ] = "",
    label_kind: Annotated[
        LabelKind | None,
        typer.Option(
            help="With --labels: what they contain, as for medseg data manifest: values of "
            "classes, numbered instances of one class, or an 8-bit mask (default: what the "
            "summary.json beside the predictions says, else classes)."
        ),
    ] = None,
    rois: Annotated[
        list[str] | None,
        typer.Option(
            help="With --labels in DICOM (SEG, RTSTRUCT): a pattern of names in them and the class "
            "that they are, 'GTV*=tumour'; repeatable."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="With --labels: folder of the images, to draw the worst cases on, and for the "
            "voxels of contours."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help=f"Folder for {', '.join(SCORE_FILES)}, and pictures of the worst cases.",
        ),
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
    from medseg.reports.worst_cases import draw_worst

    columns = chosen_metrics(metrics) if metrics else None
    criteria = Criteria(tolerance_mm=tolerance_mm, lesion_overlap=lesion_overlap)
    task = References(
        labels=labels,
        manifest=manifest,
        dataset_dir=dataset_dir,
        split=split,
        fold=fold,
        label_names=tuple(part.strip() for part in label_names.split(",")) if label_names else (),
        label_kind=label_kind,
        images=images,
        rois=parse_rois(rois),
    ).task(predictions)
    if output is not None:
        _refuse_existing(output, overwrite=overwrite)
    if dry_run:
        _print_pairs(task)
        return
    evaluation = score_pairs(
        task.name,
        task.pairs,
        task.class_names,
        criteria,
        label_kind=task.label_kind,
        predicted_kind=task.predicted_kind,
        failing=_trace_of(sys.argv),
    )
    if output is not None:
        with locked(output / LOCK, what=str(output)):
            # Another evaluation may have ended there meanwhile.
            _refuse_existing(output, overwrite=overwrite)
            write_scores(evaluation, output, columns or DEFAULT_METRICS)
            draw_worst(evaluation, _origin(task), output)
    _print_notes(task, *_unnamed_note(task, evaluation))
    if as_json:
        typer.echo(scores_json(evaluation), nl=False)
    else:
        print_scores(evaluation, Console(highlight=False, markup=False, emoji=False), columns)
    raise typer.Exit(ExitCode.SOME_CASES_FAILED if evaluation.failed else ExitCode.DONE)


def _trace_of(words: Sequence[str]) -> Callable[[Exception], None] | None:
    return traceback.print_exception if "--debug" in words else None


def _origin(task: Task) -> "Origin":
    from medseg.reports.worst_cases import Origin

    return Origin(
        pairs=task.pairs,
        class_names=task.class_names,
        label_kind=task.label_kind,
        predicted_kind=task.predicted_kind,
        images=task.images,
        modality=task.modality,
    )


def _refuse_existing(output: Path, *, overwrite: bool) -> None:
    for name in (*SCORE_FILES, *WORST_FILES):
        if (output / name).exists() and not overwrite:
            raise UsageError(f"{output / name} already exists; use --overwrite or another -o")


def _print_pairs(task: Task) -> None:
    """Print the files of each case, and what reading them finds.

    Raises:
        Exit: With the code that scoring would have.
    """
    from medseg.reports.scoring import read_pairs

    failed, found = read_pairs(
        task.pairs, task.class_names, task.label_kind, predicted_kind=task.predicted_kind
    )
    for pair in task.pairs:
        say(f"{pair.case}: {pair.prediction or 'no prediction'}, {pair.reference}")
    _print_notes(task, *warning_lines(found))
    for reason in failed.values():
        say(f"failed: {reason}", to="errors")
    if failed:
        every = len(failed) == len(task.pairs)
        raise typer.Exit(ExitCode.DATA if every else ExitCode.SOME_CASES_FAILED)


def _unnamed_note(task: Task, evaluation: "Evaluation") -> tuple[str, ...]:
    """Numbers of objects taken for classes have scores near 0, and nothing else shows it."""
    classes = len(next(iter(evaluation.scores.values())))
    if task.class_names is not None or classes <= _MANY_CLASSES:
        return ()
    what = f"{classes} values without a name were scored as classes"
    return (f"{what}; if they number objects, use --label-kind instances",)


def _print_notes(task: Task, *more: str) -> None:
    for note in (*task.notes, *more):
        say(f"warning: {note}", to="errors")
