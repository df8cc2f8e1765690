"""Metadata of a new bundle (metadata.json): what MONAI's schema asks for, the rest as a gap."""

import json
from importlib.metadata import version
from typing import Any

from medseg.bundles.writing.draft import Draft, modalities
from medseg.networks.levels import per_level

__all__ = ["METADATA_SCHEMA", "needed_packages", "new_metadata", "spatial_shape"]

METADATA_SCHEMA = "https://project-monai.github.io/schema/meta_schema_20240725.json"
FIRST_VERSION = "0.1.0"
NOT_STATED = "not stated"
_UNET = (
    "Cicek O. et al., 3D U-Net: Learning Dense Volumetric Segmentation from Sparse "
    "Annotation, MICCAI 2016, "
    "https://doi.org/10.1007/978-3-319-46723-8_49"
)
_UNET_2D = (
    "Ronneberger O., Fischer P., Brox T., U-Net: Convolutional Networks for Biomedical "
    "Image Segmentation, "
    "MICCAI 2015, https://doi.org/10.1007/978-3-319-24574-4_28"
)


def new_metadata(draft: Draft) -> str:
    """The text of `metadata.json`."""
    names = draft.class_names
    what, imaged = ", ".join(names[1:]), modalities(draft.manifest)
    content = {
        "schema": METADATA_SCHEMA,
        "version": FIRST_VERSION,
        "changelog": {FIRST_VERSION: "planned by medseg plan; not trained yet"},
        **_versions(draft),
        "supported_apps": {},
        "name": draft.name,
        "task": f"Segmentation of {what} in {imaged}",
        "description": f"A {draft.axes}-D U-Net labels {what} in {imaged}.",
        "authors": NOT_STATED,
        "copyright": NOT_STATED,
        "data_source": draft.manifest.source,
        "data_type": "png, tiff" if draft.axes == 2 else "nifti, dicom",
        "image_classes": f"{draft.channels} channel(s) of {imaged}, by recipe {draft.recipe}",
        "label_classes": ", ".join(f"{value} {name}" for value, name in enumerate(names)),
        "pred_classes": f"logits of {len(names)} channels: {', '.join(names)}",
        "intended_use": "Research and teaching; not for diagnosis",
        "references": [_UNET if draft.axes == 3 else _UNET_2D],
        "network_data_format": _format(draft),
    }
    return json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def _versions(draft: Draft) -> dict[str, Any]:
    return {
        "monai_version": _plain("monai"),
        "pytorch_version": _plain("torch"),
        "numpy_version": _plain("numpy"),
        "required_packages_version": needed_packages(draft.axes),
    }


def needed_packages(axes: int) -> dict[str, str]:
    """Packages beside MONAI, torch and numpy that a bundle of so many axes asks for."""
    files = ("pillow", "scikit-image") if axes == 2 else ("nibabel",)
    names = ("medseg", "pytorch-ignite", *files, "safetensors", "tensorboard")
    return {name: _plain(name) for name in names}


def _plain(package: str) -> str:
    """A version in three numbers, without the build that a wheel adds."""
    numbers = [*version(package).partition("+")[0].split("."), "0", "0"][:3]
    return ".".join("".join(c for c in part if c.isdigit()) or "0" for part in numbers)


def spatial_shape(draft: Draft) -> list[str]:
    """Sizes that the network takes: multiples that leave two voxels along each axis at its end."""
    depth, axes = int(draft.network["depth"]), draft.axes
    pools = per_level("pool_sizes", draft.network.get("pool_sizes"), 2, count=depth - 1, axes=axes)
    strides = [1] * axes
    for pool in pools:
        strides = [whole * one for whole, one in zip(strides, pool, strict=True)]
    return ["n" if stride == 1 else f"{2 * stride}*n" for stride in strides]


def _format(draft: Draft) -> dict[str, Any]:
    shape = spatial_shape(draft)
    shared: dict[str, Any] = {"spatial_shape": shape, "dtype": "float32", "value_range": []}
    channels = _channels(draft)
    image = {
        "type": "image",
        "format": "RGB" if channels == ["red", "green", "blue"] else "magnitude",
        "modality": draft.manifest.modality,
        "num_channels": len(channels),
        **shared,
        "is_patch_data": True,
        "channel_def": {str(number): name for number, name in enumerate(channels)},
    }
    pred = {
        "type": "image",
        "format": "segmentation",
        "modality": "n/a",
        "num_channels": len(draft.class_names),
        **shared,
        "is_patch_data": True,
        "channel_def": {str(value): name for value, name in enumerate(draft.class_names)},
    }
    return {"inputs": {"image": image}, "outputs": {"pred": pred}}


def _channels(draft: Draft) -> list[str]:
    if draft.seen.get("content") == "rgb" or draft.recipe == "histology_he":
        return ["red", "green", "blue"]
    channels = draft.manifest.channels
    return ["image"] if len(channels) == 1 else [channel.name for channel in channels]
