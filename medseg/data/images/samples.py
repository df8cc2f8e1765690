"""Samples of a picture as its file stores them, and what they have in common in every format."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from medseg.data.problems import InputError, Problem, Where, refusal

__all__ = ["Content", "Samples", "pages_refusal", "picture_refusal", "without_opaque"]

Content = Literal["any", "grey", "rgb", "label"]


class Samples(NamedTuple):
    """A picture as a viewer shows it, in the numbers of its file.

    Attributes:
        array: `(C, I, J)`, C = 1 or 3, black is 0; for a label the numbers as stored.
        dtype: Type of the stored values.
        white: The value of white; None for types that have none: floats, signed, 32 bits and more.
    """

    array: NDArray[Any]
    dtype: str
    white: int | None


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
