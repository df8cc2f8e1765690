"""Transforms: recipes and what MONAI leaves out."""
