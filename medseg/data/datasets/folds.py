"""Cross-validation folds: reproducible assignment of patients, never of single images.

Patients are ordered by a hash of seed and name. Unlike a random number generator, whose stream may
change with a version, this stays the same for ever, whatever the order of the input.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from medseg._checks import require_whole_number
from medseg.errors import UsageError

__all__ = ["deal_folds", "deal_groups", "shuffled_patients", "spread_patients"]


def deal_folds(patients: Iterable[str], n: int, *, seed: int = 0) -> dict[str, int]:
    """Assign each patient to a fold.

    Args:
        patients: Names; repeated ones count once.
        n: Number of folds, at least 2.
        seed: Random seed of the assignment.

    Returns:
        Fold in [0, n) by patient, sorted by patient; fold sizes differ by at most one.

    Raises:
        UsageError: If there are fewer patients than folds, or fewer than two folds.
    """
    return _dealt(shuffled_patients(patients, seed=seed), n)


def deal_groups(order: Sequence[str], groups: Mapping[str, str], n: int) -> dict[str, int]:
    """Assign each patient to a fold, so that each fold has its share of each group.

    Args:
        order: Distinct patients, shuffled.
        groups: Group of each patient.
        n: Number of folds, at least 2.

    Returns:
        As `deal_folds`; numbers of a group's patients in two folds differ by at most one.

    Raises:
        UsageError: As `deal_folds`.
    """
    return _dealt(sorted(order, key=lambda patient: groups[patient]), n)


def _dealt(order: Sequence[str], n: int) -> dict[str, int]:
    # One is held out for validation.
    require_whole_number("folds", n, at_least=2)
    if len(order) < n:
        raise UsageError(f"{n} folds need {n} patients, got {len(order)}; give fewer folds")
    return dict(sorted((patient, i % n) for i, patient in enumerate(order)))


def shuffled_patients(patients: Iterable[str], *, seed: int = 0) -> list[str]:
    """The distinct patients in an order that depends only on their names and the seed."""
    return sorted(
        set(patients), key=lambda patient: hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    )


def spread_patients(order: Sequence[str], groups: Mapping[str, str]) -> list[str]:
    """The same patients with each group spread evenly, so that any stretch has its share of all.

    Args:
        order: Distinct patients; those of a group stay in this order.
        groups: Group of each patient.
    """
    sizes = Counter(groups[patient] for patient in order)
    seen = Counter[str]()
    places: dict[str, float] = {}
    for patient in order:
        group = groups[patient]
        places[patient] = (seen[group] + 0.5) / sizes[group]
        seen[group] += 1
    return sorted(order, key=lambda patient: places[patient])
