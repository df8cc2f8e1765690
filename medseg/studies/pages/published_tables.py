"""Page in the form of a published ablation study, so that its tables can be laid beside ours.

See `medseg.studies.pages.published_scores` for its protocol.
"""

from collections.abc import Sequence

import numpy as np

from medseg._text import printable
from medseg.studies.pages.markdown_text import code_block, escaped, table
from medseg.studies.pages.published_scores import METRICS, LossRow

__all__ = ["published_markdown"]

_SHOWN = 5
# Of runs, that the protocol asks for.
_LEAST = 3
_MACRO = {"dsc": "Macro Dice-Ratio", "precision": "Macro Precision", "recall": "Macro Recall"}
_NOTE = (
    "Rows are ranked by their mean test loss, without augmentation, of the weights that were kept: "
    "each row's own loss, so that rows with another loss are ranked on another scale. Scores are "
    "means over cases of each class, then over runs; totals are means of the classes. Precision is "
    "the share of the predicted foreground that is right, recall the share of the true foreground "
    "that was found. The publication seems to have the two names the other way round: its worst "
    "network is listed with precision 1.000 and recall 0.629, which is its accuracy too, as of a "
    "network that predicts foreground everywhere."
)


def published_markdown(title: str, rows: Sequence[LossRow]) -> str:
    """The five best and the five worst rows as the publication prints them, and its last table.

    Args:
        title: Of the study.
        rows: All, the best first; at least one.
    """
    parts = dict.fromkeys(part for row in rows for means in row.scores.values() for part in means)
    few = [row for row in rows if row.runs < _LEAST]
    caution = (
        f"**{len(few)} of {len(rows)} rows have fewer than the three runs of the protocol**: "
        f"{', '.join(escaped(row.row) for row in few)}."
    )
    worst = range(max(_SHOWN, len(rows) - _SHOWN), len(rows))
    sections = [
        f"# {escaped(title)}: tables of the published protocol",
        _NOTE,
        caution if few else "",
        f"Classes, in order: {', '.join(map(escaped, parts))}.",
        "## Top-5 best",
        _printed(rows, range(min(_SHOWN, len(rows)))),
        *(["## Top-5 worst", _printed(rows, worst)] if worst else []),
        "## Best three and the worst",
        _last_table(rows),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _printed(rows: Sequence[LossRow], places: range) -> str:
    return code_block("\n\n".join(_configuration(place + 1, rows[place]) for place in places))


def _configuration(rank: int, row: LossRow) -> str:
    lines = [
        f"{rank}) Configuration: {printable(row.row)},",
        f"mean-test-loss: {row.test_loss:.4f}, mean-train-loss: {row.train_loss:.4f}, "
        f"abs-diff: {row.difference:.4f}",
    ]
    for metric, name in METRICS.items():
        if metric in row.scores:
            # Printed as NumPy prints single precision, as the publication does.
            values = np.array(list(row.scores[metric].values()), dtype=np.float32)
            shown = np.array2string(values, max_line_width=10_000)
            lines.append(f"mean-test per-class-{name}: {shown}, total: {row.total(metric):.4f}")
    return "\n".join(lines)


def _last_table(rows: Sequence[LossRow]) -> str:
    """Losses and macro scores, each with its distance to the best of the column."""
    shown = [*rows[:3], *rows[max(3, len(rows) - 1) :]]
    metrics = [metric for metric in _MACRO if all(metric in row.scores for row in shown)]
    best_loss = min(row.test_loss for row in shown)
    best = {metric: max(row.total(metric) for row in shown) for metric in metrics}
    lines = [
        [
            escaped(row.row) + (" (worst)" if row is rows[-1] and len(rows) > 3 else ""),
            _beside(row.test_loss, best_loss),
            *(_beside(row.total(metric), best[metric]) for metric in metrics),
        ]
        for row in shown
    ]
    columns = ["Model", "Validation-loss", *(_MACRO[metric] for metric in metrics)]
    return table(columns, lines)


def _beside(value: float, best: float) -> str:
    return f"**{value:.4f}**" if value == best else f"{value:.4f} ({value - best:+.4f})"
