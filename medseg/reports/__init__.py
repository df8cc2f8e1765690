"""Reports: pictures and tables for people."""

from medseg.reports.curves import curves_figure, plot_curves
from medseg.reports.overlay import MontageOptions, overlay_montage

__all__ = ["MontageOptions", "curves_figure", "overlay_montage", "plot_curves"]
