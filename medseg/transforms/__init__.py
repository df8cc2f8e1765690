"""Transforms: recipes and what MONAI leaves out."""

from medseg.transforms.class_voxels import ClassVoxelsd, list_class_voxels

__all__ = ["ClassVoxelsd", "list_class_voxels"]
