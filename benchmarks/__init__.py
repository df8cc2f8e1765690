"""Measurements against peers; `make bench` runs them, RESULTS.md keeps what they said."""
