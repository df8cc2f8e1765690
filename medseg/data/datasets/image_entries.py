"""Entries of images to be predicted, as MONAI's data sets take them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medseg._text import safe_name
from medseg.data.images.naming import path_stem
from medseg.data.patterns import name_key

__all__ = ["image_entries"]


def image_entries(images: Sequence[str | Sequence[str]]) -> list[dict[str, Any]]:
    """A dictionary for each image, with its name where the file's own name does not tell it.

    Args:
        images: A path each, or a list of one path for each channel, as `list_images` returns them.

    Returns:
        `image`; of several channels also `case`, the first file's name with as many of its folders
        as tell the cases apart, as `medseg predict` has it.
    """
    several = [Path(image[0]) for image in images if not isinstance(image, str)]
    names = iter(_distinct(several))
    return [
        {"image": image} if isinstance(image, str) else {"image": list(image), "case": next(names)}
        for image in images
    ]


def _distinct(paths: Sequence[Path]) -> list[str]:
    most = max((len(path.parts) for path in paths), default=1)
    names = [safe_name(path_stem(path, 0)) for path in paths]
    for folders in range(1, most):
        counts = Counter(map(name_key, names))
        names = [
            name if counts[name_key(name)] == 1 else safe_name(path_stem(path, folders))
            for path, name in zip(paths, names, strict=True)
        ]
    return names
