"""Random splits of a data set: 80 % for training and 20 % held out, anew for each seed."""

import math

import numpy as np

from medseg.data.manifest import Case, Manifest

__all__ = ["HELD_OUT", "random_split"]

# Fold of the cases that are held out; the others have the next.
HELD_OUT = 0
_SHARE = 0.2


def random_split(manifest: Manifest, seed: int) -> Manifest:
    """The data set with all cases, test cases too, split anew at random.

    A patient stays whole, and each group, such as a tissue class, is split by itself, so that all
    groups are held out in the same share.

    Args:
        manifest: The data set.
        seed: The same seed gives the same split.
    """
    homes: dict[str, str] = {}
    for case in manifest.cases:
        homes.setdefault(case.patient, case.group or "")
    held_out: set[str] = set()
    generator = np.random.default_rng(seed)
    for group in sorted(set(homes.values())):
        patients = sorted(patient for patient, home in homes.items() if home == group)
        # Not of a patient alone: nothing would be left to train on.
        most = math.ceil(_SHARE * len(patients)) if len(patients) > 1 else 0
        held_out |= {patients[place] for place in generator.permutation(len(patients))[:most]}
    cases = tuple(_dealt(case, case.patient in held_out) for case in manifest.cases)
    return manifest.model_copy(update={"training": cases, "test": ()})


def _dealt(case: Case, is_held_out: bool) -> Case:  # noqa: FBT001 - private
    return case.model_copy(update={"fold": HELD_OUT if is_held_out else HELD_OUT + 1})
