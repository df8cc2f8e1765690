"""Runs of a study: which there are, each trained and scored once, kept by digest."""
