"""Random sampler of cases, resumable, which numbers the draws of a training.

Augmentation is seeded by the number: it counts the draws of the whole training, over all epochs
and processes. So a sample does not depend on which worker makes it, no two samples of a training
share their random numbers, and a resumed training continues with the same draws.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medseg._checks import require_weights, require_whole_number
from medseg.errors import UsageError

__all__ = ["Draw", "RandomDraws"]


class Draw(NamedTuple):
    """One draw of a case.

    Attributes:
        index: Index of the case.
        number: Number of the draw, from 0, unique in a training.
    """

    index: int  # pyright: ignore[reportIncompatibleMethodOverride] - hides tuple.index
    number: int


class RandomDraws:
    """A random, resumable sampler of cases for a `DataLoader`.

    Without weights, cases are drawn without replacement, in shuffled passes that may reach into
    the next epoch: each case once before any comes again. With weights, draws are independent. The
    draws of an epoch depend only on the arguments and the number of the epoch.

    Each `iter()` begins the next epoch; after `load_state_dict`, the first one finishes the
    interrupted epoch. The state counts the draws handed out: a loader with workers prefetches some
    batches, so that it equals the training's own count only at the end of an epoch. Within one,
    save `{"next_number": n}` with the n that the training has reached.
    """

    def __init__(
        self,
        dataset_length: int,
        draws_per_epoch: int,
        seed: int,
        weights: Sequence[float] | None = None,
        *,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Check the arguments.

        Args:
            dataset_length: Number of cases.
            draws_per_epoch: Draws of this process per epoch.
            seed: The same for all processes of a training.
            weights: Relative frequency of each case; None draws all equally often.
            rank: Rank of this process; each gets draws of its own.
            world_size: Number of processes.

        Raises:
            UsageError: If a number is too small or the weights do not fit.
        """
        self._length = require_whole_number("dataset_length", dataset_length, at_least=1)
        self._draws = require_whole_number("draws_per_epoch", draws_per_epoch, at_least=1)
        self._seed = require_whole_number("seed", seed, at_least=0)
        self._world = require_whole_number("world_size", world_size, at_least=1)
        self._rank = require_whole_number("rank", rank, at_least=0)
        if self._rank >= self._world:
            raise UsageError(f"rank must be below world_size {world_size}, got {rank}")
        self._chances = None if weights is None else _chances(weights, dataset_length)
        self._next = 0
        self._resumed = False

    @property
    def draws_per_epoch(self) -> int:
        """Draws of this process in a whole epoch."""
        return self._draws

    def __len__(self) -> int:
        """Number of draws that the next `iter()` yields."""
        return len(range(self._first() + self._rank, self._end(), self._world))

    def __iter__(self) -> Iterator[Draw]:
        """Yield the draws of the next epoch, or the rest of an interrupted one."""
        first, end = self._first(), self._end()
        self._resumed = False
        cases = self._cases(first // self._per_epoch)
        for number in range(first + self._rank, end, self._world):
            # Before the yield: a consumer that stops early never returns here.
            self._next = min(number - self._rank + self._world, end)
            yield Draw(int(cases[number % self._per_epoch]), number)

    def state_dict(self) -> dict[str, int]:
        """Number of the next draw, over all processes."""
        return {"next_number": self._next}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Resume from a state: the same draws follow as without the interruption.

        Raises:
            UsageError: If the state is not one of this class.
        """
        if set(state) != {"next_number"}:
            raise UsageError(f"RandomDraws: the state must be next_number, got {sorted(state)}")
        self._next = require_whole_number("next_number", state["next_number"], at_least=0)
        self._resumed = True

    @property
    def _per_epoch(self) -> int:
        return self._draws * self._world

    def _first(self) -> int:
        """First draw of the next epoch, or the next one of an interrupted epoch."""
        return self._next if self._resumed else -(-self._next // self._per_epoch) * self._per_epoch

    def _end(self) -> int:
        return (self._first() // self._per_epoch + 1) * self._per_epoch

    def _cases(self, epoch: int) -> NDArray[np.int64]:
        """The case of each draw of an epoch, in order."""
        if self._chances is not None:
            rng = np.random.default_rng([self._seed, epoch])
            return rng.choice(self._length, self._per_epoch, p=self._chances)
        start = epoch * self._per_epoch
        passes = range(start // self._length, (start + self._per_epoch - 1) // self._length + 1)
        cases = np.concatenate([self._pass(number) for number in passes])
        skipped = start - passes[0] * self._length
        return cases[skipped : skipped + self._per_epoch]

    def _pass(self, number: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, number]).permutation(self._length)


def _chances(weights: Sequence[float], length: int) -> NDArray[np.float64]:
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (length,):
        raise UsageError(
            f"weights must be one number for each of {length} cases, got shape {array.shape}"
        )
    require_weights("weights", array.tolist())
    return array / array.sum()
