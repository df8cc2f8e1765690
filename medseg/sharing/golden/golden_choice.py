"""Image of a golden case: the user's, that of the bundle's folder, or one made by formula."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medseg.bundles.image_reading import read_bundle_image
from medseg.bundles.judgement.tree import BundleTree
from medseg.bundles.metadata import Metadata
from medseg.data.images.channels import on_first_grid
from medseg.data.images.picture import Picture
from medseg.data.images.volume import Volume
from medseg.errors import DataError, UsageError
from medseg.sharing.golden.golden import read_golden
from medseg.sharing.golden.golden_images import GoldenImage, golden_image, nifti_bytes
from medseg.sharing.layout import CASE, GOLDEN

__all__ = ["golden_choice"]

_MOST_BYTES = 2_000_000


def golden_choice(
    metadata: Metadata, tree: BundleTree, file: Path | None, licence: str | None
) -> GoldenImage:
    """The image that the golden case of a bundle is made of.

    Args:
        metadata: Of the bundle.
        tree: Its folder, which may hold `golden/case.json` of an earlier packing.
        file: The user's image, if one is given.
        licence: Under which that may be shared.

    Raises:
        UsageError: If the user's image has no licence.
        DataError: If an image is broken or too large.
    """
    if file is not None:
        if not licence:
            raise UsageError(f"{file}: say under which licence it may be shared: --golden-licence")
        return _users(file, licence, metadata.network_data_format.inputs["image"].num_channels)
    if CASE in tree.entries:
        case = read_golden(tree.read(CASE, _MOST_BYTES), tree.name)
        content = tree.read(f"{GOLDEN}/{case.image}", _MOST_BYTES)
        return GoldenImage(
            name=case.image, content=content, origin=case.origin, licence=case.licence
        )
    image = metadata.network_data_format.inputs["image"]
    return golden_image(
        modality=image.modality, axes=len(image.spatial_shape), channels=image.num_channels
    )


def _users(file: Path, licence: str, channels: int) -> GoldenImage:
    """The voxels alone, in a file of its own: headers and text chunks may name a patient.

    Of several channels, a volume with a fourth axis.
    """
    read = read_bundle_image(file, channels)
    if isinstance(read, Picture):
        name, content = "image.png", _png(read.array[:, :, 0])
    else:
        name, content = "image.nii.gz", nifti_bytes(_small_type(_voxels(read)), read.affine)
    if len(content) > _MOST_BYTES:
        raise DataError(
            f"{file}: takes {len(content) / 1e6:.1f} MB in the bundle, more than "
            f"{_MOST_BYTES / 1e6:.0f}; give a smaller crop"
        )
    return GoldenImage(name=name, content=content, origin="given by the packer", licence=licence)


def _voxels(volume: Volume) -> Any:
    """`(I, J, K)`, or `(I, J, K, C)` of several channels."""
    return np.moveaxis(on_first_grid(volume), 0, -1) if volume.others else volume.array


def _png(pixels: Any) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(content, format="PNG")
    return content.getvalue()


def _small_type(voxels: Any) -> Any:
    whole = np.asarray(voxels).astype(np.int16)
    return whole if np.array_equal(whole, voxels) else np.asarray(voxels, dtype=np.float32)
