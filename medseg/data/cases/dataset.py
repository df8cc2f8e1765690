"""The data set of a training: cases prepared once, and augmented anew at each draw.

MONAI's `CacheDataset` keeps 32 bits a voxel in memory and lets each worker draw its chance as
it goes, so that a sample depends on how many there are. Here a case takes 5 bytes for image,
label and weight together, waits in memory or on disk, and each sample is a function of the
seed and the number of its draw.

Published trainings often augment a data set once and train on the copies. So a case may have
a fixed number of augmented versions, which are made when they are asked for, the same each time,
and take no room.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from medseg._checks import require_choice, require_whole_number
from medseg.data.cases.cache import Cache, fill_cache
from medseg.data.cases.chance import flat_steps, start_steps
from medseg.data.cases.draws import Draw
from medseg.data.cases.packed import VOLUMES, Packed, case_name
from medseg.data.cases.preparing import Preparation
from medseg.data.cases.quarantine import Quarantine
from medseg.data.nested import arrays_in
from medseg.errors import UsageError, unwrap_user_error

__all__ = ["CaseDataset"]

Sample = Any


class CaseDataset:
    """Samples of cases, for a `DataLoader` with `RandomDraws` or in order.

    Items are asked for by `Draw`, or by a plain index, which is then the number of the draw as
    well. With augmentation, the packed case (see `medseg.data.cases.packed.pack_case`) is handed to
    it: read-only arrays from memory, `DiskArray` from disk, of which it reads what it needs.
    Without, whole volumes come out, image and weight in 32-bit floating point. Of n stored
    augmentations, a draw gets the one of its number modulo n.

    Workers that are forked share a memory cache; where they are spawned (Windows, macOS) each
    gets a copy, so there, and for several processes on one machine, take a disk cache.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each choice
        self,
        cases: Sequence[Mapping[str, Any]],
        preparation: Preparation,
        augmentation: Callable[[Packed], Sample] | None = None,
        *,
        cache: Cache = "memory",
        cache_dir: str | Path | None = None,
        seed: int = 0,
        quarantine_share: float = 0.0,
        stored_augmentations: int | None = None,
        original: Callable[[Packed], Sample] | None = None,
    ) -> None:
        """Check the arguments and prepare the cases; the first step of that tells what it takes.

        Args:
            cases: A dictionary a case with `image`, and what else the preparation wants.
            preparation: The recipe's preprocessing: the same for the same case, always.
            augmentation: A MONAI `Compose` of random transforms, or another callable with
                `set_random_state(state=...)`.
            cache: Where prepared cases are kept.
            cache_dir: Folder of a disk cache: by default `$MEDSEG_CACHE`, or `~/.cache/medseg`.
            seed: Chooses all randomness, together with the number of the draw.
            quarantine_share: Of the cases that may break after the start, see `Quarantine`.
            stored_augmentations: How many versions of each case augmentation makes; none makes
                a new one at each draw.
            original: What makes one version more, after these: the case as it is, in the shape
                that augmentation gives, such as a patch of it.

        Raises:
            UsageError: If an argument cannot be used.
            DataError: If a prepared case cannot be kept.
            MachineError: If there is no room for the cache.
        """
        _check(cases, preparation, augmentation, cache)
        _check_versions(augmentation, stored_augmentations, original)
        self._length = len(cases)
        self._augmentation = augmentation
        self._stored = stored_augmentations
        self._original = original
        self._seed = require_whole_number("seed", seed, at_least=0)
        folder = None if cache_dir is None else Path(cache_dir)
        self._quarantine = Quarantine([case_name(case) for case in cases], quarantine_share)
        self._cases = fill_cache(cache, cases, preparation, folder)

    def __len__(self) -> int:
        """Number of cases."""
        return self._length

    def __getitem__(self, draw: Draw | int) -> Sample:
        """The sample of a draw; the same for the same draw, in any process.

        Raises:
            DataError: If a case's file broke, and no more may.
            MedsegError: Whatever else of the user's a step met, such as a wrong value.
        """
        index, number = draw if isinstance(draw, tuple) else (draw, draw)
        if not 0 <= index < self._length:
            raise IndexError(f"there are {self._length} cases, got index {index}")
        # A loader's worker hands on the text of an error and its class, not its causes.
        with unwrap_user_error():
            return self._quarantine.sample(index, lambda healthy: self._sample(healthy, number))

    def _sample(self, index: int, number: int) -> Sample:
        case = self._cases[index]
        if self._augmentation is None:
            return _whole(case)
        maker, chance = self._augmentation, [self._seed, number]
        if self._stored is not None:
            version = number % (self._stored + (self._original is not None))
            chance = [self._seed, index, version]
            if self._original is not None and version == self._stored:
                maker = self._original
        start_steps(maker, chance)
        return maker(dict(case))


def _whole(case: Packed) -> Packed:
    """A case as it is scored: whole volumes, and of the rest what can be put into batches."""
    volumes = {key: np.array(case[key][...]) for key in VOLUMES if key in case}
    types = {"u1": np.uint8, "u2": np.int32}
    whole = {
        key: volume.astype(types.get(volume.dtype.str[1:], np.float32))
        for key, volume in volumes.items()
    }
    # Lists of voxels differ in length from case to case.
    rest = {key: value for key, value in case.items() if not any(True for _ in arrays_in(value))}
    return {**rest, **whole}


def _check(cases: object, preparation: object, augmentation: object, cache: object) -> None:
    if not isinstance(cases, Sequence) or not cases:
        raise UsageError("cases must list at least one case")
    require_choice("cache", cache, get_args(Cache))
    if not callable(preparation):
        raise UsageError(f"preparation must be callable, got {type(preparation).__name__}")
    random = next((step for step in flat_steps(preparation) if hasattr(step, "R")), None)
    if random is not None:
        raise UsageError(
            f"preparation must be the same each time, and {type(random).__name__} is random; "
            "move it to augmentation"
        )
    if augmentation is not None and not hasattr(augmentation, "set_random_state"):
        raise UsageError("augmentation must have set_random_state, as monai's Compose has")


def _check_versions(augmentation: object, stored: int | None, original: object) -> None:
    if stored is not None:
        require_whole_number("stored_augmentations", stored, at_least=1)
        if augmentation is None:
            raise UsageError("stored_augmentations need an augmentation that makes them")
    if original is not None:
        if stored is None:
            raise UsageError(
                "original is one version beside stored_augmentations; give their number"
            )
        if not hasattr(original, "set_random_state"):
            raise UsageError("original must have set_random_state, as monai's Compose has")
