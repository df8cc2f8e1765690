"""Phantoms: synthetic images with labels, for demos and tests."""
