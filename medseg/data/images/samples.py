"""Samples of a picture as its file stores them, and what they have in common in every format."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medseg.data.problems import InputError, Problem, Where, refusal

__all__ = [
    "Content",
    "Samples",
    "loss_doubt",
    "pages_refusal",
    "palette_doubt",
    "picture_refusal",
    "turn_doubt",
    "without_opaque",
]

Content = Literal["any", "grey", "rgb", "label"]


class Samples(NamedTuple):
    """A picture as a viewer shows it, in the numbers of its file.

    Attributes:
        array: `(C, I, J)`, C = 1 or 3, black is 0; for a label the numbers as stored.
        dtype: Type of the stored values.
        white: The value of white; None for types that have none: floats, signed, 32 bits and more.
        doubts: Warnings about ambiguities of the file.
    """

    array: NDArray[Any]
    dtype: str
    white: int | None
    doubts: tuple[Problem, ...] = ()


def picture_refusal(path: Path, where: Where, what: str, remedy: str) -> InputError:
    """The error of a picture that cannot be read faithfully."""
    return refusal(path, Problem("error", where, what, remedy))


def pages_refusal(path: Path, where: Where, pages: int) -> InputError:
    """The error of a picture that is a stack."""
    remedy = "save each page as a file of its own, or a stack of slices as NIfTI"
    return picture_refusal(path, where, f"holds {pages} pages", remedy)


def without_opaque(
    path: Path, array: NDArray[Any], alpha: NDArray[Any], opaque: int, where: Where
) -> NDArray[Any]:
    """The colours without an alpha channel that is opaque everywhere.

    Raises:
        InputError: If it is not.
    """
    if (alpha != opaque).any():
        remedy = "save it without transparency"
        raise picture_refusal(path, where, "has transparent pixels", remedy)
    return array


def turn_doubt(orientation: int, where: Where) -> tuple[Problem, ...]:
    """A warning if a tag says that the picture is to be seen turned, as phones and scanners do."""
    if orientation in (0, 1):
        return ()
    what = f"is turned as its Orientation tag ({orientation}) says, which other programs may ignore"
    remedy = "look whether image and label overlay, or save it upright without the tag"
    return (Problem("warning", where, what, remedy),)


def loss_doubt(where: Where) -> tuple[Problem, ...]:
    """The warning of a label that was compressed as photographs are."""
    what = "is compressed with loss (JPEG), which makes other numbers of it at edges"
    remedy = "export the label again as PNG; fine for a mask of 0 and 255 (label_kind mask)"
    return (Problem("warning", where, what, remedy),)


def palette_doubt(
    indices: NDArray[Any], colours: NDArray[Any], where: Where
) -> tuple[Problem, ...]:
    """A warning if a palette shows another value than 0 in black: it was sorted by a program.

    Programs that save few colours as a palette number them by how often they occur, so that each
    file of a data set has other numbers for its classes.

    Args:
        indices: The label.
        colours: `(values, 3)`, of each index.
        where: The part it concerns.
    """
    used = np.unique(indices)
    used = used[used < len(colours)]
    black = used[(colours[used] == 0).all(axis=1)]
    if black.size == 0 or not colours[0].any():
        return ()
    what = f"its palette shows {black[0]} in black and 0 in a colour, so 0 may not be background"
    remedy = "look at it, and save the class numbers as grey values"
    return (Problem("warning", where, what, remedy),)
