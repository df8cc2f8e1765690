"""Abdominal fat phantoms: Dixon MR slices."""
