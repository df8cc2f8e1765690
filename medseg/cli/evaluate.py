"""`medseg evaluate`: how good a folder of predictions is, case by case and class by class."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from medseg._files import write_atomically
from medseg.cli.evaluate_pairs import (
    PAIRING,
    EvaluationSplit,
    Pair,
    pairs_by_manifest,
    pairs_by_name,
)
from medseg.data.intake import GRID_TOLERANCE_MM, count_values, grid_problems
from medseg.data.manifest import load_manifest
from medseg.data.volume import Volume, read_volume
from medseg.errors import DataError, ExitCode, UsageError
from medseg.metrics import ClassScores, absent_scores, label_scores
from medseg.reports.tables import Evaluation, print_scores, scores_csv, scores_json

__all__ = ["PAIRING", "evaluate"]

_UNNAMED = "label "
# With more values than this a file is an image.
_MOST_LABELS = 1000


def evaluate(  # noqa: PLR0913 - one argument an option
    predictions: Annotated[Path, typer.Argument(help="A folder of label files, .nii.gz.")],
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
        typer.Option("--output", "-o", help="Folder for scores.csv and scores.json."),
    ] = None,
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
    """Score predictions against references: DSC, IoU, precision, recall, HD95, volumes.

    A structure that was missed or invented counts as DSC 0, one that is in neither as 1.

    medseg evaluate labels --manifest data_manifests/covid19_ct_seg.json --dataset-dir data
    """
    class_names = [part.strip() for part in label_names.split(",")] if label_names else None
    if labels is not None and manifest is None and dataset_dir is None:
        name, pairs = labels.name, pairs_by_name(labels, predictions)
    elif labels is None and manifest is not None and dataset_dir is not None and not label_names:
        known = load_manifest(manifest)
        pairs = pairs_by_manifest(known, dataset_dir, predictions, split=split, fold=fold)
        name, class_names = f"{known.name} {_place(split, fold)}", known.class_names
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
    evaluation = _evaluation(name, pairs, class_names)
    if output is not None:
        write_atomically(output / "scores.csv", lambda path: scores_csv(evaluation, path))
        text = scores_json(evaluation)
        write_atomically(output / "scores.json", lambda path: path.write_text(text, "utf-8"))
    if as_json:
        typer.echo(scores_json(evaluation), nl=False)
    else:
        print_scores(evaluation, Console(highlight=False, markup=False, emoji=False))
    if evaluation.failed:
        raise typer.Exit(ExitCode.SOME_CASES_FAILED)


def _place(split: EvaluationSplit, fold: int) -> str:
    return f"{split}, fold {fold}" if split in ("validation", "training") else split


def _refuse_existing(output: Path) -> None:
    for name in ("scores.csv", "scores.json"):
        if (output / name).exists():
            raise UsageError(f"{output / name}: is there already; give --overwrite or another -o")


def _print_pairs(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        typer.echo(f"{pair.case}: {pair.prediction or 'no prediction'}, {pair.reference}")


def _evaluation(name: str, pairs: Sequence[Pair], class_names: list[str] | None) -> Evaluation:
    scores: dict[str, list[ClassScores]] = {}
    failed: dict[str, str] = {}
    console = Console(stderr=True)
    for pair in track(
        pairs, "scoring", console=console, transient=True, disable=not console.is_terminal
    ):
        try:
            scores[pair.case] = _score(pair, class_names)
        except DataError as error:
            failed[pair.case] = f"{pair.case}: {error}"
    if not scores:
        reason = next(iter(failed.values()))
        raise DataError(f"none of {len(failed)} cases could be scored; {reason}")
    if class_names is None:
        scores = _with_absent_classes(scores)
    return Evaluation(name=name, scores=scores, failed=failed)


def _score(pair: Pair, class_names: list[str] | None) -> list[ClassScores]:
    if pair.prediction is None:
        raise DataError(f"no prediction; it should be called {pair.expected}")
    reference, prediction = _read(pair.reference), _read(pair.prediction)
    _check_grid(reference, prediction)
    if class_names is None:
        class_names, reference, prediction = _named_by_value(reference, prediction)
    return label_scores(prediction.array, reference.array, class_names, reference.spacing_mm)


def _read(path: Path) -> Volume:
    volume = read_volume(path, where="label")
    if volume.array.dtype.kind in "iu":
        return volume
    # Some programs store labels as floating point.
    if not (np.isfinite(volume.array).all() and (volume.array == np.rint(volume.array)).all()):
        raise DataError(f"{path}: holds values that are not whole numbers; give a label file")
    return dataclasses.replace(volume, array=volume.array.astype(np.int32))


def _check_grid(reference: Volume, prediction: Volume) -> None:
    if reference.shape != prediction.shape:
        raise DataError(
            f"the prediction's shape {prediction.shape} is not the reference's "
            f"{reference.shape}; predict on the image that the reference was drawn on"
        )
    if grid_problems(reference, prediction):
        raise DataError(
            f"prediction and reference lie more than {GRID_TOLERANCE_MM} mm apart in space; "
            "predict on the image that the reference was drawn on, or mend the affine"
        )


def _named_by_value(reference: Volume, prediction: Volume) -> tuple[list[str], Volume, Volume]:
    """Names for the values that occur, and both labels as places in that list."""
    found = count_values(reference.array).keys() | count_values(prediction.array).keys()
    values = sorted({0, *(int(value) for value in found)})
    if values[0] < 0 or len(values) > _MOST_LABELS:
        raise DataError(f"{len(values)} values from {values[0]}; give label files, not images")
    reference, prediction = (
        dataclasses.replace(volume, array=np.searchsorted(values, volume.array).astype(np.uint16))
        for volume in (reference, prediction)
    )
    return [f"{_UNNAMED}{value}" for value in values], reference, prediction


def _with_absent_classes(
    scores: Mapping[str, Sequence[ClassScores]],
) -> dict[str, list[ClassScores]]:
    """Every case with the classes of all: what a case does not hold is absent there."""
    names = {one.name for classes in scores.values() for one in classes}
    if not names:
        raise DataError("no label has a value but 0; there is nothing to score")
    ordered = sorted(names, key=lambda name: int(name.removeprefix(_UNNAMED)))
    return {
        case: [
            {one.name: one for one in classes}.get(name) or absent_scores(name) for name in ordered
        ]
        for case, classes in scores.items()
    }
