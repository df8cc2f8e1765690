"""Network, loss, optimiser and sampling: what a plan chooses of them beside the levels."""

import math
from typing import Any

from medseg.bundles.writing.draft import Cells
from medseg.planning.fingerprint.set_facts import SetFacts, at
from medseg.planning.rules.choice import Choice

__all__ = [
    "border_choices",
    "cell_choices",
    "centres",
    "class_weights",
    "first_width",
    "fixed_choices",
    "loss",
    "rare_classes",
]

# Of the labelled voxels; below it a class is drawn as often as the others all the same.
RARE = 0.1
# Of the image: labels that cover so much are in every patch.
COVERS = 0.4
# Of the image: as much background as objects, about.
EVEN = (1 / 3, 2 / 3)
# Share of objects that touch another before gaps between them are weighted.
TOUCH = 0.02


def rare_classes(facts: SetFacts) -> list[str]:
    """Names of classes that have few of the labelled voxels."""
    whole = sum(one.share for one in facts.classes) or 1.0
    return [one.name for one in facts.classes if one.share / whole < RARE]


def first_width(width: int, wide: str) -> Choice:
    """Feature channels at full resolution; `wide` says what decided."""
    return Choice(
        key="network_def#first_width",
        value=width,
        why="wide enough for small data, doubled at each level",
        evidence=wide,
        changes="more time or a GPU allows 32; less time takes 8",
    )


def loss(facts: SetFacts) -> tuple[dict[str, Any], list[Choice]]:
    """The loss, and reasons for its numbers."""
    if facts.label_kind == "instances":
        target = {"_target_": "medseg.losses.PixelWeightedCELoss"}
        return {"_target_": "medseg.training.WeightedLoss", "loss": target}, []
    smallest = min((one.share for one in facts.classes if one.cases), default=0.0)
    numbers = {"fp_weight": 0.5, "fn_weight": 0.5, "ce_weight": 1.0}
    why = {
        "fp_weight": "both 0.5: Dice, which is what is scored",
        "fn_weight": "both 0.5: Dice; a rare class is drawn more often instead",
        "ce_weight": "cross-entropy as well, which has a gradient where Dice has none",
    }
    choices = [
        Choice(
            key=f"loss#{key}",
            value=value,
            why=why[key],
            evidence=f"the rarest class has {smallest:.2%} of an image's voxels",
            changes="missed lesions that cost more than false ones: a larger loss#fn_weight",
        )
        for key, value in numbers.items()
    ]
    return {"_target_": "medseg.losses.TverskyCELoss", **numbers}, choices


def centres(facts: SetFacts, *, holds_the_image: bool) -> Choice:
    """Where patches lie."""
    share = 0.67
    why = "two patches in three centred on a class, each class equally often; the others anywhere"
    if holds_the_image or facts.covered > COVERS:
        share = 0.33
        why = "most patches anywhere, as each holds labels anyway"
    rare = rare_classes(facts)
    evidence = f"labels cover {facts.covered:.2%} of an image (median)"
    if rare:
        evidence += f"; rare among them: {', '.join(rare)}"
    return Choice(
        key="centres#foreground",
        value=share,
        why=why,
        evidence=evidence,
        changes=(
            f"labels that cover more than {COVERS:.0%} of an image, or a patch that holds all of it"
        ),
    )


