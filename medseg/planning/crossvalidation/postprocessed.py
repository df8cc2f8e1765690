"""Out-of-fold labels after postprocessing that was chosen without their fold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medseg.data.images.picture import Picture, read_image
from medseg.inference.kept_parts import PartRule, keep_parts, unit_size
from medseg.inference.save import save_label
from medseg.planning.crossvalidation.part_choice import ClassFinding
from medseg.reports.pairing import EvaluationCase

__all__ = ["postprocessed_pairs"]


def postprocessed_pairs(
    folds: Mapping[int, Sequence[EvaluationCase]],
    findings: Sequence[ClassFinding],
    class_names: Sequence[str],
    folder: Path,
) -> list[EvaluationCase] | None:
    """Write the labels of all folds again, each by the rules that the other folds chose.

    Args:
        folds: References and predictions by fold.
        findings: Of each class.
        class_names: One for each value, the background's first.
        folder: Where the labels go.

    Returns:
        The pairs with these labels; None if no fold's rules remove anything.
    """
    pairs: list[EvaluationCase] = []
    names = list(class_names)
    for fold, cases in folds.items():
        chosen = {names.index(one.name): one.by_fold[fold] for one in findings}
        rules = {value: rule for value, rule in chosen.items() if rule is not None}
        pairs += [_written(pair, rules, folder) if rules else pair for pair in cases]
    changed = [one for one in findings if any(one.by_fold.values())]
    return pairs if changed else None


def _written(pair: EvaluationCase, rules: Mapping[int, PartRule], folder: Path) -> EvaluationCase:
    if not isinstance(pair.prediction, Path):  # a DICOM label is not one of ours
        return pair
    label = read_image(pair.prediction, where="label")
    array = label.array[:, :, 0] if isinstance(label, Picture) else label.array
    kept = keep_parts(array, rules, unit_size(label.affine, array.ndim))
    path = folder / pair.prediction.name
    save_label(path, kept, label.affine)
    return replace(pair, prediction=path)
