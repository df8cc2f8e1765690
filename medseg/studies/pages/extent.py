"""Extent of a study's folder: all of it, or what a repository of text should carry."""

from typing import Literal

__all__ = ["Extent"]

# `compact`: no SVG, JSON or configs, and of the cases the study's score alone.
Extent = Literal["whole", "compact"]
