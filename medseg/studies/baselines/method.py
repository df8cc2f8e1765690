"""Choice of a classical method, and its label of one image."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medseg.errors import DataError, UsageError
from medseg.studies.baselines.brightness import Floats, IndexMap
from medseg.studies.baselines.classes import (
    ClassRule,
    classes_by_reference,
    classes_of_levels,
    largest_part,
)
from medseg.studies.baselines.k_means import k_means
from medseg.studies.baselines.otsu import otsu
from medseg.studies.baselines.potts import BETA, potts
from medseg.studies.baselines.sobel import smooth_regions, sobel
from medseg.studies.baselines.watershed import watershed

__all__ = [
    "METHODS",
    "Keep",
    "Method",
    "Settings",
    "chosen_methods",
    "label_image",
    "require_settings",
]

Method = Literal["k-means", "mrf", "otsu", "watershed", "sobel", "smooth"]
Keep = Literal["all", "largest"]
METHODS: tuple[Method, ...] = ("k-means", "mrf", "otsu", "watershed", "sobel", "smooth")
# These say themselves what is within and what is not.
_OF_TWO = ("sobel", "smooth")
_MOST_LEVELS = {"otsu": 5, "watershed": 5, "k-means": 255, "mrf": 255}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a classical method.

    Attributes:
        method: Its name. `mrf` is a Potts field; `sobel` fills what edges enclose; `smooth` takes
            the half with the lowest gradient.
        levels: Number of groups of brightness; None has one for each class. Not of `sobel` and
            `smooth`, whose groups are two.
        rule: Which group is what; not of `sobel` and `smooth`.
        beta: Of `mrf`: cost of two neighbours in different groups.
        keep: `largest` keeps the largest connected part of each class.
        seed: Of `k-means` and `mrf`.
    """

    method: Method
    levels: int | None = None
    rule: ClassRule
    beta: float = BETA
    keep: Keep = "all"
    seed: int = 0


def chosen_methods(names: Sequence[str], class_count: int) -> list[Method]:
    """The methods that a user names; if none, all that can tell so many classes apart.

    Raises:
        UsageError: If one is unknown.
    """
    if not names:
        return [method for method in METHODS if class_count == 2 or method not in _OF_TWO]
    unknown = next((name for name in names if name not in METHODS), None)
    if unknown is not None:
        near = difflib.get_close_matches(unknown, METHODS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(METHODS)}"
        raise UsageError(f"--method {unknown}: no such method; {hint}")
    return [method for method in METHODS if method in names]


def require_settings(settings: Settings, class_count: int) -> None:
    """Refuse settings that no image could be labelled by.

    Raises:
        UsageError: Naming the option.
    """
    method, levels = settings.method, settings.levels or class_count
    if method in _OF_TWO:
        if class_count > 2:
            raise UsageError(f"--method {method} finds one class; the data set has {class_count}")
        return
    if not class_count <= levels <= _MOST_LEVELS[method]:
        raise UsageError(
            f"--levels must be from {class_count}, the number of classes, to "
            f"{_MOST_LEVELS[method]} for {method}; got {levels}"
        )
    if settings.rule.name != "reference":
        classes_of_levels(settings.rule, levels, class_count)


def label_image(
    image: Floats,
    settings: Settings,
    class_count: int,
    label: NDArray[np.unsignedinteger] | None = None,
) -> IndexMap:
    """Label an image by a classical method.

    Args:
        image: `(*spatial, C)`, 2 or 3 spatial axes.
        settings: The method and its settings.
        class_count: Number of classes, the background's included.
        label: The reference, `(*spatial)`, for the rule `reference` alone.

    Returns:
        `(*spatial)`, classes.

    Raises:
        DataError: If the image holds what is no number, or too few values to be separated.
    """
    if not np.isfinite(image).all():
        raise DataError("it holds values that are no numbers; export the image again")
    levels = 2 if settings.method in _OF_TWO else settings.levels or class_count
    groups = _groups(image, settings, levels)
    if settings.method in _OF_TWO:
        classes = np.array([0, 1], np.uint8)
    elif settings.rule.name == "reference" and label is not None:
        classes = classes_by_reference(groups, label, levels)
    else:
        classes = classes_of_levels(settings.rule, levels, class_count)
    found = classes[groups]
    return largest_part(found) if settings.keep == "largest" else found


def _groups(image: Floats, settings: Settings, levels: int) -> IndexMap:
    match settings.method:
        case "k-means":
            return k_means(image, levels, seed=settings.seed)
        case "mrf":
            return potts(image, levels, beta=settings.beta, seed=settings.seed)
        case "otsu":
            return otsu(image, levels)
        case "watershed":
            return watershed(image, levels)
        case "sobel":
            return sobel(image)
        case "smooth":
            return smooth_regions(image)
