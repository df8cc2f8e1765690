"""Names of the files that an evaluation writes."""

__all__ = ["SCORE_FILES"]

SCORE_FILES = ("scores.csv", "summary.csv", "scores.json", "scores.md", "instances.csv")
