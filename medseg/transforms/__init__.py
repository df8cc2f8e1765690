"""Transforms: recipes and what MONAI leaves out."""

from medseg.transforms.class_voxels import ClassVoxelsd, list_class_voxels
from medseg.transforms.patch_centre import Centres
from medseg.transforms.rand_warp_batch import RandWarpBatchd
from medseg.transforms.rand_warp_patch import RandWarpPatchd
from medseg.transforms.sampling_grid import PatchGrid
from medseg.transforms.warp import Warp, sample_warp
from medseg.transforms.warp_patch import plan_patch, resample, warp_patch
from medseg.transforms.warp_ranges import Elastic, Flip, Rotation, Shear, Shift, WarpRanges, Zoom

__all__ = [
    "Centres",
    "ClassVoxelsd",
    "Elastic",
    "Flip",
    "PatchGrid",
    "RandWarpBatchd",
    "RandWarpPatchd",
    "Rotation",
    "Shear",
    "Shift",
    "Warp",
    "WarpRanges",
    "Zoom",
    "list_class_voxels",
    "plan_patch",
    "resample",
    "sample_warp",
    "warp_patch",
]
