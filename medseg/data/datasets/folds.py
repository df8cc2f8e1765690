"""Folds: dealing patients, never images, into equal parts that stay the same for ever.

The order is that of a hash of seed and patient. It needs no random number generator, whose
stream may change with a version, and no order of the input.
"""

import hashlib
from collections.abc import Iterable

from medseg._checks import require_whole_number
from medseg.errors import UsageError

__all__ = ["deal_folds", "shuffled_patients"]


def deal_folds(patients: Iterable[str], n: int, *, seed: int = 0) -> dict[str, int]:
    """Give each patient a fold.

    Args:
        patients: Names; repeated ones count once.
        n: Number of folds, at least 2.
        seed: Another seed deals otherwise.

    Returns:
        Fold in [0, n) by patient, sorted by patient; sizes differ by one at most.

    Raises:
        UsageError: If there are fewer patients than folds, or fewer than two folds.
    """
    order = shuffled_patients(patients, seed=seed)
    # One is held out for validation.
    require_whole_number("folds", n, at_least=2)
    if len(order) < n:
        raise UsageError(f"{n} folds need {n} patients, got {len(order)}; give fewer folds")
    return dict(sorted((patient, i % n) for i, patient in enumerate(order)))


def shuffled_patients(patients: Iterable[str], *, seed: int = 0) -> list[str]:
    """The distinct patients in an order that depends on their names and the seed only."""
    return sorted(
        set(patients), key=lambda patient: hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    )
