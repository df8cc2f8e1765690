"""Images for golden cases, made by formula: small, the same each time, and nobody's.

A crop of a phantom for CT and fat MR, and shapes with a texture for the rest: what a network labels
in these need not be right, it must be something, and the same on the next machine.
"""

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, cast

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import medseg
from medseg._files import cache_dir, write_atomically
from medseg.data.phantoms.chest.phantom import chest_phantom
from medseg.data.phantoms.fat.phantom import fat_phantom

__all__ = ["GoldenImage", "golden_image", "nifti_bytes"]

Kind = Literal["chest", "fat", "ridge", "channels", "tissue", "cells"]

_SIZE = 192
# Goes up with every change of what is made, so that nothing kept before is taken for it.
_MADE = 1


@dataclass(frozen=True, kw_only=True)
class GoldenImage:
    """An image as a file.

    Attributes:
        name: Of the file, which says its format.
        content: Its bytes.
        origin: Where it comes from, in words.
        licence: Under which it may be shared.
    """

    name: str
    content: bytes
    origin: str
    licence: str = "CC0-1.0"


def golden_image(*, modality: str, axes: int, channels: int) -> GoldenImage:
    """The image for bundles of this kind; made once, and kept among the user's caches.

    Args:
        modality: As in metadata.json, e.g. `CT`.
        axes: Spatial axes of the network: 2 or 3.
        channels: Of the image; 3 of a picture are its colours.
    """
    if axes == 3 and channels > 1:
        return replace(_NAMES["channels"], content=_channels(channels))
    kind = _kind(modality.upper(), axes, channels)
    kept = cache_dir() / "golden" / f"{medseg.__version__}-{_MADE}-{kind}"
    try:
        return replace(_NAMES[kind], content=kept.read_bytes())
    except OSError:
        made = replace(_NAMES[kind], content=_MAKERS[kind]())
        write_atomically(kept, lambda temporary: temporary.write_bytes(made.content))
        return made


def _kind(modality: str, axes: int, channels: int) -> Kind:
    if channels == 3:
        return "tissue"
    if modality == "CT":
        return "chest"
    if modality in ("MR", "MRI"):
        return "fat" if axes == 2 else "ridge"
    return "cells"


def nifti_bytes(voxels: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    """A `.nii.gz`; equal voxels give equal bytes.

    Args:
        voxels: `(I, J, K)`, or `(I, J, K, C)`, int16 or uint8.
        affine: `(4, 4)`, voxel indices to mm, RAS+.
    """
    image = cast("Any", nib.Nifti1Image(voxels, affine))
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _chest() -> bytes:
    phantom = chest_phantom(7, shape=(80, 64, 40), orientation="RAS")
    # One lung's middle with a focus: a window of a few seconds, not a chest of minutes.
    corner = (41, 17, 12)
    crop = tuple(slice(at, at + size) for at, size in zip(corner, (27, 24, 14), strict=True))
    affine = phantom.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ np.asarray(corner, dtype=np.float64)
    return _volume(phantom.image[crop], affine)


def _fat() -> bytes:
    phantom = fat_phantom(3, shape=(384, 192))
    return _volume(phantom.image, phantom.affine)


def _ridge() -> bytes:
    """A bent grey ridge between dark fluid and bright white matter, as a hippocampus lies."""
    return _volume(_ridge_voxels(), np.eye(4))


def _channels(count: int) -> bytes:
    """The ridge for each channel, every other one inverted, with values from 0 to 20."""
    grey = _ridge_voxels() / 25
    parts = [grey if number % 2 == 0 else 20 - grey for number in range(count)]
    return _volume(np.stack(parts, axis=-1).astype(np.float32), np.eye(4))


def _ridge_voxels() -> NDArray[np.int16]:
    i, j, k = np.meshgrid(*map(np.arange, (34, 46, 34)), indexing="ij")
    middle = 17 + 4 * np.sin((j - 8) / 14)
    ridge = np.hypot((i - middle) / 6.5, (k - 16 - (j - 23) ** 2 / 90) / 5)
    inside = (ridge < 1) & (j > 5) & (j < 40)
    fluid = (ridge >= 1) & (ridge < 1.35) & (k > 15)
    grey = np.where(inside, 300.0, np.where(fluid, 120.0, 420.0))
    return _textured(grey, 25.0).astype(np.int16)


def _tissue() -> bytes:
    """Glands in H&E colours: pale lumen, purple rim, pink stroma."""
    distance = _nearest(((48, 52), (58, 140), (140, 44), (132, 132)))
    colours = np.select(
        [distance[..., None] < 14, distance[..., None] < 40],
        [np.array([230.0, 215.0, 228.0]), np.array([128.0, 70.0, 150.0])],
        np.array([222.0, 150.0, 190.0]),
    )
    return _picture(_textured(colours, 12.0))


def _cells() -> bytes:
    """Round cells with a bright and a dark side, as differential interference contrast has them."""
    centres = ((45, 50), (60, 140), (140, 60), (135, 145))
    rows, columns = np.indices((_SIZE, _SIZE))
    side = np.zeros((_SIZE, _SIZE))
    for row, column in centres:
        inside = np.hypot(rows - row, columns - column) < 32
        side += np.where(inside, (rows - row + columns - column) * 1.6, 0.0)
    return _picture(_textured(110 + side, 14.0))


def _nearest(centres: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
    rows, columns = np.indices((_SIZE, _SIZE))
    return np.min([np.hypot(rows - row, columns - column) for row, column in centres], axis=0)


def _textured(values: NDArray[np.float64], deviation: float) -> NDArray[np.float64]:
    return values + np.random.default_rng(7).normal(0.0, deviation, values.shape)


def _volume(voxels: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    return nifti_bytes(np.ascontiguousarray(voxels), affine)


def _picture(pixels: NDArray[np.float64]) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(content, format="PNG")
    return content.getvalue()


def _named(name: str, origin: str) -> GoldenImage:
    return GoldenImage(name=name, content=b"", origin=f"{origin}, made by medseg")


_NAMES: Mapping[Kind, GoldenImage] = {
    "chest": _named("image.nii.gz", "crop of a chest CT phantom"),
    "fat": _named("image.nii.gz", "slice of an abdominal fat MR phantom"),
    "ridge": _named("image.nii.gz", "synthetic ridge in T1 grey"),
    "channels": _named("image.nii.gz", "synthetic ridge in several channels"),
    "tissue": _named("image.png", "synthetic picture of stained glands"),
    "cells": _named("image.png", "synthetic picture of cells"),
}
_MAKERS: Mapping[Kind, Callable[[], bytes]] = {
    **{"chest": _chest, "fat": _fat, "ridge": _ridge, "channels": partial(_channels, 2)},
    **{"tissue": _tissue, "cells": _cells},
}
