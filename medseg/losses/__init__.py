"""Losses: logits and an index label in, one number out."""
