"""Length of the training: batch, rate, epochs and validations, from measured seconds and a budget.

The schedule takes the rate to zero over all iterations, and a training that a time limit ends early
never gets there. So the limit is not left to the training: epochs are planned from real steps.
"""

from dataclasses import dataclass, replace

from medseg.planning.fingerprint.set_facts import SetFacts
from medseg.planning.rules.choice import Choice

__all__ = ["Length", "Pace", "draws", "length_within", "training_choices"]

EPOCH = 50
VALIDATIONS, FEWEST_VALIDATIONS = 10, 2
# Of the training, for validations.
SHARE = 0.25
# Of the budget, for what a forecast does not see.
KEPT = 0.93
MOST_STEPS = 20_000
FEWEST_STEPS = 100
# The largest group beside the smallest, before draws are balanced.
UNEVEN = 2.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds measured on this machine: from real steps of the bundle's own training.

    Attributes:
        step: Of one step, a batch and its augmentation.
        prepare: Of one case, read, checked and prepared once.
        validation: Of one case of a validation.
        validating: Of one validation beside its cases: scores, pictures, weights.
        start: Until the first case is read.
        case_bytes: Of one prepared case in memory.
        base_bytes: Peak memory with the few cases of the trial.
        trial_cases: How many those were.
        voxels: Mean of their images as prepared.
    """

    step: float
    prepare: float
    validation: float
    validating: float
    start: float
    case_bytes: float
    base_bytes: float
    trial_cases: int
    voxels: float

    def of_images(self, voxels: float) -> "Pace":
        """The pace of cases of another mean size, with which what is done a case goes."""
        factor = voxels / self.voxels
        return replace(
            self,
            prepare=self.prepare * factor,
            validation=self.validation * factor,
            case_bytes=self.case_bytes * factor,
            voxels=voxels,
        )


@dataclass(frozen=True, kw_only=True)
class Length:
    """Steps, and how they are divided."""

    epochs: int
    iterations: int
    val_interval: int

    @property
    def steps(self) -> int:
        """All steps of the training."""
        return self.epochs * self.iterations

    @property
    def validations(self) -> int:
        """How often whole cases are validated."""
        return self.epochs // self.val_interval


def length_within(pace: Pace, minutes: float, cases: int, val_cases: int) -> Length | None:
    """The longest training that ends within so many minutes; None if even the shortest does not.

    Args:
        pace: Measured.
        minutes: For all of `medseg train`, from its start to its end.
        cases: That are prepared: of training and validation.
        val_cases: Of a validation.
    """
    seconds = 60 * minutes * KEPT - pace.start - pace.prepare * cases
    once = max(pace.validation * val_cases + pace.validating, 1e-6)
    validations = max(FEWEST_VALIDATIONS, min(VALIDATIONS, int(SHARE * seconds / once)))
    steps = int((seconds - validations * once) / max(pace.step, 1e-6))
    if steps < FEWEST_STEPS:
        return None
    return divided(min(steps, MOST_STEPS), validations)


def divided(steps: int, validations: int) -> Length:
    """So many steps in epochs of fifty, fewer if there would be fewer than ten epochs."""
    iterations = min(EPOCH, max(1, steps // VALIDATIONS))
    epochs = max(1, steps // iterations)
    interval = max(1, epochs // validations)
    # The last epoch is validated: its weights have seen the rate at zero.
    epochs = max(interval, epochs // interval * interval)
    return Length(epochs=epochs, iterations=iterations, val_interval=interval)


def training_choices(facts: SetFacts, length: Length, batch: int, told: str) -> list[Choice]:
    """The keys of the training.

    Args:
        facts: Of the data set.
        length: Planned.
        batch: Patches in a batch.
        told: The forecast in a line, as evidence.
    """
    rate = 0.002 if facts.axes == 3 else 0.001
    values = {
        "epochs": length.epochs,
        "iterations_per_epoch": length.iterations,
        "batch_size": batch,
        "learning_rate": rate,
        "schedule": "polynomial",
        "early_stop_patience": None,
        "max_minutes": None,
        "val_interval": length.val_interval,
    }
    known = _KNOWN[facts.axes]
    return [
        Choice(
            key=key,
            value=value,
            why=_WHY[key][0],
            evidence=known if key == "learning_rate" else told,
            changes=_WHY[key][1],
        )
        for key, value in values.items()
    ]


def draws(facts: SetFacts) -> list[Choice]:
    """How often cases of each group are drawn; none if groups are alike in size, or not known."""
    sizes = facts.groups
    if len(sizes) < 2 or max(sizes.values()) < UNEVEN * min(sizes.values()):
        return []
    target = "medseg.data.balanced_weights"
    return [
        Choice(
            key="control#case_weights",
            value={"_target_": target, "cases": "@train_cases", "groups": "root"},
            why=(
                "rare groups are drawn more often, by the root of their size: all alike would show "
                "the few cases of the rarest again and again"
            ),
            evidence=", ".join(f"{count} {group}" for group, count in sizes.items()),
            changes="groups of about the same size; groups: equal; or null, all cases alike",
        )
    ]


_KNOWN = {
    2: "0.001 trains ebhi_histology_unet2d",
    3: "0.002 brings hippocampus_mri_unet3d to a DSC of 0.889",
}
# Why, and what would change it.
_WHY = {
    "epochs": ("as many as the budget holds, so that the rate reaches zero in it", "more minutes"),
    "iterations_per_epoch": (
        "a unit to report in: an epoch is no pass over the cases",
        "fewer than 500 steps in all",
    ),
    "batch_size": (
        "many small steps teach more than few large ones in the same time",
        "a GPU with memory to spare",
    ),
    "learning_rate": (
        "Adam's, at its height, as in a shipped bundle of as many axes",
        "a loss that jumps: halve it",
    ),
    "schedule": ("falls to zero with the last step", "a training of unknown length: plateau"),
    "early_stop_patience": (
        "never: the last and smallest steps are the best ones",
        "a plateau schedule",
    ),
    "max_minutes": (
        "none, as it would end the training before the rate is zero; the epochs end in time",
        "a machine that others use as well",
    ),
    "val_interval": (
        f"{VALIDATIONS} validations, or as many as a quarter of the time holds",
        "faster validation",
    ),
}
