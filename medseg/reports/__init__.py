"""Reports: score tables, overlay pictures and training curves."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.reports.curves import curves_figure, plot_curves
    from medseg.reports.markdown import scores_markdown
    from medseg.reports.overlay import MontageOptions, overlay_montage
    from medseg.reports.scoring import score_predictions
    from medseg.reports.tables import Evaluation, print_scores, scores_csv, scores_json
    from medseg.reports.validation_slice import ValidationSlice

__all__ = [
    "Evaluation",
    "MontageOptions",
    "ValidationSlice",
    "curves_figure",
    "overlay_montage",
    "plot_curves",
    "print_scores",
    "score_predictions",
    "scores_csv",
    "scores_json",
    "scores_markdown",
]

__getattr__, __dir__ = attach(__name__)
