"""Metrics: scores of one case, class by class."""
