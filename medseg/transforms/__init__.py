"""Transforms: augmentation, normalisation and label steps beyond MONAI's, for the recipes."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.transforms.bias_field import RandBiasFieldd, gain_field
    from medseg.transforms.blur import RandBlurd, gaussian_blur
    from medseg.transforms.border_weight import BorderWeightd
    from medseg.transforms.channel_scale import WindowScale, ZScoreScale, scale_settings
    from medseg.transforms.class_voxels import ClassVoxelsd, list_class_voxels
    from medseg.transforms.colour_jitter import ColourChange, RandColourJitterd, change_colours
    from medseg.transforms.domain_shift import shifted_steps
    from medseg.transforms.drop_slice_axis import DropSliceAxisd
    from medseg.transforms.each_channel import EachChanneld
    from medseg.transforms.gamma import RandGammad, adjust_gamma
    from medseg.transforms.gaussian_noise import RandGaussianNoised, add_gaussian_noise
    from medseg.transforms.instances import InstancesToForegroundd, part_touching
    from medseg.transforms.label_noise import LabelNoised, add_label_noise
    from medseg.transforms.linear_spacing import LinearSpacingd, interpolate_axes
    from medseg.transforms.low_resolution import RandLowResolutiond, lower_resolution
    from medseg.transforms.n4 import N4BiasFieldd, correct_bias_field
    from medseg.transforms.normalise_dataset import DatasetZScored
    from medseg.transforms.normalise_percentiles import ClipPercentilesd, clip_percentiles
    from medseg.transforms.normalise_zscore import ZScored, z_score
    from medseg.transforms.patch_centre import Centres
    from medseg.transforms.prediction_steps import image_steps
    from medseg.transforms.rand_warp_batch import RandWarpBatchd
    from medseg.transforms.rand_warp_patch import RandWarpPatchd
    from medseg.transforms.rician_noise import RandRicianNoised, add_rician_noise
    from medseg.transforms.sampling_grid import PatchGrid
    from medseg.transforms.scale_channels import ScaleChannelsd
    from medseg.transforms.stain_jitter import RandStainJitterd, change_stains
    from medseg.transforms.warp import Warp, sample_warp
    from medseg.transforms.warp_patch import plan_patch, resample
    from medseg.transforms.warp_ranges import (
        Elastic,
        Flip,
        Rotation,
        Shear,
        Shift,
        WarpRanges,
        Zoom,
    )

__all__ = [
    "BorderWeightd",
    "Centres",
    "ClassVoxelsd",
    "ClipPercentilesd",
    "ColourChange",
    "DatasetZScored",
    "DropSliceAxisd",
    "EachChanneld",
    "Elastic",
    "Flip",
    "InstancesToForegroundd",
    "LabelNoised",
    "LinearSpacingd",
    "N4BiasFieldd",
    "PatchGrid",
    "RandBiasFieldd",
    "RandBlurd",
    "RandColourJitterd",
    "RandGammad",
    "RandGaussianNoised",
    "RandLowResolutiond",
    "RandRicianNoised",
    "RandStainJitterd",
    "RandWarpBatchd",
    "RandWarpPatchd",
    "Rotation",
    "ScaleChannelsd",
    "Shear",
    "Shift",
    "Warp",
    "WarpRanges",
    "WindowScale",
    "ZScoreScale",
    "ZScored",
    "Zoom",
    "add_gaussian_noise",
    "add_label_noise",
    "add_rician_noise",
    "adjust_gamma",
    "change_colours",
    "change_stains",
    "clip_percentiles",
    "correct_bias_field",
    "gain_field",
    "gaussian_blur",
    "image_steps",
    "interpolate_axes",
    "list_class_voxels",
    "lower_resolution",
    "part_touching",
    "plan_patch",
    "resample",
    "sample_warp",
    "scale_settings",
    "shifted_steps",
    "z_score",
]

__getattr__, __dir__ = attach(__name__)
