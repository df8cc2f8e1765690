"""Training and validation data sets, built from `Control`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from medseg.data.cases.dataset import CaseDataset
from medseg.errors import UsageError
from medseg.training.control import Control

__all__ = ["training_dataset", "validation_dataset"]

Cases = Sequence[Mapping[str, Any]]
Transform = Callable[[Any], Any]


def training_dataset(
    data: Cases, *, preparation: Transform, augmentation: Transform, control: Control
) -> CaseDataset:
    """Training data set: cases preprocessed once and augmented at each draw.

    Args:
        data: One dictionary per case, with `image`, `label` and `case`.
        preparation: The recipe's preprocessing, the same each time.
        augmentation: The recipe's random transforms, which cut out the patches.
        control: `cache`, `cache_dir`, `seed`, `quarantine_share`, `stored_augmentations`.

    Raises:
        UsageError: If there is no case, `case_weights` has not one number for each, or preparation
            and augmentation are mixed up.
        DataError: If a case cannot be prepared.
        MachineError: If there is no room for the cache.
    """
    weights = control.case_weights
    if weights is not None and len(weights) != len(data):
        raise UsageError(
            f"case_weights must be one number for each of {len(data)} cases, got {len(weights)}"
        )
    return CaseDataset(
        data,
        preparation,
        augmentation,
        cache=control.cache,
        cache_dir=control.cache_dir,
        seed=control.seed,
        quarantine_share=control.quarantine_share,
        stored_augmentations=control.stored_augmentations,
    )


def validation_dataset(data: Cases, *, preparation: Transform, control: Control) -> CaseDataset:
    """Validation data set: whole preprocessed cases; arguments as for `training_dataset`."""
    return CaseDataset(data, preparation, cache=control.cache, cache_dir=control.cache_dir)
