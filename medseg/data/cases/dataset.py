"""Training data set: cases prepared once and cached, augmented anew at each draw.

MONAI's `CacheDataset` keeps 32 bits per voxel in memory, and each worker has a random state of its
own, so that a sample depends on the number of workers. Here a voxel takes 5 bytes for image, label
and weight together, in memory or on disk, and each sample is a function of the seed and the number
of its draw.

Published trainings often augment a data set once and train on the copies. So a case may have a
fixed number of augmented versions, computed on demand, the same each time, and not stored.
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

    Items are indexed by `Draw`, or by a plain index, which is then also the number of the draw.
    Augmentation gets the packed case (see `medseg.data.cases.packed.pack_case`): read-only arrays
    from memory, or `DiskArray` from disk, of which it reads only what it needs. Without
    augmentation, items are whole volumes, image and weight as float32. With n stored
    augmentations, a draw gets the version of its number modulo n.

    Forked workers share a memory cache; spawned ones (Windows, macOS) each get a copy, so there,
    and for several processes on one machine, use a disk cache.
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
        """Check the arguments, log the expected size of the cache, and prepare the cases.

        Args:
            cases: One dictionary per case, with `image` and the other inputs of the preparation.
            preparation: The recipe's preprocessing, deterministic.
            augmentation: A MONAI `Compose` of random transforms, or another callable with
                `set_random_state(state=...)`.
            cache: Where prepared cases are kept.
            cache_dir: Folder of a disk cache: by default `$MEDSEG_CACHE`, or `~/.cache/medseg`.
            seed: Determines all random numbers, together with the number of the draw.
            quarantine_share: Fraction of the cases that may break during training, see
                `Quarantine`.
            stored_augmentations: Number of augmented versions per case; None makes a new one at
                each draw.
            original: Makes one more version, after these: the case without augmentation, in the
                same shape, such as a patch of it.

        Raises:
            UsageError: If an argument cannot be used.
            DataError: If a prepared case cannot be packed.
            MachineError: If the cache does not fit into memory or on the disk.
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
            DataError: If a case cannot be read any more, and `quarantine_share` is used up.
            MedsegError: For any other error of a step, such as a wrong value.
        """
        index, number = draw if isinstance(draw, tuple) else (draw, draw)
        if not 0 <= index < self._length:
            raise IndexError(f"there are {self._length} cases, got index {index}")
        # A loader's worker passes on the text and class of an error, but not its causes.
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
    """A case for validation: whole volumes, and the other entries that can be collated."""
    volumes = {key: np.array(case[key][...]) for key in VOLUMES if key in case}
    types = {"u1": np.uint8, "u2": np.int32}
    whole = {
        key: volume.astype(types.get(volume.dtype.str[1:], np.float32))
        for key, volume in volumes.items()
    }
    # Entries with arrays, such as lists of voxels, differ in length and cannot be collated.
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
