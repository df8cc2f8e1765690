"""From groups of voxels to classes: which group is what, by a rule that asks no reference.

A classical method separates voxels, and does not know what they are. Its groups are numbered by
brightness, and a rule says which class each number is: the same for every image.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medseg.data.manifest import Modality
from medseg.errors import UsageError
from medseg.studies.baselines.brightness import IndexMap

__all__ = ["ClassRule", "classes_by_reference", "classes_of_levels", "largest_part", "parse_rule"]

_ndimage = cast("Any", ndimage)

Rule = Literal["bright", "dark", "listed", "reference"]


@dataclass(frozen=True)
class ClassRule:
    """Rule by which groups become classes.

    Attributes:
        name: `bright`: the brightest groups are the last classes, all darker ones background.
            `dark`: the darkest groups are, the darkest the last class. `listed`: as `classes` says.
            `reference`: each group takes the class that most of its voxels have in the reference;
            no method could know that, so it is an upper bound.
        classes: Class of each group, from the darkest; empty unless listed.
    """

    name: Rule
    classes: tuple[int, ...] = ()


def parse_rule(text: str, modality: Modality) -> ClassRule:
    """The rule that a user's word names.

    Args:
        text: `auto`, `bright`, `dark`, `reference`, or the class of each group from the darkest, as
            `1,0`. `auto` is `dark` for histology, whose tissue is stained and whose glass is white,
            else `bright`.
        modality: Of the images.

    Raises:
        UsageError: If it is none of these.
    """
    if text == "auto":
        return ClassRule("dark" if modality == "histology" else "bright")
    if text in ("bright", "dark", "reference"):
        return ClassRule(text)
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(
            f"--foreground {text}: must be auto, bright, dark, reference, or the class of each "
            "group from the darkest, as '1,0'"
        )
    return ClassRule("listed", tuple(map(int, parts)))


def classes_of_levels(rule: ClassRule, levels: int, class_count: int) -> NDArray[np.uint8]:
    """Class of each group, `(levels,)`, by any rule but `reference`.

    Raises:
        UsageError: If the listed classes are not one for each group, or are no classes.
    """
    if rule.name == "listed":
        if len(rule.classes) != levels or max(rule.classes) >= class_count:
            raise UsageError(
                f"--foreground must have {levels} numbers, one a group, each below {class_count}; "
                f"got {','.join(map(str, rule.classes))}"
            )
        return np.array(rule.classes, np.uint8)
    rising = np.maximum(0, np.arange(levels) - (levels - class_count)).astype(np.uint8)
    return rising if rule.name == "bright" else rising[::-1]


def classes_by_reference(
    groups: IndexMap, label: NDArray[np.unsignedinteger], levels: int
) -> NDArray[np.uint8]:
    """Class of each group by the reference, `(levels,)`: the most common in it; 0 if empty."""
    counts = np.zeros((levels, int(label.max(initial=0)) + 1), np.int64)
    np.add.at(counts, (groups.ravel(), label.ravel()), 1)
    return counts.argmax(axis=1).astype(np.uint8)


def largest_part(label: IndexMap) -> IndexMap:
    """Each class with its largest connected part alone, the rest background."""
    kept = np.zeros_like(label)
    for value in np.unique(label[label > 0]):
        parts, count = _ndimage.label(label == value)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        kept[parts == 1 + sizes[1:].argmax()] = value
    return kept
