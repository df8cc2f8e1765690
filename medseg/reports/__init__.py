"""Reports: pictures and tables for people."""

from medseg.reports.overlay import MontageOptions, overlay_montage

__all__ = ["MontageOptions", "overlay_montage"]
