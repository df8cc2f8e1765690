"""Keys of the recipes that new bundles use: what each config defines of them, and with which words.

A recipe's keys are of three kinds. What prediction has to repeat is a setting, kept in the header
of the weights; what only training needs stands in `train.yaml` alone; and what a step asks for even
where there is no label has another value there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from medseg.bundles.writing.draft import Draft, RecipeName

__all__ = ["RecipeKey", "recipe_keys", "setting_names"]

Role = Literal["setting", "training", "both"]


@dataclass(frozen=True, kw_only=True)
class RecipeKey:
    """A key of a recipe.

    Attributes:
        name: Of the key.
        comment: What stands behind it in `train.yaml`.
        role: See the module.
        fixed: Its value in training, if that is not planned.
        elsewhere: Its value in inference, for the role `both`; None gives that of the training.
        elsewhere_comment: What stands behind that.
    """

    name: str
    comment: str
    role: Role
    fixed: Any = None
    elsewhere: Any = None
    elsewhere_comment: str = ""


_FILES = (
    RecipeKey(
        name="keys",
        comment="parts of a case",
        role="both",
        fixed=["image", "label"],
        elsewhere=["image"],
    ),
    RecipeKey(
        name="interpolation",
        comment="one for each of keys",
        role="both",
        fixed=["bilinear", "nearest"],
        elsewhere=["bilinear"],
    ),
    RecipeKey(
        name="reader",
        comment="for images and labels",
        role="both",
        fixed=["medseg.data.DicomSeriesReader", "medseg.data.VolumeReader"],
    ),
    RecipeKey(name="spacing_mm", comment="voxel size of the network's input", role="setting"),
)
_WINDOW = RecipeKey(
    name="window", comment="intensities that become 0 and 1, in {unit}", role="setting"
)
_MEASURED = RecipeKey(
    name="measured_voxels",
    comment="voxels whose intensities set the scale: all, nonzero or otsu",
    role="setting",
)
_SCALES = (
    RecipeKey(name="scales", comment="one for each channel, in their order", role="setting"),
    RecipeKey(name="spatial_dims", comment="volumes", role="both", fixed=3),
)
_PATCH = (
    RecipeKey(name="patch_size", comment="voxels of a patch", role="setting"),
    RecipeKey(name="centres", comment="", role="training"),
)
_TURNS = (
    RecipeKey(name="flip_axes", comment="axes that are mirrored", role="training"),
    RecipeKey(name="rotation_degrees", comment="greatest turn about each axis", role="training"),
)
_ELASTIC = RecipeKey(name="elastic_mm", comment="greatest elastic displacement", role="training")
_PICTURES = RecipeKey(
    name="reader", comment="for images and labels", role="both", fixed="medseg.data.RasterReader"
)
_MICROSCOPY = (
    _PICTURES,
    RecipeKey(name="content", comment="grey or rgb", role="both"),
    RecipeKey(
        name="pixel_size",
        comment="in pixels of the image: 2.0 is half resolution",
        role="setting",
    ),
    *_PATCH,
    RecipeKey(name="labels_are", comment="classes, instances or mask", role="both"),
    RecipeKey(
        name="border_weight",
        comment="weight added at a gap of zero width between two objects; 0 adds none",
        role="both",
        elsewhere=0.0,
        elsewhere_comment="for training only, where there is a label",
    ),
    RecipeKey(name="border_weight_px", comment="decay length with the gap's width", role="both"),
    RecipeKey(
        name="class_weights",
        comment="balanced: background and objects have the same total weight; or null",
        role="both",
    ),
    RecipeKey(name="warped", comment="what moves together", role="training"),
    RecipeKey(name="warp_modes", comment="one for each of warped", role="training"),
    *_TURNS,
)
_OF: dict[RecipeName, tuple[RecipeKey, ...]] = {
    "ct_body": (*_FILES, _WINDOW, *_PATCH, *_TURNS, _ELASTIC),
    "pet_volume": (*_FILES, _WINDOW, *_PATCH, *_TURNS, _ELASTIC),
    "mri_volume": (*_FILES, _MEASURED, *_PATCH, *_TURNS, _ELASTIC),
    "several_channels": (*_FILES, *_SCALES, *_PATCH, *_TURNS, _ELASTIC),
    "microscopy": _MICROSCOPY,
    "histology_he": (
        _PICTURES,
        RecipeKey(
            name="mask_threshold",
            comment="foreground is above this value; masks are 8-bit pictures",
            role="both",
            fixed=127.5,
            elsewhere_comment="for reference masks; not used in prediction",
        ),
        *_PATCH,
    ),
}


def recipe_keys(draft: Draft) -> Iterator[tuple[RecipeKey, Any]]:
    """Yield the keys of a draft's recipe with their values in training, in the configs' order.

    Raises:
        KeyError: If the draft lacks one.
    """
    for key in _OF[draft.recipe]:
        value = draft.seen.get(key.name, key.fixed)
        yield key, value


def setting_names(draft: Draft) -> list[str]:
    """What inference has to repeat, classes first, the network's description last but not here."""
    return ["class_names", *(key.name for key, _ in recipe_keys(draft) if key.role == "setting")]
