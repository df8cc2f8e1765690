"""Folds of a data set: refused where a cross-validation of them would say nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from medseg._checks import first_few
from medseg.data.datalists import case_label
from medseg.data.datasets.label_values import count_values
from medseg.data.images.picture import read_label
from medseg.data.label_kind import as_classes
from medseg.data.manifest import Case, Manifest
from medseg.errors import DataError, MedsegError

__all__ = ["fold_cases", "require_all_classes", "require_folds"]

_AGAIN = "deal the folds anew (medseg data manifest ... --folds 5)"


def fold_cases(manifest: Manifest, fold: int) -> list[Case]:
    """The cases that are held out in a fold."""
    return [case for case in manifest.training if case.fold == fold]


def require_folds(manifest: Manifest) -> tuple[int, ...]:
    """The folds of a data set, counted from 0; patients in two folds are the manifest's to refuse.

    Raises:
        DataError: If there are fewer than two, or one has no case with a label.
    """
    numbers = sorted({case.fold for case in manifest.training if case.fold is not None})
    if len(numbers) < 2:
        raise DataError(
            f"{manifest.name}: has {len(numbers)} fold{'' if len(numbers) == 1 else 's'}, and a "
            f"cross-validation needs at least 2; {_AGAIN}"
        )
    for fold in range(numbers[-1] + 1):
        cases = fold_cases(manifest, fold)
        if not cases:
            raise DataError(
                f"{manifest.name}: fold {fold} has no case; its folds are "
                f"{', '.join(map(str, numbers))}, and should count up from 0; {_AGAIN}"
            )
        if all(case.label is None for case in cases):
            raise DataError(
                f"{manifest.name}: fold {fold} has no case with a label, so nothing could be "
                f"scored; add labels, or {_AGAIN}"
            )
    return tuple(numbers)


def require_all_classes(manifest: Manifest, dataset_dir: Path) -> None:
    """Refuse folds of which one's training would see nothing of a class.

    Labels that cannot be read are left to the training, which tells what is wrong with them.

    Raises:
        DataError: For the first class; it names the fold.
    """
    where = _class_cases(manifest, dataset_dir)
    for value, name in enumerate(manifest.class_names[1:], start=1):
        cases = where.get(value, ())
        homes = {case.fold for case in cases}
        if not cases:
            raise DataError(
                f"{manifest.name}: {name} (value {value}) is in no label that is trained on; "
                "remove it from the manifest's labels, or correct the labels"
            )
        if len(homes) == 1 and None not in homes:
            (fold,) = homes
            held = first_few([case.case for case in cases], 3)
            raise DataError(
                f"{manifest.name}: {name} is in fold {fold} alone ({held}), so the network that is "
                f"trained without that fold would never see it; {_AGAIN}, with another --seed"
            )


def _class_cases(manifest: Manifest, dataset_dir: Path) -> Mapping[int, Sequence[Case]]:
    found: dict[int, list[Case]] = {}
    for case in manifest.training:
        if case.label is None:
            continue
        try:
            label = read_label(case_label(case, dataset_dir, manifest) or dataset_dir / case.label)
            counts = count_values(as_classes(label.array, manifest.label_kind))
        except (MedsegError, OSError):
            # Unknown, so that it may hold all.
            counts = dict.fromkeys(range(len(manifest.labels)), 1)
        for value in counts:
            if value == int(value):
                found.setdefault(int(value), []).append(case)
    return found
