"""Transforms: recipes and what MONAI leaves out."""

from medseg.transforms.border_weight import BorderWeightd, border_weight
from medseg.transforms.class_voxels import ClassVoxelsd, list_class_voxels
from medseg.transforms.instances import InstancesToForegroundd, part_touching
from medseg.transforms.patch_centre import Centres
from medseg.transforms.rand_warp_batch import RandWarpBatchd
from medseg.transforms.rand_warp_patch import RandWarpPatchd
from medseg.transforms.sampling_grid import PatchGrid
from medseg.transforms.warp import Warp, sample_warp
from medseg.transforms.warp_patch import plan_patch, resample, warp_patch
from medseg.transforms.warp_ranges import Elastic, Flip, Rotation, Shear, Shift, WarpRanges, Zoom

__all__ = [
    "BorderWeightd",
    "Centres",
    "ClassVoxelsd",
    "Elastic",
    "Flip",
    "InstancesToForegroundd",
    "PatchGrid",
    "RandWarpBatchd",
    "RandWarpPatchd",
    "Rotation",
    "Shear",
    "Shift",
    "Warp",
    "WarpRanges",
    "Zoom",
    "border_weight",
    "list_class_voxels",
    "part_touching",
    "plan_patch",
    "resample",
    "sample_warp",
    "warp_patch",
]
