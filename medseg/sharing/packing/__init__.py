"""Packing: one zip of a bundle, and what must not leave with it."""
