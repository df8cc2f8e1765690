"""Training and validation data sets, built from `Control`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from medseg.data.cases.chance import flat_steps
from medseg.data.cases.dataset import CaseDataset
from medseg.errors import UsageError
from medseg.training.control import Control
from medseg.transforms.class_voxels import ClassVoxelsd
from medseg.transforms.rand_warp_patch import RandWarpPatchd

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
        UsageError: If there is no case, `case_weights` has not one number for each, preparation
            and augmentation are mixed up, or patches are to lie around foreground voxels that the
            preparation does not list.
        DataError: If a case cannot be prepared.
        MachineError: If there is no room for the cache.
    """
    _require_class_voxels(preparation, augmentation)
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


def _require_class_voxels(preparation: Transform, augmentation: Transform) -> None:
    """Refuse patches around foreground voxels that are not listed, before any case is read."""
    warps = [step for step in flat_steps(augmentation) if isinstance(step, RandWarpPatchd)]
    wanted = [warp.centres.foreground for warp in warps if warp.centres.foreground > 0]
    if not wanted:
        return
    steps = flat_steps(preparation)
    lists = [place for place, step in enumerate(steps) if isinstance(step, ClassVoxelsd)]
    if not lists:
        raise UsageError(
            f"centres.foreground is {wanted[0]:g}, but the preparation lists no voxels to lie "
            "around; add {_target_: medseg.transforms.ClassVoxelsd, keys: label} to label_steps, "
            "or set centres.foreground to 0 for patches anywhere"
        )
    label = cast("ClassVoxelsd", steps[lists[-1]]).keys[0]
    for step in steps[lists[-1] + 1 :]:
        if label in getattr(step, "keys", ()):
            raise UsageError(
                f"label_steps: {type(step).__name__} changes {label} after ClassVoxelsd has listed "
                "its voxels; put ClassVoxelsd last"
            )
