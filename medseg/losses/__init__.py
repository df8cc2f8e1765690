"""Losses: logits and an index label in, one number out."""

from medseg.losses.tversky_ce import TverskyCELoss

__all__ = ["TverskyCELoss"]
