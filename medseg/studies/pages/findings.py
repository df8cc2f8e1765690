"""Findings in words: what a study saw of a row, and whether it saw what was published.

A study without a significant difference has not shown that there is none. What it can rule out is
told by its interval: if that holds no effect as large as the smallest that the study would have
seen, such an effect is not there; if it does, the study is too small to say.
"""

from typing import Literal

from medseg.studies.statistics_types import Comparison, Noise

__all__ = ["Effect", "Reproduction", "better_sign", "effect_of", "reproduction_of"]

Effect = Literal["better", "worse", "none seen"]
Reproduction = Literal["reproduced", "not reproduced", "cannot be seen at this size"]

_LEVEL = 0.05
_LOWER_IS_BETTER = ("hd95", "assd", "volume_error", "loss", "missed", "invented")


def better_sign(score: str) -> int:
    """1 if a higher score is better, -1 if a lower one is, as of distances and errors."""
    return -1 if score.startswith(_LOWER_IS_BETTER) else 1


def effect_of(comparison: Comparison, score: str) -> Effect:
    """What the study saw of a row: significant after Holm's correction, or nothing."""
    if comparison.difference is None or comparison.p_holm is None or comparison.p_holm >= _LEVEL:
        return "none seen"
    return "better" if comparison.difference * better_sign(score) > 0 else "worse"


def reproduction_of(
    published: str, comparison: Comparison, noise: Noise | None, score: str
) -> Reproduction:
    """Whether the study saw what was published of a row.

    A published effect is reproduced by a significant one of the same direction; it is not by one
    of the other direction, nor if the interval rules out an effect of the smallest size that the
    study would have seen. That there is no effect is reproduced if the interval rules out both
    directions.

    Args:
        published: `better`, `worse` or `same`.
        comparison: Of the row with the baseline.
        noise: Of the baseline; without it, what is not significant cannot be judged.
        score: The metric of the comparison.
    """
    effect = effect_of(comparison, score)
    if effect != "none seen":
        return "reproduced" if effect == published else "not reproduced"
    if noise is None or comparison.difference_ci95 is None:
        return "cannot be seen at this size"
    ends = sorted(better_sign(score) * end for end in comparison.difference_ci95)
    no_better = ends[1] < noise.smallest_difference
    no_worse = ends[0] > -noise.smallest_difference
    if published == "same":
        return "reproduced" if no_better and no_worse else "cannot be seen at this size"
    ruled_out = no_better if published == "better" else no_worse
    return "not reproduced" if ruled_out else "cannot be seen at this size"
