"""Scores of a bundle with their intervals, as its metadata.json states them for machines.

MONAI's `eval_metrics` is a dictionary of numbers: on which data, of which weights and how sure they
are stands on the card alone. The key `scores` says it so that a command can show it.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Score", "Scores"]

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=300)]


class Score(BaseModel):
    """One number.

    Attributes:
        of: Name of the class, `mean` for the mean of the classes, or of a group of cases.
        metric: As `medseg evaluate` calls it, e.g. `dsc`, `iou`, `hd95_mm`.
        value: In the metric's unit; overlaps are fractions, 0 to 1.
        interval: 95 % bootstrap interval over cases; None where there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    of: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=80)]
    metric: Word
    value: float
    interval: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _value_lies_in_the_interval(self) -> Self:
        low, high = self.interval or (self.value, self.value)
        if not low <= self.value <= high:
            raise ValueError(f"{self.of} {self.metric}: {self.value} is not in its interval")
        return self


class Scores(BaseModel):
    """All scores of one evaluation.

    Attributes:
        data: On which cases, in words.
        cases: How many.
        weights_sha256: Digest of the tensors that were scored, as in the header of their file; None
            if they do not ship.
        rows: The numbers, the most important first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Line
    cases: Annotated[int, Field(ge=1)]
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    rows: Annotated[tuple[Score, ...], Field(min_length=1, max_length=200)]
