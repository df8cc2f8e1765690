"""Abdominal Dixon MR phantoms."""
