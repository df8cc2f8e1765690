"""Faster CPU versions of torch operators, with the same results."""