def border_choices(facts: SetFacts) -> list[Choice]:
    """Weights of the gaps between numbered objects."""
    if facts.label_kind != "instances":
        none = "labels are classes: no gaps to weight"
        return [
            Choice(
                key="border_weight",
                value=0.0,
                why=none,
                evidence="label kind",
                changes="numbered objects",
            ),
            Choice(
                key="border_weight_px",
                value=5.0,
                why=none,
                evidence="label kind",
                changes="numbered objects",
            ),
        ]
    radius = _radius(facts, 50.0)
    touch = facts.touching >= TOUCH
    evidence = (
        f"{facts.touching:.0%} of the objects touch another; a median one has a radius of "
        f"{radius:.1f} pixels"
    )
    return [
        Choice(
            key="border_weight",
            value=10.0 if touch else 3.0,
            why="as published, where objects touch; less where few do",
            evidence=evidence,
            changes=f"fewer than {TOUCH:.0%} that touch",
        ),
        Choice(
            key="border_weight_px",
            value=float(min(5.0, max(1.5, round(radius / 4, 1)))),
            why="a quarter of the radius, at most the 5 pixels of the paper",
            evidence=evidence,
            changes="larger or smaller objects",
        ),
    ]


def class_weights(facts: SetFacts) -> list[Choice]:
    """Weights of background and objects, beside those of the gaps."""
    if facts.label_kind != "instances":
        return []
    even = EVEN[0] <= facts.covered <= EVEN[1]
    return [
        Choice(
            key="class_weights",
            value="balanced" if even else None,
            why="as published, with as much background as objects"
            if even
            else "all pixels alike: balanced ones would swell objects that cover so little until "
            f"every pixel with a chance of {facts.covered:.0%} is theirs at a threshold of 0.5",
            evidence=f"objects cover {facts.covered:.0%} of an image (median)",
            changes=f"objects that cover {EVEN[0]:.0%} to {EVEN[1]:.0%}",
        )
    ]


def cell_choices(facts: SetFacts) -> tuple[Cells, list[Choice]]:
    """How the probability of an object becomes numbered objects, from the sizes in the data."""
    sizes = facts.classes[0].sizes
    small, radius = at(sizes, 2.0), _radius(facts, 50.0)
    values: dict[str, Any] = {
        "threshold": 0.5,
        "waist_px": float(min(5.0, max(1.0, round(radius / 4, 1)))),
        "least_px": max(1, int(small / 2)),
        "largest_hole_px": max(int(at(sizes, 20.0) / 4), 1),
    }
    why = {
        "threshold": "the network's own decision",
        "waist_px": (
            "a quarter of the radius, at most HeLa's 5 pixels: less cuts objects of uneven outline"
        ),
        "least_px": "half of what two of a hundred objects stay below",
        "largest_hole_px": "a quarter of a small object",
    }
    evidence = (
        f"objects of {at(sizes, 2.0):.0f}, {at(sizes, 20.0):.0f}, {at(sizes, 50.0):.0f} and "
        f"{at(sizes, 98.0):.0f} pixels (2nd, 20th, 50th and 98th percentile)"
    )
    choices = [
        Choice(
            key=key, value=value, why=why[key], evidence=evidence, changes="objects of other sizes"
        )
        for key, value in values.items()
    ]
    return Cells(**values), choices


def _radius(facts: SetFacts, percent: float) -> float:
    return math.sqrt(at(facts.classes[0].sizes, percent) / math.pi)


def fixed_choices(facts: SetFacts) -> list[Choice]:
    """Numbers that no data change, with the reason all the same."""
    axes = facts.axes
    return [
        Choice(
            key="network_def#spatial_dims",
            value=axes,
            why="pictures" if axes == 2 else "volumes; of thick slices with kernels of one slice",
            evidence=f"{facts.cases} {facts.kind}s",
            changes="other images",
        ),
        Choice(
            key="fold",
            value=0,
            why="the first; medseg crossvalidate trains each of them",
            evidence=f"{facts.patients} patients",
            changes="fold=1 holds out another",
        ),
        Choice(
            key="seed",
            value=20261121,
            why="any number; the same one gives the same training on a CPU",
            evidence="none",
            changes="another seed shows how much is chance",
        ),
        Choice(
            key="num_workers",
            value=0,
            why="patches are made in the training's own process, which costs little of a step",
            evidence="measured with the steps of the forecast",
            changes="a GPU that waits for patches: num_workers=4",
        ),
    ]
